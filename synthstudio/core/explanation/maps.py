"""Geometry of class activation maps: cells of a coarse grid, laid over the pixels of an FOV.

Cell (row i, column j) of a map covers the pixels `i * stride .. (i + 1) * stride` down and
`j * stride .. (j + 1) * stride` across; its value belongs to the middle of that square.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Cam = NDArray[np.float32]
"""Class activation map `(h, w)` on the logit: positive is evidence for the class, all-negative is no evidence."""


def upsample_cam(cam: Cam, *, stride: float, width: int, height: int) -> Cam:
    """Bring a map to pixels, bilinearly.

    Args:
        cam: `(h, w)`.
        stride: Side of a cell in px of the wanted picture; need not be a whole number.
        width: Of the wanted picture in px.
        height: Of the wanted picture in px.

    Returns:
        `(height, width)` float32. Beyond the middle of the outermost cells the value of the edge is kept.
    """
    # warpAffine maps pixel centres to pixel centres: cell centre j + 0.5 is at px (j + 0.5) * stride.
    shift = (stride - 1.0) / 2.0
    matrix = np.array([[stride, 0.0, shift], [0.0, stride, shift]], np.float64)
    upsampled = cv2.warpAffine(
        np.ascontiguousarray(cam, np.float32),
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(upsampled, np.float32)


LEAST_SCALE = 1e-3
"""No logit is so weak that a scale of class maps needs to end below this."""


def cam_range(cams: list[Cam], *, quantile: float = 0.999, least: float = LEAST_SCALE) -> tuple[float, float]:
    """Fixed scale of a class's maps within a run: 0 to a high quantile of the positive values, or to `least`.

    Min-max per map would make a class without evidence look hot.
    """
    positive = [cam[cam > 0] for cam in cams]
    values = np.concatenate(positive) if positive else np.empty(0, np.float32)
    high = float(np.quantile(values, quantile)) if values.size else 1.0
    return 0.0, max(high, least)


def mass_range(cams: list[Cam], *, share: float = 0.5) -> tuple[float, float]:
    """Fixed scale for maps of which a few cells hold nearly everything: such cells hold `share` of the positive mass.

    A quantile of the values would speak of the many cells that hold next to nothing.
    """
    positive = [cam[cam > 0] for cam in cams]
    values = np.sort(np.concatenate(positive)) if positive else np.empty(0, np.float32)
    if not values.size:
        return 0.0, 1.0
    mass = np.cumsum(values, dtype=np.float64)
    return 0.0, float(values[np.searchsorted(mass, (1.0 - share) * mass[-1])])
