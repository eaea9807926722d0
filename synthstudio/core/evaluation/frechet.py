"""Fréchet distance of two sets of feature vectors, as in the FID (Heusel et al. 2017)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FeatureArray = NDArray[np.float64]


def frechet_distance(real: FeatureArray, synthetic: FeatureArray) -> float:
    """Distance between the normal distributions with the means and covariances of two sets.

    |m_x - m_y|^2 + tr S_x + tr S_y - 2 tr (S_x S_y)^(1/2). The last trace is the nuclear norm of X Y^T, with X and Y
    the centred features by the root of n - 1: no root of a matrix, so that it is exact where there are fewer images
    than features and the covariances are singular.

    Args:
        real: `(N, D)`, at least two rows.
        synthetic: `(M, D)`, at least two rows.

    Returns:
        At least 0, in squared units of the features. It is biased: the fewer images, the larger (see the floor).
    """
    x, y = _centered(real), _centered(synthetic)
    shift = real.mean(0) - synthetic.mean(0)
    distance = float(shift @ shift + np.sum(x * x) + np.sum(y * y) - 2.0 * _shared_spread(x, y))
    return max(0.0, distance)  # rounding may leave -1e-13 for a set against itself


def _centered(features: FeatureArray) -> FeatureArray:
    centered: FeatureArray = (features - features.mean(0)) / math.sqrt(len(features) - 1)
    return centered


def _shared_spread(x: FeatureArray, y: FeatureArray) -> float:
    """Nuclear norm of X Y^T; triangular factors stand for sets of more images than features."""
    left, right = _shortened(x), _shortened(y)
    return float(np.linalg.svd(left @ right.T, compute_uv=False).sum())


def _shortened(x: FeatureArray) -> FeatureArray:
    return np.asarray(np.linalg.qr(x, mode="r"), np.float64) if len(x) > x.shape[1] else x
