"""Intervals that respect groups: resampling images instead of samples gives intervals that are far too narrow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 2000
MIN_RELIABLE_GROUPS = 20
"""With fewer groups a bootstrap interval is reported, but called unreliable."""

FloatArray = NDArray[np.float64]


def draw_group_weights(n_groups: int, *, seed: int, n_draws: int = N_DRAWS) -> FloatArray:
    """Draw bootstrap samples of groups.

    Two models that are compared use the same seed, and so the same draws.

    Returns:
        How often each group was drawn, `(n_draws, n_groups)`; each row sums to `n_groups`.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    return rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=n_draws).astype(np.float64)


def sum_by_group(values: NDArray[np.generic], groups: NDArray[np.int64], n_groups: int) -> FloatArray:
    """Sum rows of `values` `(N, ...)` over the groups `(N,)`, numbered from 0.

    Returns:
        `(n_groups, ...)` float64.
    """
    sums = np.zeros((n_groups, *values.shape[1:]), np.float64)
    np.add.at(sums, groups, values.astype(np.float64))
    return sums


def number_groups(names: list[int]) -> tuple[NDArray[np.int64], int]:
    """Number arbitrary group ids from 0 in rising order; return the numbers and how many groups there are."""
    unique, numbers = np.unique(np.asarray(names, np.int64), return_inverse=True)
    return numbers.astype(np.int64), len(unique)


def draw_halves(groups: NDArray[np.int64], *, seed: int) -> NDArray[np.bool_]:
    """Divide rows into two halves of about as many groups each, no group being in both.

    Args:
        groups: `(N,)` group of each row, any numbers.
        seed: The same groups and seed give the same halves.

    Returns:
        `(N,)` whether a row is in the first half; all False where there is a single group.
    """
    known = np.unique(groups)
    shuffled = np.random.Generator(np.random.Philox(key=seed)).permutation(known)
    return np.isin(groups, shuffled[: len(known) // 2])


def percentile_interval(values: FloatArray, *, level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval of bootstrap values `(B,)`; NaN marks draws where the figure is undefined.

    Returns:
        Low and high end, or None where more than half of the draws are undefined.
    """
    defined = values[np.isfinite(values)]
    if 2 * len(defined) <= len(values):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wilson_interval(successes: int, n: int, *, z: float = 1.959964) -> tuple[float, float] | None:
    """Wilson score interval of a proportion (Wilson 1927); None where `n` is 0."""
    if n == 0:
        return None
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide element by element; NaN, without a warning, where the denominator is 0."""
    return np.asarray(np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0))
