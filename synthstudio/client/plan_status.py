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
    """The command was stopped; the same one goes on."""
    UNFINISHED = "unfinished"
    """Jobs are left, and none has failed."""


def status_of(*, n_done: int, n_planned: int, has_failed: bool) -> PlanStatus:
    """How a plan stands by its runs."""
    if n_done >= n_planned:
        return PlanStatus.FINISHED
    return PlanStatus.FAILED if has_failed else PlanStatus.UNFINISHED
