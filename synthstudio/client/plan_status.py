"""How a plan of many jobs stands: the words of every command that carries one out or shows its table."""

from __future__ import annotations

from enum import StrEnum


class PlanStatus(StrEnum):
    """How far a plan has come, or how the command that carried it out ended."""

    FINISHED = "finished"
    """Nothing is left."""
    FAILED = "failed"
    """A job has failed; the same command tries it again, and does the rest."""
    CANCELLED = "cancelled"
    """It was stopped; the same command goes on."""
    UNFINISHED = "unfinished"
    """Jobs are left, none has failed, and nobody has stopped it."""


def status_of(*, n_done: int, n_planned: int, has_failed: bool, was_cancelled: bool = False) -> PlanStatus:
    """How a plan stands by its runs.

    Args:
        was_cancelled: Its last job was stopped, so that what is left waits for somebody, whatever failed before.
    """
    if n_done >= n_planned:
        return PlanStatus.FINISHED
    if was_cancelled:
        return PlanStatus.CANCELLED
    return PlanStatus.FAILED if has_failed else PlanStatus.UNFINISHED
