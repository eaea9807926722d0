"""What more annotations bring: the learning curve of the rounds, and when it has become flat.

Over the range that one project covers, errors fall by about the same factor with each doubling of what was learned from
(the power-law region of Hestness et al. 2017), so that a score rises about as the logarithm. A straight line over that
through the last rounds is as much as three points can carry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Interval = tuple[float, float]

N_LAST = 3
"""Rounds that the outlook is taken from; fewer say nothing."""
NEXT_SHARE = 0.25
"""The outlook is for so many more annotations."""
LEAST_GAIN = 0.005
"""A score that rises by less for them does not pay for the clicks."""
LEAST_GROWTH = 1.1
"""The annotations behind the outlook must have grown by this factor at least, else chance decides."""


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """One round: what it learned from, what that had cost, and what it scored on the locked test images."""

    n_annotations: int
    n_actions: int
    expert_s: float
    score: float
    ci95: Interval | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a quarter more annotations would bring, by the last rounds.

    Attributes:
        per_doubling: Rise of the score with each doubling of the annotations.
        n_more: Annotations that a quarter more is.
        more_s: What they would cost at the pace so far; None where no time was measured.
        gain: By how much the score would rise.
        pays: Whether that is worth while: at least `LEAST_GAIN`.
    """

    per_doubling: float
    n_more: int
    more_s: float | None
    gain: float

    @property
    def pays(self) -> bool:
        return self.gain >= LEAST_GAIN


def look_ahead(points: Sequence[LearningPoint]) -> Outlook | None:
    """Tell what more annotations would bring; None where too little is known.

    Args:
        points: The rounds in their order, all scored on the same test images.
    """
    last = [point for point in points if point.n_annotations > 0][-N_LAST:]
    if len(last) < N_LAST:
        return None
    numbers = np.array([point.n_annotations for point in last], np.float64)
    if numbers.max() < LEAST_GROWTH * numbers.min():
        return None
    doublings = np.log2(numbers)
    scores = np.array([point.score for point in last], np.float64)
    centred = doublings - doublings.mean()
    slope = float((centred * (scores - scores.mean())).sum() / (centred**2).sum())
    newest = last[-1]
    n_more = max(1, round(NEXT_SHARE * newest.n_annotations))
    return Outlook(
        per_doubling=slope,
        n_more=n_more,
        more_s=_cost_s(last, n_more),
        gain=slope * math.log2(1 + n_more / newest.n_annotations),
    )


def _cost_s(last: Sequence[LearningPoint], n_more: int) -> float | None:
    """Seconds for so many annotations at the pace of the last rounds, or of all where these were not timed."""
    first, newest = last[0], last[-1]
    n_new, seconds = newest.n_annotations - first.n_annotations, newest.expert_s - first.expert_s
    if n_new > 0 and seconds > 0:
        return n_more * seconds / n_new
    return n_more * newest.expert_s / newest.n_annotations if newest.expert_s > 0 else None
