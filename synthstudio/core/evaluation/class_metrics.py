"""Scores of presence on crops: per class, averaged over classes, with intervals by sample.

Scores and labels are `(N, C)`: one row per crop, one column per class. What is undefined is None and left out of means,
never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.calibration import Calibration, measure_calibration
from synthstudio.core.evaluation.curves import average_precision
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.presence import Interval, f1_of, mean_defined, roc_auc
from synthstudio.core.evaluation.resampling import GroupDraws, draw_groups, drawn_f1, drawn_mean, drawn_ranking
from synthstudio.core.stats import FloatArray, divide, percentile_interval


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Right and wrong answers of one class."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        return AnswerCounts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.true_negatives + other.true_negatives,
        )

    @property
    def support(self) -> int:
        return self.true_positives + self.false_negatives

    @property
    def n(self) -> int:
        return self.support + self.false_positives + self.true_negatives

    @property
    def precision(self) -> float | None:
        return _share(self.true_positives, self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the present that are found: sensitivity."""
        return _share(self.true_positives, self.false_negatives)

    @property
    def specificity(self) -> float | None:
        """Share of the absent that are said to be absent."""
        return _share(self.true_negatives, self.false_positives)

    @property
    def negative_predictive_value(self) -> float | None:
        """Share of those said to be absent that are."""
        return _share(self.true_negatives, self.false_negatives)

    @property
    def f1(self) -> float | None:
        return f1_of(self.true_positives, self.false_positives, self.false_negatives)


@dataclass(frozen=True, slots=True)
class ScoreIntervals:
    """95 % intervals; None where more than half of the draws leave the figure undefined."""

    precision: Interval | None
    recall: Interval | None
    f1: Interval | None
    specificity: Interval | None
    negative_predictive_value: Interval | None
    auc: Interval | None
    average_precision: Interval | None


@dataclass(frozen=True, slots=True)
class PresenceScore:
    """Scores of one class.

    Attributes:
        counts: At the threshold that validation chose.
        at_half: At 0.5.
        prevalence_f1: F1 of always answering "present".
        auc, average_precision: Areas under the ROC and the precision-recall curve.
    """

    counts: AnswerCounts
    at_half: AnswerCounts
    prevalence_f1: float | None
    auc: float | None
    average_precision: float | None
    calibration: Calibration | None
    intervals: ScoreIntervals


