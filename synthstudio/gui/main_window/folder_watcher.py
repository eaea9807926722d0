"""Watches a folder while its project is open: new images are imported, and a model suggests what to mark on them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.client.watch_options import EVERY_S, WatchOptions, read_watch, write_watch
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.workspace import Workspace

if TYPE_CHECKING:
    from synthstudio.client.watching import Arrival, FolderWatch


class FolderWatcher(QObject):
    """Looks into the folder of the open project again and again, in a thread.

    Signals:
        changed: Another folder is watched, or none.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._watch: FolderWatch | None = None
        self._is_looking = False
        self._timer = QTimer(self, interval=round(EVERY_S * 1000))
        self._timer.timeout.connect(self.look)
        workspace.project_changed.connect(self._on_project_changed)

    @property
    def options(self) -> WatchOptions | None:
        """What is watched; None for nothing."""
        return self._watch.options if self._watch is not None else None

    def start(self, options: WatchOptions) -> None:
        """Watch a folder from now on, also when the project is opened again.

        Raises:
            UserError: There is no such folder, or the project is read-only.
        """
        project = self._workspace.require_writable_project()
        self._watch = _open(options)
        write_watch(project, options)
        self._timer.start()
        self.changed.emit()
        self.look()

    def stop(self) -> None:
        """Watch nothing any more."""
        self._drop()
        if self._workspace.is_writable:
            write_watch(self._workspace.require_project(), None)

    def _drop(self) -> None:
        self._timer.stop()
        self._watch = None
        self.changed.emit()

    @Slot()
    def _on_project_changed(self) -> None:
        self._drop()
        self._is_looking = False  # a look that was under way ended with its project, and tells nothing
        project = self._workspace.project
        options = read_watch(project) if project is not None and not project.is_read_only else None
        if options is None:
            return
        try:
            self._watch = _open(options)
        except UserError as error:
            action = NoticeAction("Watch it no more", self.stop)
            errors.post(Notice(error.message, error.hint, Severity.WARNING, action), parent=self._window)
            return
        self._timer.start()
        self.changed.emit()

    @Slot()
    def look(self) -> None:
        """Look now, unless a look is under way."""
        watch, project = self._watch, self._workspace.project
        if watch is None or project is None or self._is_looking:
            return
        self._is_looking = True

        def work(tick: Tick) -> Arrival:
            return watch.look(project, tick=tick)

        self._workspace.background.run(
            work, done=self._take, failed=partial(self._fail, watch), owner=self, reads_images=True
        )

    def _take(self, arrival: Arrival) -> None:
        self._is_looking = False
        if arrival.problems:
            first, more = arrival.problems[0], len(arrival.problems) - 1
            text = f"{first}{f', and {more} more' if more else ''}"
            notice = Notice("Not every file of the watched folder could be imported.", text, Severity.WARNING)
            errors.post(notice, parent=self._window)
        if arrival.changes is None:
            return
        self._workspace.announce(arrival.changes)
        count = "1 image has" if arrival.n_images == 1 else f"{arrival.n_images:,} images have"
        errors.post(Notice(f"{count} come.", severity=Severity.INFO), parent=self._window)
        if arrival.suggest is not None:
            try:
                self._workspace.submit(arrival.suggest, title=arrival.title)
            except UserError as error:
                errors.report(error, parent=self._window)

    def _fail(self, watch: FolderWatch, error: Exception) -> None:
        """A folder that is gone is watched no more until somebody says so; anything else is told once, too."""
        self._is_looking = False
        if watch is not self._watch:  # another folder is watched by now, or none
            return
        self._timer.stop()
        action = NoticeAction("Try again", self._try_again)
        notice = errors.notice_of(error)
        errors.post(Notice(notice.message, notice.hint, Severity.WARNING, action), parent=self._window)

    def _try_again(self) -> None:
        if self._watch is not None:
            self._timer.start()
            self.look()


def _open(options: WatchOptions) -> FolderWatch:
    from synthstudio.client.watching import FolderWatch  # noqa: PLC0415 - 0.4 s that a start without it need not wait for

    return FolderWatch(options)
