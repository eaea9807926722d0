"""The choice of one training of a kind, for all that works with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget
from typing_extensions import override

from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.pages.generate.trainings.facts import SettingsT, TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

REREAD_MS = 300
"""A running job tells several things at once; its records are read once for all of them."""


class AnyRunBar(QWidget):
    """The part of it that is the same for all kinds; signals cannot be declared in a generic class.

    Signals:
        facts_shown: (`TrainingFacts` or None) The chosen training was read anew, or another one was chosen.
        run_given: (`Run` or None) Another training that can make images is chosen.
    """

    facts_shown = Signal(object)
    run_given = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.given: Run | None = None
        """The chosen training, where it can make images."""

    @property
    def chosen(self) -> object | None:
        """What is known of the chosen training."""
        raise NotImplementedError(type(self))

    def await_run(self, run_id: RunId) -> None:
        """Choose a run as soon as it is among the project's."""
        raise NotImplementedError(type(self))


class RunBar(AnyRunBar, Generic[SettingsT]):
    """Names the trainings, newest first, and tells which one is chosen; reads them where it is seen.

    Args:
        workspace: Whose project's trainings.
        read: Reads them; not on the GUI thread.
        parent: Where it stands.
        name: What is chosen.
        nothing: What stands there while there is none.
    """

    def __init__(
        self,
        workspace: Workspace,
        read: Callable[[Project], Sequence[TrainingFacts[SettingsT]]],
        parent: QWidget | None = None,
        *,
        name: str,
        nothing: str,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._read, self._nothing = workspace, read, nothing
        self._trainings: Sequence[TrainingFacts[SettingsT]] = ()
        self._awaited: RunId | None = None  # to be chosen as soon as it is among the runs
        self._is_stale = True
        self._n_asked = self._n_shown = 0
        self.choice = RunChoice(name, self, follows_newest=False)
        label = QLabel(name, self)
        label.setBuddy(self.choice)
        bar = QHBoxLayout(self)
        bar.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, 0)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(label)
        bar.addWidget(self.choice, 1)
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(REREAD_MS)
        self._reread.timeout.connect(self.refresh)
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        workspace.gpu_worker.job_started.connect(self._on_worker_job_started)
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self._show([])

    @property
    @override
    def chosen(self) -> TrainingFacts[SettingsT] | None:
        """The training that is chosen."""
        run_id = self.choice.currentData()
        return next((each for each in self._trainings if each.run.id == run_id), None)

    @Slot(object)
    @override
    def await_run(self, run_id: RunId) -> None:
        self._awaited = run_id
        self.refresh()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the trainings anew, off the GUI thread, where the bar is seen."""
        self._is_stale = not self.isVisible()
        project = self._workspace.project
        if self._is_stale:
            return
        if project is None:
            self._show([])
            return

        self._n_asked += 1
        number = self._n_asked

        def read(_tick: Tick) -> Sequence[TrainingFacts[SettingsT]]:
            return self._read(project)

        def done(trainings: Sequence[TrainingFacts[SettingsT]]) -> None:
            if number > self._n_shown:  # a slow one may come after one that was asked for later
                self._n_shown = number
                self._show(trainings)

        self._workspace.background.run(read, done=done, owner=self)

    def _show(self, trainings: Sequence[TrainingFacts[SettingsT]]) -> None:
        self._trainings = trainings
        self.choice.show_runs([(each.line, each.run.id) for each in trainings])
        self.choice.setEnabled(bool(trainings))
        self.choice.setPlaceholderText(self._nothing)
        place = self.choice.findData(self._awaited) if self._awaited is not None else -1
        if place >= 0:
            self._awaited = None
            self.choice.blockSignals(True)
            self.choice.setCurrentIndex(place)
            self.choice.blockSignals(False)
        self._show_chosen()

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        self.choice.setToolTip(chosen.line if chosen is not None else self._nothing)
        self.facts_shown.emit(chosen)
        usable = chosen.run if chosen is not None and chosen.is_usable else None
        if usable != self.given:
            self.given = usable
            self.run_given.emit(usable)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._awaited = None
        self._show([])
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "runs" in changed.kinds:
            self._reread.start()

    @Slot(str)
    def _on_worker_job_started(self, _run_id: str) -> None:
        self._reread.start()  # what waited runs now
