"""Threads that a dead drive cannot take hostage: what hangs is worked around, and left behind at the end.

Not QThreadPool: its destructor waits for every thread, so that one read of a network drive that has vanished would
keep the window from closing, and four of them everything else from being done.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable

HANGS_AFTER_S = 8.0
"""A job that takes longer no longer counts against the limit: another thread takes its place."""
MAX_HANGING = 16
"""Threads that are worked around; a drive that swallows more is left alone with them."""

IDLE_S = 10.0
"""A thread that has nothing to do ends after this."""

Job = Callable[[], object]


class Threads:
    """Runs jobs in threads that end with the program at the latest, those of higher priority first.

    Args:
        limit: Jobs at a time.
        hangs_after_s: Passed in by tests.
    """

    def __init__(self, limit: int, *, hangs_after_s: float = HANGS_AFTER_S) -> None:
        self._limit, self._hangs_after_s = limit, hangs_after_s
        self._state = threading.Condition()
        self._queue: list[tuple[int, int, Job]] = []
        self._numbers = itertools.count()
        self._busy_since: dict[int, float] = {}
        self._begun: dict[int, Job] = {}
        self._n_idle = 0
        self._wake: queue.SimpleQueue[int] = queue.SimpleQueue()

    def start(self, job: Job, priority: int = 0) -> None:
        """Do a job as soon as a thread is free; it must not raise. Those of priority 0 and less leave threads free."""
        with self._state:
            heapq.heappush(self._queue, (-priority, next(self._numbers), job))
            self._fill()

    def tend(self) -> None:
        """Put other threads in the place of those that hang; called now and then while there is work."""
        with self._state:
            self._fill()

    def wait(self, timeout_s: float) -> bool:
        """Wait until all is done, or the time is over; tells whether all is done."""
        deadline_s = time.monotonic() + timeout_s
        with self._state:
            while self._queue or self._busy_since:
                self._fill()
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._state.wait(min(left_s, 0.1))
        return True

    def leave_behind(self) -> None:
        """Forget what is queued or under way; a thread that comes back finds nothing of its own any more."""
        with self._state:
            self._queue.clear()
            self._busy_since.clear()

    def _fill(self) -> None:
        while self._may_begin():
            number = next(self._numbers)
            self._begin(number)
            if self._n_idle:
                self._n_idle -= 1
                self._wake.put(number)
            else:
                # Not threading.Thread: its start waits until the thread runs, which may be 5 ms of the GUI's time.
                _thread.start_new_thread(self._live, (number,))

    def _may_begin(self) -> bool:
        """Whether the first job of the queue may be begun now: what is urgent finds a thread free."""
        if not self._queue:
            return False
        priority = -self._queue[0][0]
        n_spared = 0 if priority > 0 else 1 if priority == 0 else 2
        return len(self._busy_since) < max(self._limit - n_spared, 1) + self._n_hanging()

    def _begin(self, number: int) -> None:
        self._busy_since[number] = time.monotonic()
        self._begun[number] = heapq.heappop(self._queue)[2]

    def _n_hanging(self) -> int:
        now_s = time.monotonic()
        n = sum(now_s - since_s > self._hangs_after_s for since_s in self._busy_since.values())
        return min(n, MAX_HANGING)

    def _live(self, number: int) -> None:
        """Do jobs, and wait a while for further ones; the life of a thread."""
        next_number: int | None = number
        while next_number is not None:
            while self._do(next_number):
                pass
            next_number = self._wait_for_number()

    def _do(self, number: int) -> bool:
        """Do the job of this number and take another; tells whether there is one."""
        # The job is let go of before it counts as done: who waits for it may destroy the widgets that it speaks of,
        # and must have the last hold of them.
        self._begun.pop(number)()
        with self._state:
            self._busy_since.pop(number, None)  # it may have been left behind
            if self._may_begin():
                self._begin(number)
                return True
            self._n_idle += 1
            self._state.notify_all()
            return False

    def _wait_for_number(self) -> int | None:
        """Number of the next job; None where none has come for a while, and the thread ends."""
        try:
            return self._wake.get(timeout=IDLE_S)
        except queue.Empty:
            with self._state:
                try:
                    return self._wake.get_nowait()  # it came at the last moment
                except queue.Empty:
                    self._n_idle -= 1
                    return None
