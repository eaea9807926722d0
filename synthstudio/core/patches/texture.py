"""Texture by example: squares of an FOV's own empty background, laid side by side in another order.

The noise of a camera's JPEG is neither white nor normal: most of its 8 x 8 blocks are flat, and it is not the same
across as down. Normal noise of the very same spectrum has half as much again of fine grain (measured on BCCD: .44
against .28 grey levels of mean difference from the median around a pixel), which alone tells a composite from a real
image. Real squares have it right whatever the camera does. Their corners lie on the grid of the JPEG blocks, so that
the seams are those of blocks.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray

SQUARE_PX = 32
SMALL_PX = 16  # where objects lie close there is no room for a square, but for four of these
GRID_PX = 8
MAX_SQUARES = 12  # of an FOV: 37 kB
LEAST_LARGE = 4
STRAY_SHARE = 0.01  # of a square's pixels may stand out, as noise does now and then
STAND_OUT = 1.6  # times as uneven as the square in the middle: not grain, but the rim of something
LEAST_UNEVEN = 2.0  # grey levels below which nothing stands out
EDGE = 8
"""Grey levels: a greater difference is an edge, not grain."""
NO_TEXTURE = np.empty((0, SQUARE_PX, SQUARE_PX, 3), np.int8)


def measure_grain(image: ImageArray) -> tuple[float, float]:
    """Mean difference of a pixel from the median around it, edges cut off, and the share that does not differ.

    Args:
        image: `(H, W, 3)` uint8 RGB.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    away = cv2.absdiff(grey, cv2.medianBlur(grey, 3))
    return float(np.minimum(away, EDGE).mean()), float((away == 0).mean())


def cut_texture(view: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Cut squares of empty background.

    Args:
        view: `(H, W, 3)` RGB, 0-255, whole numbers.
        inside: `(H, W)`, which pixels are background.

    Returns:
        `(N, SQUARE_PX, SQUARE_PX, 3)` differences from the rounded mean of each square in grey levels; `N` is 0 to
        `MAX_SQUARES`. A whole number is taken off: what was flat stays flat.
    """
    large = _find_corners(inside, SQUARE_PX)
    if len(large) >= LEAST_LARGE:
        return np.stack([_cut(view, corner, SQUARE_PX) for corner in _thinned(large, MAX_SQUARES)])
    small = _find_corners(inside, SMALL_PX)
    n_parts = (SQUARE_PX // SMALL_PX) ** 2
    if len(small) < n_parts:
        return NO_TEXTURE
    parts = np.stack([_cut(view, corner, SMALL_PX) for corner in _thinned(small, n_parts * MAX_SQUARES)])
    n_squares, n_across = len(parts) // n_parts, SQUARE_PX // SMALL_PX
    joined = parts[: n_squares * n_parts].reshape(n_squares, n_across, n_across, SMALL_PX, SMALL_PX, 3)
    return np.ascontiguousarray(joined.transpose(0, 1, 3, 2, 4, 5)).reshape(-1, SQUARE_PX, SQUARE_PX, 3)


def leave_out_strays(squares: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the squares without those that are far more uneven than the others: they hold the rim of an object.

    A field that objects fill leaves little background to know them by, and one such square, laid a hundred times, is
    seen on every canvas.

    Args:
        squares: `(N, SQUARE_PX, SQUARE_PX, 3)`.
    """
    unevenness = np.array([np.abs(cv2.blur(each.astype(np.float32), (GRID_PX, GRID_PX))).max() for each in squares])
    return squares[unevenness <= max(LEAST_UNEVEN, STAND_OUT * float(np.median(unevenness)))]


def lay_texture(squares: NDArray[np.int8], rows: int, columns: int, *, stream: np.random.Generator) -> NDArray[np.int8]:
    """Cover `(rows, columns, 3)` with squares `(N, SQUARE_PX, SQUARE_PX, 3)`, each drawn by lot and mirrored by lot."""
    down, across = -(-rows // SQUARE_PX), -(-columns // SQUARE_PX)
    kinds = np.stack([squares, squares[:, ::-1], squares[:, :, ::-1], squares[:, ::-1, ::-1]])
    chosen = kinds[stream.integers(4, size=(down, across)), stream.integers(len(squares), size=(down, across))]
    laid = chosen.transpose(0, 2, 1, 3, 4).reshape(down * SQUARE_PX, across * SQUARE_PX, 3)
    return np.ascontiguousarray(laid[:rows, :columns])


def _find_corners(inside: NDArray[np.bool_], side: int) -> list[tuple[int, int]]:
    """Top and left of squares of background that do not overlap."""
    rows, columns = inside.shape
    if rows < side or columns < side:
        return []
    sums = cv2.integral((~inside).astype(np.uint8))
    tops, lefts = np.arange(0, rows - side + 1, GRID_PX), np.arange(0, columns - side + 1, GRID_PX)
    strays = (
        sums[np.ix_(tops + side, lefts + side)]
        - sums[np.ix_(tops, lefts + side)]
        - sums[np.ix_(tops + side, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    is_free = strays <= STRAY_SHARE * side * side
    reach, corners = side // GRID_PX, []
    for down, across in zip(*(each.tolist() for each in np.nonzero(is_free)), strict=True):
        if is_free[down, across]:
            corners.append((int(tops[down]), int(lefts[across])))
            is_free[max(0, down - reach + 1) : down + reach, max(0, across - reach + 1) : across + reach] = False
    return corners


def _thinned(corners: list[tuple[int, int]], n_most: int) -> list[tuple[int, int]]:
    """At most so many, evenly over the image."""
    n_kept = min(n_most, len(corners))
    return [corners[number * len(corners) // n_kept] for number in range(n_kept)]


def _cut(view: NDArray[np.float32], corner: tuple[int, int], side: int) -> NDArray[np.int8]:
    square = view[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
    away = square - np.rint(np.array(cv2.mean(square)[:3], np.float32))
    return np.asarray(np.clip(away, -128, 127), np.int8)
