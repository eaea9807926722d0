"""How long an expert has worked, from the moments at which something was stored.

Every mark is committed when it is made, so that the commits are a record of the work. Time between two of them counts
where it is short; a longer pause is no work, but for the look that comes before the first mark after it, which counts
as the usual time of one. What leaves no moment behind, a mark that is moved or taken away again, counts with the time
until the next one that does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

IDLE_S = 120.0
"""A longer time without a commit was no work."""
SAME_ACTION_S = 0.1
"""Commits that are closer were one action: nobody clicks ten times a second, but many can be accepted at once."""
FIRST_LOOK_S = 5.0
"""What the first mark of somebody counts who has made too few to tell the usual time."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds of work, and actions: marks placed and suggestions judged, many at once being one."""

    seconds: float
    n_actions: int


def expert_effort(moments: Mapping[str, Sequence[str]]) -> Effort:
    """Add up the work of all experts.

    Args:
        moments: Author -> when something of theirs was stored, ISO 8601 in UTC, in any order.
    """
    parts = [_effort_of_one(_seconds(each)) for each in moments.values() if each]
    return Effort(sum(part.seconds for part in parts), sum(part.n_actions for part in parts))


def _seconds(moments: Sequence[str]) -> NDArray[np.float64]:
    """Seconds since the epoch, `(N,)`, rising."""
    return np.sort(np.array([datetime.fromisoformat(moment).timestamp() for moment in moments], np.float64))


def _effort_of_one(at: NDArray[np.float64]) -> Effort:
    gaps = np.diff(at)
    is_work = gaps <= IDLE_S
    is_action = gaps > SAME_ACTION_S
    between = gaps[is_work & is_action]
    usual = float(np.median(between)) if len(between) else FIRST_LOOK_S
    n_beginnings = 1 + int((~is_work).sum())
    return Effort(float(gaps[is_work].sum()) + n_beginnings * usual, 1 + int(is_action.sum()))
