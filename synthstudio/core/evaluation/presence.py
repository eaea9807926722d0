"""Presence of classes on crops: precision, recall, F1, thresholds, AUC, and their intervals by group.

Scores and labels are `(N, C)`: one row per crop, one column per class; scores in 0-1, labels 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray, divide, draw_group_weights, percentile_interval, sum_by_group

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PresenceScore:
    """Scores of one class; None where undefined (never 0 or 1)."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    prevalence_f1: float | None
    f1_at_half: float | None
    auc: float | None
    ci95: Interval | None


@dataclass(frozen=True, slots=True)
class PresenceReport:
    """Scores of all classes.

    Attributes:
        macro_f1: Mean of the classes' defined F1.
        accuracy: Share of right yes/no answers over all crops and classes.
        auc: Mean of the classes' defined areas under the ROC curve.
    """

    per_class: tuple[PresenceScore, ...]
    macro_f1: float | None
    accuracy: float | None
    auc: float | None
    macro_ci95: Interval | None


def f1_of(true_positives: float, false_positives: float, false_negatives: float) -> float | None:
    """F1 from counts; None where there is nothing to find and nothing was found."""
    total = 2 * true_positives + false_positives + false_negatives
    return 2 * true_positives / total if total > 0 else None


def mean_defined(values: list[float | None]) -> float | None:
    """Mean of the values that are defined, or None."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def tune_threshold(scores: FloatArray, labels: NDArray[np.bool_]) -> float | None:
    """Threshold that maximises F1; a score at or above it counts as present.

    It lies half-way between two neighbouring scores, so that it does not hang on one crop's last digit; of several
    with the same F1 the one nearest to 0.5 is taken.

    Returns:
        The threshold in 0-1, or None where all labels are the same: then no threshold can be told from another.
    """
    n_positive = int(labels.sum())
    if n_positive == 0 or n_positive == len(labels):
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(labels[order])
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    n_found = np.arange(1, len(ranked) + 1)
    f1 = 2.0 * hits / (n_found + n_positive)
    following = np.append(ranked[1:], 0.0)
    thresholds = (ranked + following) / 2
    best = last_of_ties & (f1 >= f1[last_of_ties].max() - 1e-12)
    candidates = thresholds[best]
    return float(candidates[np.argmin(np.abs(candidates - 0.5))])


def cross_fit_f1(scores: FloatArray, labels: NDArray[np.bool_], first: NDArray[np.bool_]) -> list[float | None]:
    """F1 of each class, each half being answered at the threshold that suits the other half best.

    A threshold that is chosen and scored on the same rows is too good; this way every row is scored, and none has had
    a say in its own threshold.

    Args:
        scores: `(N, C)` in 0-1.
        labels: `(N, C)`.
        first: `(N,)` whether a row is in the first half. Where all are in one half, the scores are too good after all.
    """
    answers = np.zeros_like(labels)
    for half in (first, ~first):
        chosen_on = ~half if (~half).any() else half
        for column in range(labels.shape[1]):
            threshold = tune_threshold(scores[chosen_on, column], labels[chosen_on, column])
            answers[half, column] = scores[half, column] >= (0.5 if threshold is None else threshold)
    return [f1_of(*_count(answers[:, column], labels[:, column])) for column in range(labels.shape[1])]


def roc_auc(scores: FloatArray, labels: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve by ranks (Mann-Whitney), ties counted half; None with one kind of label only."""
    n_positive = int(labels.sum())
    n_negative = len(labels) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2.0
    rank_sum = float(mean_ranks[inverse][labels].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def score_presence(
    scores: FloatArray,
    labels: NDArray[np.bool_],
    *,
    thresholds: FloatArray,
    groups: NDArray[np.int64],
    n_groups: int,
    seed: int,
) -> PresenceReport:
    """Score presence answers.

    Args:
        scores: `(N, C)` in 0-1.
        labels: `(N, C)`.
        thresholds: `(C,)`, chosen on validation.
        groups: `(N,)` sample of each crop, numbered from 0: intervals resample samples.
        n_groups: Number of samples.
        seed: Of the bootstrap.
    """
    answers = scores >= thresholds
    counts = np.stack([answers & labels, answers & ~labels, ~answers & labels], axis=-1)  # (N, C, 3)
    by_group = sum_by_group(counts, groups, n_groups)  # (G, C, 3)
    weights = draw_group_weights(n_groups, seed=seed) if n_groups else np.zeros((0, 0))
    drawn = np.einsum("bg,gck->bck", weights, by_group)
    drawn_f1 = divide(2 * drawn[..., 0], 2 * drawn[..., 0] + drawn[..., 1] + drawn[..., 2])  # (B, C)
    per_class = tuple(
        _score_class(scores[:, c], labels[:, c], answers[:, c], percentile_interval(drawn_f1[:, c]))
        for c in range(scores.shape[1])
    )
    n_defined = np.isfinite(drawn_f1).sum(axis=1).astype(np.float64)
    drawn_macro = divide(np.nansum(drawn_f1, axis=1), n_defined)
    return PresenceReport(
        per_class=per_class,
        macro_f1=mean_defined([score.f1 for score in per_class]),
        accuracy=float((answers == labels).mean()) if labels.size else None,
        auc=mean_defined([score.auc for score in per_class]),
        macro_ci95=percentile_interval(drawn_macro),
    )


def _score_class(
    scores: FloatArray, labels: NDArray[np.bool_], answers: NDArray[np.bool_], interval: Interval | None
) -> PresenceScore:
    found, wrong, missed = _count(answers, labels)
    n_positive = found + missed
    return PresenceScore(
        precision=found / (found + wrong) if found + wrong else None,
        recall=found / n_positive if n_positive else None,
        f1=f1_of(found, wrong, missed),
        support=n_positive,
        prevalence_f1=f1_of(n_positive, len(labels) - n_positive, 0) if n_positive else None,
        f1_at_half=f1_of(*_count(scores >= 0.5, labels)),
        auc=roc_auc(scores, labels),
        ci95=interval,
    )


def _count(answers: NDArray[np.bool_], labels: NDArray[np.bool_]) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    return int((answers & labels).sum()), int((answers & ~labels).sum()), int((~answers & labels).sum())
