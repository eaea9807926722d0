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


def sampling_weights(presence: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How often each image is to be shown against one with nothing rare on it.

    Args:
        presence: `(N, C)` whether each class is on each image.

    Returns:
        `(N,)` within 1 to 10: the inverse of the share of its rarest class, where none at all counts as one, against
        the smallest such number.
    """
    kinds = np.column_stack([presence, ~presence.any(axis=1)])
    shares = kinds.sum(axis=0) / max(len(kinds), 1)
    inverse = np.divide(1.0, shares, out=np.zeros_like(shares), where=shares > 0)
    rarest = (kinds * inverse).max(axis=1, initial=0.0)
    return np.asarray(np.minimum(rarest / max(rarest.min(initial=np.inf), 1.0), MAX_WEIGHT))


def draw_pass(weights: NDArray[np.float64], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of as many images as there are, in a random order, each as often as its weight wants.

    Evenly spaced marks on the row of weights choose them: each comes as often as it is due, rounded up or down; with
    equal weights exactly once.

    Args:
        weights: `(N,)`, positive.
        rng: Draws the place of the marks and the order.
    """
    limits = np.cumsum(weights)
    marks = (np.arange(len(weights)) + rng.random()) * (limits[-1] / len(weights))
    return rng.permutation(np.minimum(np.searchsorted(limits, marks, side="right"), len(weights) - 1))


def even_probabilities(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The answer, per class, of a network trained with these weights where a class is as likely there as not.

    With a weight w it learns w p / (w p + 1 - p) in place of p; at p = 1/2 that is w / (w + 1).
    """
    return weights / (weights + 1.0)
