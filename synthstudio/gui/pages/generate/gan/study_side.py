"""What a study of GANs is told."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from synthstudio.gui.plan_form import PlanForm
from synthstudio.settings.gan_study import PARTS, GanStudySettings, PartName, grid_offers

PART_WORDS: dict[PartName, str] = {
    "checkerboard-mitigation": "Checkerboard fix",
    "region-loss": "Region loss",
    "feature-matching": "Feature matching",
}


class StudySide(PlanForm[GanStudySettings]):
    """Presets, the form, the estimate."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            GanStudySettings(),
            title="Compare ways to train a GAN",
            start="Start the study",
            choices={"without": [(part, PART_WORDS[part]) for part in PARTS], "grid": grid_offers()},
            class_lists=("training.classes",),
            parent=parent,
        )
