"""Short work off the GUI thread: queries, thumbnails, image decoding, imports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import Cancelled
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.threads import Threads

T = TypeVar("T")

PROGRESS_INTERVAL_MS = 50
N_THREADS = 4
DRAIN_S, DRAIN_IMAGES_S = 10.0, 2.0
"""How long the end waits for work that does not heed its cancel: a drive may never answer."""

logger = logging.getLogger(__name__)


class Task(QObject):
    """One piece of work under way. Lives in the GUI thread.

    Signals:
        progressed: (done, total), at most every `PROGRESS_INTERVAL_MS`.
        ended: It is over, however it ended; emitted just before the callback is run.
    """

    progressed = Signal(int, int)
    ended = Signal()

    def __init__(self, title: str, parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self.done = 0
        self.total = 0
        self.started_s = time.monotonic()
        self._cancelled = threading.Event()
        self._ticked = (0, 0)

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the work to stop at its next tick; its callbacks are not called any more."""
        self._cancelled.set()

    def tick(self, done: int, total: int) -> None:
        """What the work calls, from its thread. Raises Cancelled once a cancel was asked for."""
        if self._cancelled.is_set():
            raise Cancelled
        self._ticked = (done, total)  # told by `tell_progress`: no signal is emitted from a thread

    def tell_progress(self) -> None:
        """Pass on what was ticked since the last time; called in the GUI thread."""
        if (self.done, self.total) != self._ticked:
            self.done, self.total = self._ticked
            self.progressed.emit(self.done, self.total)


class Background(QObject):
    """The threads of a workspace: one set for image files of the user, one for all else.

    Signals:
        task_started: A `Task` that has a title; the job bar shows it.
        task_ended: The same, when it is over.
    """

    task_started = Signal(object)
    task_ended = Signal(object)
    _delivered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads, self._image_threads = Threads(N_THREADS), Threads(N_THREADS)
        self._tasks: set[Task] = set()
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS_INTERVAL_MS)
        self._timer.timeout.connect(self._on_timeout)
        self._delivered.connect(self._on_delivered, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[Tick], T],
        *,
        done: Callable[[T], object],
        failed: Callable[[Exception], None] | None = None,
        owner: QObject,
        title: str = "",
        priority: int = 0,
        reads_images: bool = False,
    ) -> Task:
        """Do `work(tick)` in a thread; then call `done` with what it gave, or `failed`, in the GUI thread.

        Args:
            owner: Nothing is called any more once it has been destroyed.
            title: Shows the work in the job bar, with progress and a cancel button.
            priority: Higher goes first; thumbnails use -2, so that they never stand before an opened image.
            reads_images: It reads image files and no database: a slow drive holds up nothing else then.
        """
        task = Task(title, self)
        if self._stopped:
            task.cancel()
            return task
        self._tasks.add(task)

        def finish(value: T | None, error: Exception | None) -> None:
            if task in self._tasks:  # not where it was left behind
                self._end(task)
            if task.is_cancelled or not shiboken6.isValid(owner):
                pass
            elif error is None:
                done(value)  # type: ignore[arg-type]  # T itself may be None; without an error there is a value
            elif failed is not None:
                failed(error)
            else:
                errors.report(error, parent=owner if isinstance(owner, QWidget) else None)

        def deliver(value: T | None, error: Exception | None) -> None:
            if shiboken6.isValid(self):
                self._delivered.emit(lambda: finish(value, error))

        def job() -> None:
            try:
                task.tick(0, 0)
                deliver(work(task.tick), None)
            except Exception as error:  # noqa: BLE001 - the thread's door: everything goes on to `failed` or the window
                deliver(None, error)

        (self._image_threads if reads_images else self._threads).start(job, priority)
        if not self._timer.isActive():
            self._timer.start()
        if title:
            self.task_started.emit(task)
        return task

    @property
    def titled_tasks(self) -> list[Task]:
        """The work under way that has a title."""
        return [task for task in self._tasks if task.title]

    @property
    def is_idle(self) -> bool:
        return not self._tasks

    def drain(self) -> None:
        """Cancel everything, call nothing back, and wait for the threads; one that hangs is left behind."""
        for task in list(self._tasks):
            task.cancel()
        for threads, patience_s in ((self._image_threads, DRAIN_IMAGES_S), (self._threads, DRAIN_S)):
            if not threads.wait(patience_s):
                logger.warning("Work that hangs was left behind, of %d tasks", len(self._tasks))
                threads.leave_behind()
                for task in list(self._tasks):
                    self._end(task)

    def stop(self) -> None:
        """Drain, and take no more work."""
        self._stopped = True
        self.drain()

    def _end(self, task: Task) -> None:
        self._tasks.discard(task)
        if task.title:
            self.task_ended.emit(task)
        task.ended.emit()
        task.deleteLater()

    @Slot()
    def _on_timeout(self) -> None:
        if not self._tasks:
            self._timer.stop()
        self._threads.tend()
        self._image_threads.tend()
        for task in list(self._tasks):
            if not task.is_cancelled:
                task.tell_progress()

    @Slot(object)
    def _on_delivered(self, finish: Callable[[], None]) -> None:
        finish()
