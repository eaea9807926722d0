"""Kernel distance of two sets of feature vectors (KID, Bińkowski et al. 2018): unbiased, so fit for few images."""

from __future__ import annotations

import numpy as np

from synthstudio.core.evaluation.frechet import FeatureArray

DEGREE = 3


def kernel_distance(real: FeatureArray, synthetic: FeatureArray) -> float:
    """Squared maximum mean discrepancy with the kernel (x y / D + 1)^3, without the bias of images met with themselves.

    Args:
        real: `(N, D)`, at least two rows.
        synthetic: `(M, D)`, at least two rows.

    Returns:
        Around 0 for two sets of one distribution; it may fall below.
    """
    return (
        _mean_of_others(_kernel(real, real))
        + _mean_of_others(_kernel(synthetic, synthetic))
        - 2.0 * float(_kernel(real, synthetic).mean())
    )


def _kernel(x: FeatureArray, y: FeatureArray) -> FeatureArray:
    products: FeatureArray = (x @ y.T / x.shape[1] + 1.0) ** DEGREE
    return products


def _mean_of_others(kernel: FeatureArray) -> float:
    """Mean of a square matrix without its diagonal."""
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
