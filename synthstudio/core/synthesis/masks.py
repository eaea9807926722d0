"""Soft outlines of pasted patches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.settings.compose import MaskShape

CORNER_POWERS: dict[MaskShape, float] = {"rounded": 4.0, "ellipse": 2.0}
"""Exponent of the superellipse; a square has none."""

HARD_FEATHER = 1e-3  # narrower than a pixel in any window
MASK_MEMORY_BYTES = 48_000_000


class Mask(NamedTuple):
    """Opacity of a window and its complement, `(height, width, 3)` uint8 each; they sum to 255. And its extent.

    Attributes:
        extent: x0, y0, x1, y1 in px: the whole window.
    """

    alpha: NDArray[np.uint8]
    inverse: NDArray[np.uint8]
    extent: tuple[int, int, int, int]


class MaskCache:
    """Masks by size and feather: few sizes serve very many patches."""

    def __init__(self, shape: MaskShape) -> None:
        self._shape = shape
        self._cache: ByteCache[tuple[int, int, float], Mask] = ByteCache(MASK_MEMORY_BYTES)

    def get(self, width: int, height: int, feather: float) -> Mask:
        """Mask of a window; `feather` is the width of the rim as a share of the side."""
        key = (width, height, feather)
        found = self._cache.find(key)
        if found is None:
            alpha = build_alpha(width, height, shape=self._shape, feather=feather)
            layers = np.ascontiguousarray(np.broadcast_to(alpha[..., None], (height, width, 3)))
            found = Mask(layers, 255 - layers, (0, 0, width, height))
            self._cache.add(key, found, 2 * layers.nbytes)
        return found


def build_alpha(width: int, height: int, *, shape: MaskShape, feather: float) -> NDArray[np.uint8]:
    """Opacity `(height, width)`, 0-255, that reaches all four edges of the window: its extent is the box.

    The rim fades with a smooth step over `feather` of the side; 0 is a hard edge.
    """
    x, y = _distances(width), _distances(height)
    power = CORNER_POWERS.get(shape)
    if power is None:
        radius = np.maximum(x[None, :], y[:, None])
    else:
        radius = (x[None, :] ** power + y[:, None] ** power) ** (1.0 / power)
    if feather < HARD_FEATHER:
        return np.where(radius <= 1.0 + 1e-9, 255, 0).astype(np.uint8)
    depth = np.clip((1.0 - radius) / (2.0 * feather), 0.0, 1.0)
    soft = depth * depth * (3.0 - 2.0 * depth)
    # At least 1 of 255 within the shape, so that the mask's extent stays exactly the box.
    return np.where(radius <= 1.0 + 1e-9, np.maximum(np.rint(255.0 * soft), 1), 0).astype(np.uint8)


def _distances(n: int) -> NDArray[np.float64]:
    """Distance of each pixel from the middle: 0 in the middle pixels, 1 in the outermost ones, mirror-symmetric."""
    steps = np.abs(2 * np.arange(n) + 1 - n)
    reach = int(steps[0] - steps.min())
    return np.asarray((steps - steps.min()) / max(1, reach), np.float64)
