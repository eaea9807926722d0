"""Curves over all thresholds of one class: ROC, precision and recall, and the area under the latter.

Scores `(N,)` and labels `(N,)` of one class; equal scores share one point, as no threshold can part them. Where a curve
is undefined (one kind of label only) it is None, never a curve of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray

ScoreArray = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """From the strictest threshold to the laxest.

    Attributes:
        false_positive_rate, true_positive_rate: `(K,)` rising from 0 to 1.
        thresholds: `(K,)` falling; a score at or above it counts as present. The first is infinite.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """From the laxest threshold to the strictest.

    Attributes:
        precision, recall: `(K,)`; recall falls to 0, where precision is 1 by convention.
        thresholds: `(K - 1,)` rising; the last point belongs to none.
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


def roc_curve(scores: ScoreArray, labels: NDArray[np.bool_]) -> RocCurve | None:
    """Compute the ROC curve, every threshold kept; None with one kind of label only."""
    found, wrong, thresholds = _counts(scores, labels)
    if not len(found) or found[-1] == 0 or wrong[-1] == 0:
        return None
    return RocCurve(
        false_positive_rate=np.append(0.0, wrong / wrong[-1]),
        true_positive_rate=np.append(0.0, found / found[-1]),
        thresholds=np.append(np.inf, thresholds),
    )


def precision_recall_curve(scores: ScoreArray, labels: NDArray[np.bool_]) -> PrecisionRecallCurve | None:
    """Compute precision against recall; None where there is nothing to find."""
    found, wrong, thresholds = _counts(scores, labels)
    if not len(found) or found[-1] == 0:
        return None
    return PrecisionRecallCurve(
        precision=np.append((found / (found + wrong))[::-1], 1.0),
        recall=np.append((found / found[-1])[::-1], 0.0),
        thresholds=thresholds[::-1].copy(),
    )


def average_precision(scores: ScoreArray, labels: NDArray[np.bool_]) -> float | None:
    """Mean of precision over recall, as steps without interpolation; None where there is nothing to find."""
    curve = precision_recall_curve(scores, labels)
    if curve is None:
        return None
    return float(-np.sum(np.diff(curve.recall) * curve.precision[:-1]))


def _counts(scores: ScoreArray, labels: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """True and false positives at each distinct score, from the highest score down, and those scores."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order].astype(np.float64), np.cumsum(labels[order])
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)[: len(ranked)]
    found = hits[last_of_ties].astype(np.float64)
    n_answered = np.flatnonzero(last_of_ties) + 1.0
    return found, n_answered - found, ranked[last_of_ties]
