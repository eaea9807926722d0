"""Tells where one turn of the wheel ends and the next begins, so that each is one step of undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from synthstudio.gui.pages.annotate.edits import FIRST_GESTURE_ID

GESTURE_MS = 600
"""A hand that rests longer has ended its gesture."""


class Gesture:
    """Numbers gestures: the same number as long as the same thing is turned at without a rest.

    Args:
        clock: Gives seconds; passed in by tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._number = FIRST_GESTURE_ID
        self._what: Hashable = None
        self._last_s = 0.0

    def number_of(self, what: Hashable) -> int:
        """Return the number of the gesture that this step belongs to."""
        now_s = self._clock()
        if what != self._what or now_s - self._last_s > GESTURE_MS / 1000:
            self._number += 1
        self._what, self._last_s = what, now_s
        return self._number
