"""Asking a run to stop, from the host's side."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Graces:
    """How long each rung of the cancel ladder waits for the engine, in seconds.

    Attributes:
        polite_s: After the cancel command, before the engine is terminated.
        terminate_s: After the termination, before it is killed.
        exit_s: After its final event, before what is left of it is killed.
    """

    polite_s: float = 10.0
    terminate_s: float = 3.0
    exit_s: float = 10.0


DEFAULT_GRACES = Graces()


class HostCancel:
    """Set by the user's side, from any thread; the run that holds it stops."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._now = threading.Event()

    def request(self) -> None:
        """Ask the run to stop between two steps."""
        self._asked.set()

    def request_now(self) -> None:
        """Ask the run to stop without waiting for it to be polite."""
        self._now.set()
        self._asked.set()

    @property
    def is_requested(self) -> bool:
        return self._asked.is_set()

    @property
    def is_urgent(self) -> bool:
        return self._now.is_set()
