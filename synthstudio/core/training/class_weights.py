"""How much an image that shows a class counts against one that does not, where classes are rare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_WEIGHT = 10.0
"""A class on one image in a hundred would count a hundredfold, and its few images be learned by heart."""


def positive_weights(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights with which images with and without a class count the same in all.

    Args:
        shares: `(C,)` share of the training images on which the class is present.

    Returns:
        `(C,)` within 1/10 to 10; 1 for a class that is on none of them or on all.
    """
    known = (shares > 0) & (shares < 1)
    odds = np.divide(1.0 - shares, shares, out=np.ones_like(shares), where=known)
    return np.clip(odds, 1.0 / MAX_WEIGHT, MAX_WEIGHT)


def even_probabilities(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The answer, per class, of a network trained with these weights where a class is as likely there as not.

    With a weight w it learns w p / (w p + 1 - p) in place of p; at p = 1/2 that is w / (w + 1).
    """
    return weights / (weights + 1.0)
