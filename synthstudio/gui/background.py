"""Short work off the GUI thread, on a thread pool: queries, thumbnails, image decoding, imports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.errors import Cancelled
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors

T = TypeVar("T")

PROGRESS_INTERVAL_MS = 50
N_THREADS = 4

logger = logging.getLogger(__name__)


class Task(QObject):
    """One piece of work under way. Lives in the GUI thread.

    Signals:
        progressed: (done, total), at most every `PROGRESS_INTERVAL_MS`.
        ended: It is over, however it ended; emitted after the callback has run.
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


class _Work(QRunnable, Generic[T]):
    """Runs in the pool; hands its end over as a closure, which the GUI thread calls."""

    def __init__(self, task: Task, work: Callable[[Tick], T], deliver: Callable[[T | None, Exception | None], None]):
        super().__init__()
        self._task = task
        self._work = work
        self._deliver = deliver

    @override
    def run(self) -> None:
        try:
            self._task.tick(0, 0)
            self._deliver(self._work(self._task.tick), None)
        except Exception as error:  # noqa: BLE001 - the thread's door: everything goes on to `failed` or the window
            self._deliver(None, error)


class Background(QObject):
    """The thread pool of a workspace.

    Signals:
        task_started: A `Task` that has a title; the job bar shows it.
        task_ended: The same, when it is over.
    """

    task_started = Signal(object)
    task_ended = Signal(object)
    _delivered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(N_THREADS)
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
    ) -> Task:
        """Do `work(tick)` in a thread; then call `done` with what it gave, or `failed`, in the GUI thread.

        Args:
            owner: Nothing is called any more once it has been destroyed.
            title: Shows the work in the job bar, with progress and a cancel button.
            priority: Higher goes first; thumbnails use -1, so that they never stand before an opened image.
        """
        task = Task(title, self)
        if self._stopped:
            task.cancel()
            return task
        self._tasks.add(task)

        def finish(value: T | None, error: Exception | None) -> None:
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

        self._pool.start(_Work(task, work, deliver), priority)
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
        """Cancel everything, call nothing back, and wait for the threads."""
        for task in list(self._tasks):
            task.cancel()
        self._pool.waitForDone()

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
        for task in list(self._tasks):
            if not task.is_cancelled:
                task.tell_progress()

    @Slot(object)
    def _on_delivered(self, finish: Callable[[], None]) -> None:
        finish()
