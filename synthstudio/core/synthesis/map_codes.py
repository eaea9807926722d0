"""Colours that stand for the conditions and tones of a semantic map."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.errors import UserError

MAX_CONDITIONS = 1000
"""Up to here two codes differ by at least 7 of 255, and can be told apart after rounding."""

_AXIS = np.arange(256, dtype=np.int64)


def build_condition_codes(count: int) -> NDArray[np.uint8]:
    """Values of G and B for this many conditions, `(count, 2)`; (0, 0) is nobody's: it stands for no condition.

    Each code is the point of the 256 x 256 plane that lies farthest from (0, 0) and all codes before it; of several,
    the one with the largest G + B, then the largest G. So a condition's code depends on its position alone, not on the
    number of conditions: (255, 255), (255, 0), (0, 255), (128, 128), near the middles of the edges, and so on. The
    least distance is at least half of the best possible for any number of points (Gonzalez 1985): 255 of three
    conditions, 127 of eight, 44 of twenty-six.

    Raises:
        UserError: There are more than `MAX_CONDITIONS`.
    """
    if count > MAX_CONDITIONS:
        raise UserError(
            f"A semantic map has codes for {MAX_CONDITIONS} conditions, not for {count}.",
            "Name fewer classes as conditions.",
        )
    size = 4
    while size < count:
        size *= 2
    return _spread_codes(size)[:count].copy()


def tone_values(n_tones: int) -> NDArray[np.uint8]:
    """Values of R, `(n_tones + 1,)`: 0 for an unknown tone, then the levels in even steps up to 255."""
    return np.rint(255.0 * np.arange(n_tones + 1) / max(1, n_tones)).astype(np.uint8)


def least_distance(codes: NDArray[np.uint8]) -> float:
    """Least distance between two of the codes `(K, 2)`, or of one and (0, 0); 255 where there are none."""
    points = np.vstack([np.zeros((1, 2)), codes.astype(np.float64)])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(min(255.0, distances.min()))


@lru_cache(maxsize=16)
def _spread_codes(count: int) -> NDArray[np.uint8]:
    """The first codes, whole numbers throughout: no rounding decides between equally far points."""
    nearest = _AXIS[:, None] ** 2 + _AXIS[None, :] ** 2  # squared distance to the nearest code so far, by G and B
    preference = (_AXIS[:, None] + _AXIS[None, :]) * 256 + _AXIS[:, None]
    codes = np.empty((count, 2), np.uint8)
    for row in range(count):
        farthest = np.argmax(np.where(nearest == nearest.max(), preference, -1))
        green, blue = divmod(int(farthest), 256)
        codes[row] = green, blue
        np.minimum(nearest, (_AXIS[:, None] - green) ** 2 + (_AXIS[None, :] - blue) ** 2, out=nearest)
    return codes
