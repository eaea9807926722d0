"""Boxes: float64 `x0, y0, x1, y1` in px, origin at the top left, end exclusive."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.records import Box

BoxArray = NDArray[np.float64]
"""Boxes `(N, 4)`: x0, y0, x1, y1 in px."""


def build_square(x: float, y: float, side: float) -> Box:
    """Return the square of this side around (x, y)."""
    half = side / 2
    return Box(x - half, y - half, x + half, y + half)


def clip_box(box: Box, width: float, height: float) -> Box | None:
    """Return the part of the box inside an image of this size, or None where nothing of it lies inside."""
    clipped = Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, float(width)), min(box.y1, float(height)))
    return clipped if clipped.width > 0 and clipped.height > 0 else None


def is_inside(x: float, y: float, width: float, height: float) -> bool:
    """Whether a point lies on an image of this size."""
    return 0 <= x < width and 0 <= y < height


def boxes_to_array(boxes: Sequence[Box]) -> BoxArray:
    """Return boxes as `(N, 4)`; no boxes give `(0, 4)`."""
    return np.array([[box.x0, box.y0, box.x1, box.y1] for box in boxes], dtype=np.float64).reshape(-1, 4)


def box_areas(boxes: BoxArray) -> NDArray[np.float64]:
    """Return the areas `(N,)` of boxes `(N, 4)`; a turned-over box has none."""
    return np.clip(boxes[:, 2] - boxes[:, 0], 0, None) * np.clip(boxes[:, 3] - boxes[:, 1], 0, None)


def box_intersections(first: BoxArray, second: BoxArray) -> NDArray[np.float64]:
    """Return the shared areas `(N, M)` of boxes `(N, 4)` and `(M, 4)`."""
    starts = np.maximum(first[:, None, :2], second[None, :, :2])
    ends = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(ends - starts, 0, None)
    return np.asarray(sides[:, :, 0] * sides[:, :, 1], dtype=np.float64)


def box_ious(first: BoxArray, second: BoxArray) -> NDArray[np.float64]:
    """Return intersection over union `(N, M)`, 0-1; 0 where both boxes are empty."""
    shared = box_intersections(first, second)
    union = box_areas(first)[:, None] + box_areas(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
