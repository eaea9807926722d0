"""Reference cycles are collected in the GUI thread alone.

Python collects in whichever thread happens to allocate. A widget in a cycle would then be destroyed by a thread that
does background work, perhaps while Qt is painting or laying it out, and the program would die without a word.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 250
OLDEST = 2
"""The generation of what has survived; looking through it takes longest."""
FULL_SHARE = 0.002
"""Share of the time that full collections may take: after one of 50 ms there is none for 25 s."""


class GarbageCollector(QObject):
    """Takes the place of Python's own collector for as long as it lives, in the event loop of its thread.

    Args:
        parent: The application.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._next_full_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect_due)
        self._timer.start()

    def collect_due(self) -> int | None:
        """Collect the oldest generation that is due by Python's own thresholds.

        Returns:
            The generation collected, 0 to 2; None where nothing was due.
        """
        due = [at for at, (n, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if n > most]
        if due and due[-1] == OLDEST and time.monotonic() < self._next_full_s:
            due = [at for at in due if at != OLDEST]
        if not due:
            return None
        began_s = time.monotonic()
        gc.collect(due[-1])
        if due[-1] == OLDEST:
            now_s = time.monotonic()
            self._next_full_s = now_s + (now_s - began_s) / FULL_SHARE
        return due[-1]

    def stop(self) -> None:
        """Give the work back to Python's own collector."""
        self._timer.stop()
        gc.enable()
