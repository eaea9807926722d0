"""Peaks of a class activation map as centre predictions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.explanation.maps import Cam
from synthstudio.domain.records import FieldOfView

PeakArray = NDArray[np.float64]
"""Peaks `(N, 3)`: x, y in px and the value there, highest first."""


def find_peaks(cam: Cam, *, stride: float, size_px: float, threshold: float = 0.0) -> PeakArray:
    """Find local maxima, at most one within half the class's size.

    Args:
        cam: `(h, w)`.
        stride: Side of a cell in px.
        size_px: Mean size of the class in px.
        threshold: Peaks at or below it are left out.

    Returns:
        `(N, 3)`: x, y in px, value after smoothing; by falling value.
    """
    # A sixth of the object's size joins the several maxima that one object has, without joining neighbours.
    sigma = size_px / stride / 6.0
    smooth = cv2.GaussianBlur(cam, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) if sigma > 0.25 else cam
    smooth = np.asarray(smooth, np.float32)
    # Replicating would make equal neighbours at the edge; -inf lets an edge cell be a maximum by itself.
    is_peak = (smooth >= cv2.dilate(smooth, np.ones((3, 3), np.uint8))) & (smooth > threshold)
    rows, columns = np.nonzero(is_peak)
    order = np.argsort(-smooth[rows, columns], kind="stable")
    kept: list[tuple[float, float, float]] = []
    reach = size_px / 2.0
    for row, column in zip(rows[order], columns[order], strict=True):
        x = (column + 0.5 + _vertex(smooth[row], column)) * stride
        y = (row + 0.5 + _vertex(smooth[:, column], row)) * stride
        if all((x - other[0]) ** 2 + (y - other[1]) ** 2 > reach * reach for other in kept):
            kept.append((x, y, float(smooth[row, column])))
    return np.array(kept, np.float64).reshape(-1, 3)


@dataclass(frozen=True, slots=True)
class MapPlace:
    """How the cells of a map lie on an FOV.

    Attributes:
        stride, stride_px: Side of a cell in px of the working scale, and of the FOV.
        width, height: Of the FOV.
    """

    stride: float
    stride_px: float
    width: int
    height: int

    @classmethod
    def of(cls, fov: FieldOfView, *, stride: float, factor: float) -> MapPlace:
        """The place of a map of an FOV that was resized by this factor."""
        # The resized image is a whole number of px, so that the scale differs a little from the wanted one.
        stride_px = stride * fov.width / max(1, round(fov.width * factor))
        return cls(stride, stride_px, fov.width, fov.height)


def find_fov_peaks(cam: Cam, place: MapPlace, *, size_px: float, threshold: float = 0.0) -> PeakArray:
    """Find peaks as `find_peaks` does, and tell where they lie on the FOV.

    Args:
        cam: `(h, w)`.
        place: Of the map on the FOV.
        size_px: Mean size of the class in px of the working scale.
        threshold: Peaks at or below it are left out.

    Returns:
        `(N, 3)`: x, y in px of the FOV, within it, and value after smoothing; by falling value.
    """
    found = find_peaks(cam, stride=place.stride, size_px=size_px, threshold=threshold)
    factor = place.stride_px / place.stride
    # The outermost cells may reach beyond the image.
    xs = np.clip(found[:, 0] * factor, 0.0, place.width)
    ys = np.clip(found[:, 1] * factor, 0.0, place.height)
    return np.column_stack([xs, ys, found[:, 2]])


def _vertex(line: NDArray[np.float32], index: int) -> float:
    """Offset in cells, within -0.5..0.5, of the top of the parabola through a maximum and its two neighbours."""
    if index == 0 or index == len(line) - 1:
        return 0.0
    before, top, after = (float(value) for value in line[index - 1 : index + 2])
    bend = before - 2.0 * top + after
    return 0.0 if bend >= 0.0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
