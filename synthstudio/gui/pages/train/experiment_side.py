"""What an experiment is told."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from synthstudio.gui.plan_form import PlanForm
from synthstudio.settings.experiment import ARMS, ArmName, ExperimentSettings

ARM_WORDS: dict[ArmName, str] = {
    "real": "Real",
    "synthetic": "Synthetic",
    "mix": "Mix of both",
    "real-share": "Share of real",
}


class ExperimentSide(PlanForm[ExperimentSettings]):
    """Presets, the form, the estimate."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            ExperimentSettings(),
            title="Compare kinds of training data",
            start="Start the experiment",
            choices={"arms": [(arm, ARM_WORDS[arm]) for arm in ARMS]},
            class_lists=("classifier.composition.classes", "detector.composition.classes"),
            parent=parent,
        )
