"""What a round is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from synthstudio.gui.forms import Choice
from synthstudio.gui.plan_form import NAME, PlanForm
from synthstudio.settings.experiment import Task
from synthstudio.settings.round import RoundSettings

SET_NAMES = ("classifier.set_name", "detector.set_name")
NO_SETS: tuple[Choice, ...] = ()


class RoundSide(PlanForm[RoundSettings]):
    """Presets, the form, the estimate. Rounds are numbered, so that nobody is asked for their names."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            RoundSettings(),
            title="How the rounds are done",
            start="Start the next round",
            choices=dict.fromkeys(SET_NAMES, NO_SETS),
            class_lists=("classifier.composition.classes", "detector.composition.classes"),
            hidden=(NAME, "begins_with"),
            parent=parent,
        )
        for task in get_args(Task):
            self.form.show_part((task,), is_shown=False)
        self.form.settings_changed.connect(self._on_form_task_changed)
        self._on_form_task_changed(RoundSettings())

    def offer_sets(self, sets: Sequence[Choice]) -> None:
        """Offer the project's stored sets to train on."""
        for name in SET_NAMES:
            self.form.set_choices(name, sets)

    @Slot(object)
    def _on_form_task_changed(self, settings: RoundSettings) -> None:
        """Show how the chosen kind of model is trained, not the other."""
        for task in get_args(Task):
            self.form.show_part((task,), is_shown=task == settings.task)
