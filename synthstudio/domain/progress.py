"""Progress and cancelling are one mechanism: the tick."""

from collections.abc import Callable

Tick = Callable[[int, int], None]
"""Called as `tick(done, total)`; reports progress and raises `Cancelled` once a cancel was asked for."""


STEPS = 1000  # into which a progress of several parts is divided


def no_tick(done: int, total: int) -> None:
    """Report to nobody and never cancel."""


def part_of(tick: Tick, begin: float, end: float) -> Tick:
    """Return a tick for one of several steps that share a progress: from `begin` to `end`, each 0 to 1."""

    def report(done: int, total: int) -> None:
        share = begin + (end - begin) * done / max(1, total)
        tick(round(STEPS * share), STEPS)

    return report
