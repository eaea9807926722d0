"""Whether synthetic images lie where real ones do, and whether they cover these, by balls around feature vectors.

Precision and recall after Kynkäänniemi et al. 2019, density and coverage after Naeem et al. 2020, who show that one
outlier among the real images is enough to inflate the former.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.frechet import FeatureArray

NEIGHBOURS = 3
"""Of precision and recall, as published."""
DENSITY_NEIGHBOURS = 5
"""Of density and coverage, as published."""
LEAST_IMAGES = DENSITY_NEIGHBOURS + 1
"""Fewer have no fifth neighbour."""


@dataclass(frozen=True, slots=True)
class ManifoldFigures:
    """How two sets overlap.

    Attributes:
        precision: Share of the synthetic images within a ball of a real one, that reaches to its third neighbour.
        recall: Share of the real images within a ball of a synthetic one.
        density: Mean number of balls of real images that hold a synthetic one, by the number of neighbours; may pass 1.
        coverage: Share of the real images whose ball holds a synthetic one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def measure_manifold(real: FeatureArray, synthetic: FeatureArray) -> ManifoldFigures:
    """Compare two sets, `(N, D)` and `(M, D)`, of at least `LEAST_IMAGES` each."""
    between = squared_distances(real, synthetic)  # (N, M)
    among_real = np.sort(squared_distances(real, real), axis=1)
    among_synthetic = np.sort(squared_distances(synthetic, synthetic), axis=1)
    # Column 0 is the image itself.
    real_radii, synthetic_radii = among_real[:, NEIGHBOURS], among_synthetic[:, NEIGHBOURS]
    wide_radii = among_real[:, DENSITY_NEIGHBOURS]
    in_wide_balls = between < wide_radii[:, None]
    return ManifoldFigures(
        precision=_share((between <= real_radii[:, None]).any(axis=0)),
        recall=_share((between <= synthetic_radii[None, :]).any(axis=1)),
        density=float(in_wide_balls.sum(axis=0).mean() / DENSITY_NEIGHBOURS),
        coverage=_share(in_wide_balls.any(axis=1)),
    )


def squared_distances(x: FeatureArray, y: FeatureArray) -> FeatureArray:
    """Squared Euclidean distances `(N, M)` between the rows of `(N, D)` and `(M, D)`."""
    # Products of vectors far from the origin would cancel in their last digits.
    origin = x.mean(0)
    left, right = x - origin, y - origin
    squares = (left * left).sum(1)[:, None] + (right * right).sum(1)[None, :] - 2.0 * (left @ right.T)
    if x is y:
        np.fill_diagonal(squares, 0.0)
    return np.asarray(np.maximum(squares, 0.0), np.float64)


def _share(are_true: NDArray[np.bool_] | np.bool_) -> float:
    return float(np.mean(are_true))
