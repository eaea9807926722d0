"""Presence of classes on crops: F1, thresholds, area under the ROC curve.

Scores and labels are `(N, C)`: one row per crop, one column per class; scores in 0-1, labels 0 or 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray

Interval = tuple[float, float]


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


def _count(answers: NDArray[np.bool_], labels: NDArray[np.bool_]) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    return int((answers & labels).sum()), int((answers & ~labels).sum()), int((~answers & labels).sum())
