"""Values unlike the others, by median and median deviation: the outliers themselves cannot hide each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_VALUES = 12
"""With fewer values nobody can say what is usual."""
_TO_DEVIATION = 1.4826
"""Median deviation to standard deviation, of a normal distribution."""


def robust_deviations(values: NDArray[np.float64], *, floor: float) -> NDArray[np.float64]:
    """How many robust standard deviations each of `(N,)` values lies from the median; all 0 where there are too few.

    Args:
        values: Finite numbers.
        floor: Least standard deviation: values that are nearly all the same make no outlier of the next.
    """
    if len(values) < LEAST_VALUES:
        return np.zeros(len(values))
    from_middle = values - np.median(values)
    return np.asarray(from_middle / max(floor, _TO_DEVIATION * float(np.median(np.abs(from_middle)))), np.float64)
