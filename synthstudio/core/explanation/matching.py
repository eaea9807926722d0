"""Predicted centres against annotated ones: one-to-one, within half the class's mean size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from synthstudio.core.explanation.peaks import PeakArray

PointArray = NDArray[np.float64]
"""Points `(N, 2)`: x, y in px."""

MAX_CANDIDATE_THRESHOLDS = 64


@dataclass(frozen=True, slots=True)
class CenterCounts:
    """Matched predictions, all predictions, all annotated centres."""

    n_matched: int
    n_predicted: int
    n_true: int

    def __add__(self, other: CenterCounts) -> CenterCounts:
        return CenterCounts(
            self.n_matched + other.n_matched, self.n_predicted + other.n_predicted, self.n_true + other.n_true
        )

    @property
    def precision(self) -> float | None:
        return self.n_matched / self.n_predicted if self.n_predicted else None

    @property
    def recall(self) -> float | None:
        return self.n_matched / self.n_true if self.n_true else None

    @property
    def f1(self) -> float | None:
        total = self.n_predicted + self.n_true
        return 2 * self.n_matched / total if total else None


def match_centers(predicted: PointArray, true: PointArray, *, max_distance: float) -> CenterCounts:
    """Match by the Hungarian method: as many pairs as possible within reach, then the nearest ones.

    Args:
        predicted: `(N, 2)`.
        true: `(M, 2)`.
        max_distance: In px, inclusive.
    """
    if not len(predicted) or not len(true):
        return CenterCounts(0, len(predicted), len(true))
    distance = np.hypot(predicted[:, None, 0] - true[None, :, 0], predicted[:, None, 1] - true[None, :, 1])
    within = distance <= max_distance
    # A pair within reach is worth more than all distances together, so their number is maximised first.
    reward = max_distance * min(len(predicted), len(true)) + 1.0
    rows, columns = linear_sum_assignment(np.where(within, distance - reward, 0.0))
    return CenterCounts(int(within[rows, columns].sum()), len(predicted), len(true))


def tune_peak_threshold(peaks: list[PeakArray], true: list[PointArray], *, max_distance: float) -> float | None:
    """Threshold on the peak's value that maximises the centre-match F1 over validation FOVs.

    Returns:
        The threshold, or None where there is no peak or nothing to find.
    """
    values = np.sort(np.concatenate([found[:, 2] for found in peaks])) if peaks else np.empty(0)
    if not values.size or not any(len(points) for points in true):
        return None
    picks = np.unique(np.linspace(0, len(values) - 1, MAX_CANDIDATE_THRESHOLDS).astype(int))
    best_threshold, best_f1 = float(values[0]), -1.0
    for threshold in values[picks]:
        total = CenterCounts(0, 0, 0)
        for found, points in zip(peaks, true, strict=True):
            total += match_centers(found[found[:, 2] >= threshold, :2], points, max_distance=max_distance)
        f1 = total.f1 or 0.0
        if f1 > best_f1:
            best_threshold, best_f1 = float(threshold), f1
    return best_threshold


def cross_fit_centers(
    peaks: list[PeakArray], true: list[PointArray], *, max_distance: float, first: NDArray[np.bool_]
) -> CenterCounts:
    """Match over FOVs, each half of them at the peak threshold that suits the other half best.

    Args:
        peaks: `(K, 3)` of each FOV: x, y, value.
        true: `(M, 2)` of each FOV.
        max_distance: In px, inclusive.
        first: `(n_fovs,)` whether an FOV is in the first half. Where all are in one half, its own threshold serves.
    """
    total = CenterCounts(0, 0, 0)
    for half in (first, ~first):
        chosen_on = ~half if (~half).any() else half
        others = np.flatnonzero(chosen_on)
        threshold = tune_peak_threshold(
            [peaks[i] for i in others], [true[i] for i in others], max_distance=max_distance
        )
        for number in np.flatnonzero(half):
            kept = peaks[number][peaks[number][:, 2] >= (0.0 if threshold is None else threshold), :2]
            total += match_centers(kept, true[number], max_distance=max_distance)
    return total
