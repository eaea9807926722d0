"""A panel that shows what it has read of the project: off the GUI thread, and only while it is seen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

REREAD_MS = 300
"""Several changes that come at once are read together."""
UNREADABLE = (
    "This could not be read.",
    "The message in the window says why. It is read again when you come back here.",
)
"""Title and text of a panel that `has_failed`."""

Wish = TypeVar("Wish")
Facts = TypeVar("Facts")


class AnyReadingPanel(QWidget):
    """The part of it that is the same for all; signals cannot be declared in a generic class.

    Signals:
        actions_outdated: Other actions may be possible now.
    """

    actions_outdated = Signal()


class ReadingPanel(AnyReadingPanel, Generic[Wish, Facts]):
    """Reads when it is shown, when the project changes, and when records change that it follows.

    A derived class says what it wants to know (`_wish`, asked on the GUI thread), how that is read (`_find`, not on the
    GUI thread), and shows it (`_adopt`). What was read for another project or another wish is not shown, and nothing
    where it cannot be read.
    """

    def __init__(
        self,
        workspace: Workspace,
        parent: QWidget | None = None,
        *,
        follows: Collection[str],
        follows_jobs: bool = False,
    ) -> None:
        """`follows` are kinds of records; `follows_jobs`: also when a job that has waited begins."""
        super().__init__(parent)
        self._workspace = workspace
        self._follows = frozenset(follows)
        self._is_stale = True
        self._has_failed = False
        self._n_asked = self._n_shown = 0
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(REREAD_MS)
        self._reread.timeout.connect(self.refresh)
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        if follows_jobs:
            workspace.gpu_worker.job_started.connect(self._on_worker_job_started)

    # What a derived class says

    def _wish(self) -> Wish:
        """What is wanted, such as what is chosen in its lists."""
        raise NotImplementedError(type(self))

    def _find(self, project: Project, wish: Wish, tick: Tick) -> Facts:
        """Read it; not on the GUI thread."""
        raise NotImplementedError(type(self))

    def _adopt(self, facts: Facts | None) -> None:
        """Show it; None where there is no project, or where it could not be read (`has_failed`)."""
        raise NotImplementedError(type(self))

    def _offer(self, project: Project | None) -> None:
        """Fill lists that decide what is read, before it is read."""

    def _forget(self) -> None:
        """Drop what belongs to the project that was open."""

    # Reading

    @property
    def has_failed(self) -> bool:
        """Whether what is wanted now could not be read; why was told."""
        return self._has_failed

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read everything anew; a panel that is not seen does so when it is shown."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        try:
            self._offer(self._workspace.project)
        except Exception as error:  # noqa: BLE001 - told as those of the reading that would follow
            errors.report(error, parent=self)
            self._n_asked += 1  # what was asked for before it comes too late
            self._settle(self._n_asked, None, has_failed=True)
            return
        self._read()

    @Slot()
    def _read(self) -> None:
        """Read what is wanted now."""
        self._has_failed = False
        project = self._workspace.project
        if project is None:
            self._adopt(None)
            return
        wish = self._wish()
        self._n_asked += 1
        number = self._n_asked

        def find(tick: Tick) -> Facts:
            return self._find(project, wish, tick)

        def show(facts: Facts | None, *, has_failed: bool) -> None:
            is_newest = number > self._n_shown  # a slow one may come after one that was asked for later
            if is_newest and self._workspace.project is project and self._wish() == wish:
                self._settle(number, facts, has_failed=has_failed)

        def failed(error: Exception) -> None:
            errors.report(error, parent=self)
            show(None, has_failed=True)

        self._workspace.background.run(
            find, done=lambda facts: show(facts, has_failed=False), failed=failed, owner=self
        )

    def _settle(self, number: int, facts: Facts | None, *, has_failed: bool) -> None:
        self._n_shown, self._has_failed = number, has_failed
        self._is_stale |= has_failed
        self._adopt(facts)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._has_failed = False
        self._forget()
        self._adopt(None)
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if not self._follows.isdisjoint(changed.kinds):
            self._reread.start()

    @Slot(str)
    def _on_worker_job_started(self, _run_id: str) -> None:
        self._reread.start()  # what waited runs now
