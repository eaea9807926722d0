"""Says when the database of a project that is open read-only was put back to a snapshot elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.workspace import Workspace

INTERVAL_MS = 5000


class ReplacementWatch(QObject):
    """Looks now and then. The window goes on showing the state before, whole, until it is opened again.

    Args:
        reopen: Opens the project again.
        window: Where it is told, once for each opening of a project.
    """

    def __init__(self, workspace: Workspace, window: QWidget, *, reopen: Callable[[], None]) -> None:
        super().__init__(window)
        self._workspace, self._window, self._reopen = workspace, window, reopen
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.look)
        workspace.project_changed.connect(self._on_project_changed)
        self._on_project_changed()

    @Slot()
    def _on_project_changed(self) -> None:
        project = self._workspace.project
        if project is not None and project.is_read_only:  # who writes holds the lock: nobody puts back anything then
            self._timer.start()
        else:
            self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Look, soon."""
        project = self._workspace.project
        if project is None:
            return

        def tell(was_replaced: bool) -> None:
            if was_replaced and self._timer.isActive():
                self._timer.stop()
                notice = Notice(
                    f"{project.name} was put back to a snapshot by another window or command.",
                    "This window still shows the state before: open the project again.",
                    Severity.WARNING,
                    NoticeAction("Open again", self._reopen),
                )
                errors.post(notice, parent=self._window)

        self._workspace.background.run(
            lambda _: project.database.was_replaced(), done=tell, owner=self, priority=-1, reads_images=True
        )
