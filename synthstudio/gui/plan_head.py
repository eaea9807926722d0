"""What stands above the findings of a plan: which one is shown, how far it has come, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from synthstudio.client.plan_facts import PlanFacts, PlanTable
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.base import JobSettings

Facts = TypeVar("Facts", bound=PlanFacts[JobSettings, PlanTable])


def make_continue_button(parent: QWidget) -> QPushButton:
    """The button that does what is left of a plan."""
    made = QPushButton("Continue", parent)
    made.setToolTip("Do what is left; a training that was cut off goes on from its checkpoint")
    return made


def make_stop_button(parent: QWidget) -> QPushButton:
    """The button that stops a plan."""
    made = QPushButton("Stop", parent)
    made.setToolTip("Cancel the running job and leave the rest; what is finished stays")
    return made


class PlanHead(QWidget, Generic[Facts]):
    """Choice, buttons and state of the plans of one kind.

    Args:
        word: What such a plan is called, "experiment" for example.
        foreign: What is said of one that another version planned: where its runs are.

    Signals:
        new_requested, continue_requested, stop_requested: A button was pressed.
        choice_changed: Another one is shown.
    """

    new_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    choice_changed = Signal()

    def __init__(self, word: str, *, foreign: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word, self._foreign = word, foreign
        self._plans: list[Facts] = []
        self._active = self._job_title = ""
        self._can_write = False
        self._remark = ""
        self.choice = RunChoice(word.capitalize(), self)
        self.go_on, self.stop = make_continue_button(self), make_stop_button(self)
        self.new = QPushButton(f"New {word}…", self)
        self.state = WrappedLabel("muted", self)
        line = QHBoxLayout()
        line.addWidget(self.choice, 1)
        for button in (self.go_on, self.stop, self.new):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(line)
        column.addWidget(self.state)
        self.choice.currentIndexChanged.connect(self._on_choice_current_index_changed)
        self.go_on.clicked.connect(self.continue_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.new.clicked.connect(self.new_requested)

    @property
    def chosen(self) -> Facts | None:
        """The plan that is shown."""
        name = self.choice.currentData()
        return next((each for each in self._plans if each.name == name), None)

    @property
    def names(self) -> frozenset[str]:
        """Names of all plans of the kind."""
        return frozenset(each.name for each in self._plans)

    @property
    def can_continue(self) -> bool:
        """Whether something of the plan that is shown is left to be done, and none is under way."""
        chosen = self.chosen
        is_left = chosen is not None and chosen.settings is not None and not chosen.is_complete
        return self._can_write and not self._active and is_left

    def show_plans(self, plans: Sequence[Facts], *, can_write: bool) -> None:
        """Offer these; the chosen one stays chosen, unless a newer one has begun. Tells nobody of the change."""
        self._plans = list(plans)
        self._can_write = can_write
        self.choice.show_runs([(each.line, each.name) for each in plans])

    def show_active(self, name: str, job_title: str) -> None:
        """Say which plan is under way, if any, and what it does."""
        self._active, self._job_title = name, job_title
        self.show_state(self._remark)

    def show_state(self, remark: str = "") -> None:
        """Say how far the chosen plan has come, and what else there is to say of it."""
        self._remark = remark
        chosen = self.chosen
        self.stop.setVisible(bool(self._active))
        self.go_on.setVisible(not self._active and chosen is not None and not chosen.is_complete)
        self.go_on.setEnabled(self.can_continue)
        self.new.setEnabled(self._can_write and not self._active)
        self.state.setText(self._state_words(chosen))

    def _state_words(self, chosen: Facts | None) -> str:
        if chosen is None:
            return ""
        table, time_left = chosen.table, chosen.time_left
        if table is None or time_left is None:
            return f"Another version of the program planned this {self._word}; {self._foreign}."
        parts = [f"{table.n_done} of {table.n_planned} jobs are done"]
        if self._remark:
            parts.append(self._remark)
        if not chosen.is_complete:
            parts.append(f"time left {time_left.words}")
        is_active = bool(self._active) and chosen.name == self._active
        title = self._job_title if is_active else ""
        now = f" Now: {title}." if title else " Beginning." if is_active else ""
        return f"{', '.join(parts)}.{now}"

    @Slot()
    def _on_choice_current_index_changed(self) -> None:
        self.choice_changed.emit()
