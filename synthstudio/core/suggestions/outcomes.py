"""How good suggestions were, against what the expert left; and whether seeing them has swayed the expert.

An expert who sees suggestions tends to agree with them (anchoring), so that they look better than they are. On the
share of the FOVs that the guard sets aside they were not seen; the difference between the two is what seeing them did,
and the figures without them are the honest ones. Intervals resample samples, as all others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.comparison import Difference, difference_of
from synthstudio.core.evaluation.presence import Interval
from synthstudio.core.evaluation.resampling import GroupDraws, draw_groups
from synthstudio.core.stats import MIN_RELIABLE_GROUPS, FloatArray, divide, percentile_interval
from synthstudio.domain.ids import FovId, SampleId

RIGHT, SUGGESTED, LEFT = range(3)


@dataclass(frozen=True, slots=True)
class FovOutcome:
    """One FOV that was annotated exhaustively after a model had searched it.

    Attributes:
        was_seen: Whether the suggestions were shown while it was annotated; the guard hides them else.
        is_random: Whether it was picked by lot, not by rank.
        n_right: Suggestions above the threshold at a place, and of a class, where the expert has left an annotation.
        n_suggested: Suggestions above the threshold.
        n_left: Annotations that the expert has left.
    """

    fov_id: FovId
    sample_id: SampleId
    was_seen: bool
    is_random: bool
    n_right: int
    n_suggested: int
    n_left: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure with its interval; None where it is undefined."""

    value: float | None
    ci95: Interval | None


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """What was made of the suggestions on some FOVs.

    Attributes:
        n_groups: Samples that they come from.
        precision: Share of the suggestions that the expert has left as they were, or marked anew at the same place.
        recall: Share of what the expert has left that was suggested.
        suggested, left: Number for each FOV.
    """

    n_fovs: int
    n_groups: int
    precision: Rate
    recall: Rate
    suggested: Rate
    left: Rate

    @property
    def is_reliable(self) -> bool:
        """Whether there are enough samples for the intervals to be trusted."""
        return self.n_groups >= MIN_RELIABLE_GROUPS


@dataclass(frozen=True, slots=True)
class SuggestionScores:
    """How good suggestions were, and what seeing them did.

    Attributes:
        seen: Where they were shown.
        by_lot: The same, on those of them alone that were picked by lot: an estimate for all FOVs.
        unseen: Where the guard hid them.
        precision, recall, left: Without seeing them, with, and the difference.
    """

    seen: OutcomeFigures
    by_lot: OutcomeFigures
    unseen: OutcomeFigures
    precision: Difference
    recall: Difference
    left: Difference

    @property
    def honest(self) -> OutcomeFigures:
        """Where suggestions were not seen; where nothing was annotated so yet, where they were."""
        return self.unseen if self.unseen.n_fovs else self.seen

    @property
    def words(self) -> str:
        """What the difference says, in a sentence."""
        return _tell_anchoring(self)


def score_outcomes(outcomes: Sequence[FovOutcome], *, seed: int = 0) -> SuggestionScores:
    """Score suggestions on FOVs that were annotated after them.

    Args:
        outcomes: Of one model.
        seed: Of the bootstrap.
    """
    counts = np.array([(each.n_right, each.n_suggested, each.n_left) for each in outcomes], np.float64).reshape(-1, 3)
    samples = np.array([each.sample_id for each in outcomes], np.int64)
    seen = np.array([each.was_seen for each in outcomes], bool)
    by_lot = np.array([each.is_random for each in outcomes], bool)
    draws = draw_groups(samples, seed=seed)
    table = np.column_stack([counts, np.ones(len(counts))])
    tables = {True: _Side(table, seen, samples, draws), False: _Side(table, ~seen, samples, draws)}
    without, with_ = tables[False], tables[True]
    return SuggestionScores(
        seen=with_.figures(),
        by_lot=_Side(table, seen & by_lot, samples, draws).figures(),
        unseen=without.figures(),
        precision=without.compared(with_, RIGHT, SUGGESTED),
        recall=without.compared(with_, RIGHT, LEFT),
        left=without.compared(with_, LEFT, _FOVS),
    )


_FOVS = 3  # column of ones


class _Side:
    """Rows of FOVs that are scored together, in all draws.

    Args:
        table: `(N, 4)` counts of each FOV, and a one.
        chosen: `(N,)` which FOVs.
        samples: `(N,)`.
        draws: Of all of them, so that two sides are drawn alike.
    """

    def __init__(
        self, table: FloatArray, chosen: NDArray[np.bool_], samples: NDArray[np.int64], draws: GroupDraws
    ) -> None:
        rows = table * chosen[:, None]
        self.total = rows.sum(axis=0)
        self.drawn = draws.sum(rows) if len(rows) else np.zeros((0, 4))
        self.n_groups = len(np.unique(samples[chosen]))

    def rate(self, of: int, among: int) -> Rate:
        value, drawn = self.values(of, among)
        return Rate(float(value) if np.isfinite(value) else None, percentile_interval(drawn))

    def values(self, of: int, among: int) -> tuple[float, FloatArray]:
        """A ratio over all rows, and in each draw `(B,)`; NaN where undefined."""
        whole = divide(self.total[of : of + 1], self.total[among : among + 1])
        drawn = divide(self.drawn[:, of], self.drawn[:, among])
        # One sample is the same in every draw: its interval would have no width, and promise too much.
        return float(whole[0]), drawn if self.n_groups > 1 else np.full_like(drawn, np.nan)

    def figures(self) -> OutcomeFigures:
        return OutcomeFigures(
            n_fovs=int(self.total[_FOVS]),
            n_groups=self.n_groups,
            precision=self.rate(RIGHT, SUGGESTED),
            recall=self.rate(RIGHT, LEFT),
            suggested=self.rate(SUGGESTED, _FOVS),
            left=self.rate(LEFT, _FOVS),
        )

    def compared(self, other: _Side, of: int, among: int) -> Difference:
        """This side first, the other second."""
        (first, first_drawn), (second, second_drawn) = self.values(of, among), other.values(of, among)
        return difference_of([first, second], [first_drawn, second_drawn])


def _tell_anchoring(scores: SuggestionScores) -> str:
    n_seen, n_unseen = scores.seen.n_fovs, scores.unseen.n_fovs
    if not n_unseen:
        return "No field has been annotated without suggestions yet: whether they sway the expert is not known."
    if not n_seen:
        return "No field has been annotated with suggestions yet."
    change, interval = scores.precision.difference, scores.precision.ci95
    if change is None or interval is None:
        return f"Too little to compare: {n_seen} fields with suggestions, {n_unseen} without."
    reliable = min(scores.seen.n_groups, scores.unseen.n_groups) >= MIN_RELIABLE_GROUPS
    doubt = "" if reliable else " (interval unreliable: few samples)"
    points = f"{100 * change:+.1f} points [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]{doubt}"
    if interval[0] > 0:
        verdict = "they sway" if reliable else "they may sway"
        return f"The expert agrees more where suggestions are seen, by {points}: {verdict}."
    if interval[1] < 0:
        return f"The expert agrees less where suggestions are seen, by {points}."
    return f"Seeing suggestions makes no difference that shows: {points} of agreement."
