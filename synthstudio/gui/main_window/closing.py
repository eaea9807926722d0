"""Closing the window while jobs are not finished."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.workspace import Workspace


class Closing(QObject):
    """Asks what becomes of the jobs, and closes the window once none runs any more."""

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._worker, self._window = workspace.gpu_worker, window
        self._is_wanted = False
        self._worker.idle.connect(self._on_worker_idle)

    def may_close(self) -> bool:
        """Whether the window may close now; otherwise the user is asked, and it closes by itself later."""
        if self._worker.is_idle or self._is_wanted:
            return True
        errors.ask.choose(
            self._window,
            title="Jobs are not finished",
            text="What waits is kept and goes on when the project is opened again. So does what runs: a training"
            " from its last checkpoint, other jobs from their beginning.",
            choices=["Cancel them and close", "Keep them and close"],
            answered=lambda choice: self._stop_and_close(keeps_jobs=choice == 1),
        )
        return False

    def _stop_and_close(self, *, keeps_jobs: bool) -> None:
        self._is_wanted = True
        if self._worker.is_idle:
            self._window.close()
            return
        errors.post(Notice("Stopping the job, then closing.", severity=Severity.INFO), parent=self._window)
        if keeps_jobs:
            self._worker.keep_for_later()
        else:
            self._worker.cancel_all()

    @Slot()
    def _on_worker_idle(self) -> None:
        if self._is_wanted:
            self._window.close()
