"""What a round is told."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from synthstudio.gui.plan_form import NAME, PlanForm
from synthstudio.settings.experiment import Task
from synthstudio.settings.round import RoundSettings


class RoundSide(PlanForm[RoundSettings]):
    """Presets, the form, the estimate. Rounds are numbered, so that nobody is asked for their names."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            RoundSettings(),
            title="How the rounds are done",
            start="Start the next round",
            class_lists=("classifier.composition.classes", "detector.composition.classes"),
            hidden=(NAME, "begins_with"),
            parent=parent,
        )
        for task in get_args(Task):
            self.form.show_part((task,), is_shown=False)
        self.form.settings_changed.connect(self._on_form_task_changed)
        self._on_form_task_changed(RoundSettings())

    @Slot(object)
    def _on_form_task_changed(self, settings: RoundSettings) -> None:
        """Show how the chosen kind of model is trained, not the other."""
        for task in get_args(Task):
            self.form.show_part((task,), is_shown=task == settings.task)
