"""Keeps a snapshot of the open project every now and then, and says when none can be kept."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.workspace import Workspace

INTERVAL_MS = 30 * 60 * 1000
REASON = "while working"


class SnapshotKeeper(QObject):
    """Takes them in the background; where nothing has changed, none is taken.

    Args:
        window: Where a problem is told, once for each opening of a project.
        interval_ms: How long one works between two.
    """

    def __init__(self, workspace: Workspace, window: QWidget, *, interval_ms: int = INTERVAL_MS) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._is_told = False
        self._timer = QTimer(self)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self.take)
        workspace.project_changed.connect(self._on_project_changed)
        workspace.records_changed.connect(self._await)  # those before edits are begun by the edits
        self._on_project_changed()

    @Slot()
    def take(self) -> None:
        """Keep the present state, soon."""
        project = self._workspace.project
        if project is not None and not project.is_read_only:
            self._workspace.background.run(
                lambda _: project.snapshots.take(REASON), done=self._tell_problem, owner=self, priority=-1
            )

    @Slot()
    def _on_project_changed(self) -> None:
        self._is_told = False
        if self._workspace.is_writable:
            self._timer.start()
        else:
            self._timer.stop()
        self._tell_problem()

    @Slot()
    def _await(self) -> None:
        """Tell a problem, once it is known whether there is one."""
        project = self._workspace.project
        if project is None or project.snapshots.is_idle:
            self._tell_problem()
        elif not self._is_told:
            wait = project.snapshots.wait
            self._workspace.background.run(lambda _: wait(), done=self._tell_problem, owner=self, priority=-1)

    @Slot(object)
    def _tell_problem(self, _: object = None) -> None:
        project = self._workspace.project
        problem = project.snapshots.problem if project is not None else None
        if problem is not None and not self._is_told:
            self._is_told = True
            errors.post(Notice(problem.message, problem.hint, Severity.WARNING), parent=self._window)