@dataclass(frozen=True, slots=True)
class AverageScore:
    """Precision, recall and F1 over all classes."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class AbsenceScore:
    """The other answer of a classifier that tells one class from its absence.

    Attributes:
        counts: A crop without the class that is said to be so is a true positive here.
        macro, weighted: Means of presence and absence; weighted: by the number of crops of each.
    """

    counts: AnswerCounts
    macro: AverageScore
    weighted: AverageScore


@dataclass(frozen=True, slots=True)
class PresenceReport:
    """Scores of all classes.

    Attributes:
        macro: Mean of the classes' defined figures.
        weighted: The same, each class counting by its support.
        micro: All answers thrown together.
        accuracy: Share of right yes/no answers over all crops and classes.
        exact: Share of crops on which every class is answered rightly.
        auc, average_precision: Means of the classes' defined figures.
        absence: With one class alone: the answer that it is absent, scored as a second class.
    """

    per_class: tuple[PresenceScore, ...]
    macro: AverageScore
    weighted: AverageScore
    micro: AverageScore
    accuracy: float | None
    exact: float | None
    auc: float | None
    average_precision: float | None
    macro_ci95: Interval | None
    n_groups: int
    is_reliable: bool
    absence: AbsenceScore | None = None


def score_predictions(predictions: CropPredictions, *, seed: int) -> PresenceReport:
    """Score stored answers; `seed` is that of the bootstrap."""
    return score_presence(
        predictions.scores.astype(np.float64),
        predictions.truth,
        thresholds=predictions.thresholds,
        sample_ids=predictions.sample_ids,
        seed=seed,
    )


def score_presence(
    scores: FloatArray,
    labels: NDArray[np.bool_],
    *,
    thresholds: FloatArray,
    sample_ids: NDArray[np.int64],
    seed: int,
) -> PresenceReport:
    """Score presence answers.

    Args:
        scores: `(N, C)` in 0-1.
        labels: `(N, C)`.
        thresholds: `(C,)`, chosen on validation.
        sample_ids: `(N,)` sample of each crop: intervals resample samples.
        seed: Of the bootstrap.
    """
    answers = scores >= thresholds
    draws = draw_groups(sample_ids, seed=seed)
    outcomes = np.stack([answers & labels, answers & ~labels, ~answers & labels, ~answers & ~labels], axis=-1)
    drawn = draws.sum(outcomes)  # (B, C, 4)
    per_class = tuple(
        _score_class(scores[:, c], labels[:, c], thresholds[c], drawn=drawn[:, c], draws=draws)
        for c in range(scores.shape[1])
    )
    counts = [each.counts for each in per_class]
    return PresenceReport(
        per_class=per_class,
        macro=_average_counts(counts, np.ones(len(counts))),
        weighted=_average_counts(counts, np.array([each.support for each in counts], np.float64)),
        micro=_micro(per_class),
        accuracy=float((answers == labels).mean()) if labels.size else None,
        exact=float((answers == labels).all(axis=1).mean()) if labels.size else None,
        auc=mean_defined([each.auc for each in per_class]),
        average_precision=mean_defined([each.average_precision for each in per_class]),
        macro_ci95=percentile_interval(drawn_mean(drawn_f1(drawn))),
        n_groups=draws.n_groups,
        is_reliable=draws.is_reliable,
        absence=score_absence(per_class[0].counts) if len(per_class) == 1 else None,
    )


def score_absence(counts: AnswerCounts) -> AbsenceScore:
    """Score the absence of a class from the counts of its presence."""
    absent = AnswerCounts(
        true_positives=counts.true_negatives,
        false_positives=counts.false_negatives,
        false_negatives=counts.false_positives,
        true_negatives=counts.true_positives,
    )
    both = (counts, absent)
    supports = np.array([each.support for each in both], np.float64)
    return AbsenceScore(absent, _average_counts(both, np.ones(2)), _average_counts(both, supports))


def count_answers(answers: NDArray[np.bool_], labels: NDArray[np.bool_]) -> AnswerCounts:
    """Count the answers `(N,)` of one class against its labels `(N,)`."""
    return AnswerCounts(
        int((answers & labels).sum()),
        int((answers & ~labels).sum()),
        int((~answers & labels).sum()),
        int((~answers & ~labels).sum()),
    )


def _score_class(
    scores: FloatArray, labels: NDArray[np.bool_], threshold: float, *, drawn: FloatArray, draws: GroupDraws
) -> PresenceScore:
    n_positive = int(labels.sum())
    return PresenceScore(
        counts=count_answers(scores >= threshold, labels),
        at_half=count_answers(scores >= 0.5, labels),
        prevalence_f1=f1_of(n_positive, len(labels) - n_positive, 0) if n_positive else None,
        auc=roc_auc(scores, labels),
        average_precision=average_precision(scores, labels),
        calibration=measure_calibration(scores, labels),
        intervals=_intervals(drawn, *drawn_ranking(scores, labels, draws)),
    )


def _intervals(drawn: FloatArray, areas: FloatArray, averages: FloatArray) -> ScoreIntervals:
    """Intervals from `(B, 4)` true positives, false positives, false negatives, true negatives, and the areas."""
    found, wrong, missed, absent = drawn.T
    return ScoreIntervals(
        precision=percentile_interval(divide(found, found + wrong)),
        recall=percentile_interval(divide(found, found + missed)),
        f1=percentile_interval(drawn_f1(drawn)),
        specificity=percentile_interval(divide(absent, absent + wrong)),
        negative_predictive_value=percentile_interval(divide(absent, absent + missed)),
        auc=percentile_interval(areas),
        average_precision=percentile_interval(averages),
    )


def _average_counts(counts: Sequence[AnswerCounts], weights: FloatArray) -> AverageScore:
    return AverageScore(
        precision=_weighted_mean([each.precision for each in counts], weights),
        recall=_weighted_mean([each.recall for each in counts], weights),
        f1=_weighted_mean([each.f1 for each in counts], weights),
    )


def _micro(scores: tuple[PresenceScore, ...]) -> AverageScore:
    total = sum((each.counts for each in scores), AnswerCounts(0, 0, 0, 0))
    return AverageScore(total.precision, total.recall, total.f1)


def _weighted_mean(values: list[float | None], weights: FloatArray) -> float | None:
    kept = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None and weight > 0]
    total = sum(weight for _, weight in kept)
    return float(sum(value * weight for value, weight in kept) / total) if kept else None


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
