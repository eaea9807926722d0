"""Progress and cancelling are one mechanism: the tick."""

from collections.abc import Callable

Tick = Callable[[int, int], None]
"""Called as `tick(done, total)`; reports progress and raises `Cancelled` once a cancel was asked for."""


def no_tick(done: int, total: int) -> None:
    """Report to nobody and never cancel."""
