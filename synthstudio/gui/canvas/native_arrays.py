"""NumPy arrays handed to QPainter as C arrays: one call paints thousands of primitives.

A Python list of QRect costs about a microsecond per item twice over; the painter reads these arrays in place.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRect
from PySide6.QtGui import QPainter, QPixmap

FRAGMENT_FIELDS = 10
"""QPainter::PixmapFragment: x, y, sourceLeft, sourceTop, width, height, scaleX, scaleY, rotation, opacity."""


def paint_rects(painter: QPainter, edges: NDArray[np.int32]) -> None:
    """Paint rectangles with the painter's pen and brush.

    Args:
        edges: (N, 4) int32, rows `left, top, right, bottom`, end exclusive.
    """
    if len(edges) == 0:
        return
    native = np.ascontiguousarray(edges, dtype=np.int32).copy()
    native[:, 2:] -= 1  # QRect stores its last column and row, not the ones after them
    painter.drawRects(cast(QRect, shiboken6.wrapInstance(native.ctypes.data, QRect)), len(native))


def paint_segments(painter: QPainter, ends: NDArray[np.float64]) -> None:
    """Paint separate lines with the painter's pen.

    Args:
        ends: (N, 4) float64, rows `x0, y0, x1, y1` in widget px.
    """
    if len(ends) == 0:
        return
    native = np.ascontiguousarray(ends, dtype=np.float64)
    painter.drawLines(cast(QLineF, shiboken6.wrapInstance(native.ctypes.data, QLineF)), len(native))


def paint_sprites(
    painter: QPainter,
    centers: NDArray[np.float64],
    sprite: QPixmap,
    *,
    dpr: float,
    cells: NDArray[np.int64] | None = None,
    n_cells: int = 1,
) -> None:
    """Paint one sprite at many places, each on whole device pixels so that it stays sharp and fast.

    Args:
        centers: (N, 2) float64, x and y of the sprites' middles in widget px.
        sprite: Pixmap in device pixels; its own device pixel ratio is not looked at.
        dpr: Device pixels per widget px.
        cells: (N,) int64: which of `n_cells` pictures, side by side in the sprite, is painted at each place.
    """
    if len(centers) == 0:
        return
    side_x, side_y = sprite.width() // n_cells, sprite.height()
    fragments = np.zeros((len(centers), FRAGMENT_FIELDS), dtype=np.float64)
    fragments[:, 0] = (np.floor(centers[:, 0] * dpr - side_x / 2 + 0.5) + side_x / 2) / dpr
    fragments[:, 1] = (np.floor(centers[:, 1] * dpr - side_y / 2 + 0.5) + side_y / 2) / dpr
    if cells is not None:
        fragments[:, 2] = cells * side_x
    fragments[:, 4] = side_x
    fragments[:, 5] = side_y
    fragments[:, 6:8] = 1 / dpr
    fragments[:, 9] = 1.0
    first = shiboken6.wrapInstance(fragments.ctypes.data, QPainter.PixmapFragment)
    painter.drawPixmapFragments(cast(QPainter.PixmapFragment, first), len(fragments), sprite)
