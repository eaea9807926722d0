"""Whether a probability means what it says: reliability by bins, expected calibration error, Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import FloatArray

N_BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers of similar probability.

    Attributes:
        low, high: Of the bin; its low end belongs to the bin before, save for 0.
        n: Answers in it.
        mean_score: Their mean probability.
        share_present: How many of them are in truth present.
    """

    low: float
    high: float
    n: int
    mean_score: float
    share_present: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of one class.

    Attributes:
        bins: Those that hold any answer.
        expected_error: Mean distance of probability and truth over the bins, by their size (Guo et al. 2017, for the
            probability of presence).
        brier: Mean squared distance of probability and truth.
    """

    bins: tuple[ReliabilityBin, ...]
    expected_error: float
    brier: float


def measure_calibration(scores: FloatArray, labels: NDArray[np.bool_], *, n_bins: int = N_BINS) -> Calibration | None:
    """Measure the calibration of probabilities `(N,)` against labels `(N,)`; None without any."""
    if not len(scores):
        return None
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    places = np.searchsorted(edges[1:-1], scores, side="left")
    counts = np.bincount(places, minlength=n_bins)
    score_sums = np.bincount(places, weights=scores, minlength=n_bins)
    label_sums = np.bincount(places, weights=labels.astype(np.float64), minlength=n_bins)
    bins = tuple(
        ReliabilityBin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            n=int(counts[place]),
            mean_score=float(score_sums[place] / counts[place]),
            share_present=float(label_sums[place] / counts[place]),
        )
        for place in np.flatnonzero(counts)
    )
    return Calibration(
        bins=bins,
        expected_error=float(np.abs(score_sums - label_sums).sum() / len(scores)),
        brier=float(np.mean((scores - labels) ** 2)),
    )
