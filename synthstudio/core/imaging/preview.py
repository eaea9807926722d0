"""The first sight of a large image: from a small copy in the file, or from a spread of samples within a time limit."""

from __future__ import annotations

import time

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.source import ImageSource, read_shrunken

PREVIEW_PX = 1024
MAX_READ_PX = 4096
"""A stored copy up to this side is read whole for the first sight."""
BAND_PX = 2048
BAND_PIXELS = 16_000_000
"""About so many px are read at once for an overview."""
CELLS_ALONG = 24
SAMPLE_PX = 384
STRIDES = (8, 4, 2, 1)


def has_small_copy(source: ImageSource) -> bool:
    """Whether the file holds a copy that is small enough to be read at once."""
    return max(source.levels[-1].width, source.levels[-1].height) <= MAX_READ_PX


def read_preview(source: ImageSource, *, budget_s: float = 0.12) -> ImageArray:
    """Return a small picture of the whole image, `(h, w, 3)` uint8 RGB with a longer side of `PREVIEW_PX`.

    Without a small copy in the file it is made of single samples, evenly spread: true in its colours, not in detail.

    Raises:
        UserError: The file cannot be read or is damaged.
    """
    factor = min(1.0, PREVIEW_PX / max(source.width, source.height))
    size = (max(1, round(source.width * factor)), max(1, round(source.height * factor)))
    if has_small_copy(source):
        return read_shrunken(source, (0, 0, source.width, source.height), size)
    cells = _sample_cells(source, time.monotonic() + budget_s)
    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def read_overview(source: ImageSource, size: tuple[int, int]) -> ImageArray:
    """Return the whole image averaged to a width and height; all of it is read, in parts of bounded size.

    Raises:
        UserError: The file cannot be read or is damaged.
    """
    level_index = source.level_for(max(1.0, source.width / size[0]))
    level = source.levels[level_index]
    part_width, part_height = source.part_size(level_index)
    n_columns = max(1, min(size[0], level.width // max(part_width, BAND_PX)))
    n_rows = max(1, min(size[1], level.height // max(part_height, 1 if part_width == level.width else BAND_PX)))
    n_rows = min(n_rows, max(1, -(-level.height * level.width // n_columns // BAND_PIXELS)))
    out = np.zeros((size[1], size[0], 3), np.uint8)
    for row in range(n_rows):
        top, bottom = size[1] * row // n_rows, size[1] * (row + 1) // n_rows
        for column in range(n_columns):
            left, right = size[0] * column // n_columns, size[0] * (column + 1) // n_columns
            box = (
                left * source.width // size[0],
                top * source.height // size[1],
                right * source.width // size[0],
                bottom * source.height // size[1],
            )
            out[top:bottom, left:right] = read_shrunken(source, box, (right - left, bottom - top))
    return out


def _sample_cells(source: ImageSource, until: float) -> ImageArray:
    """Return mean colours on a grid; those that time did not allow are like their nearest neighbour."""
    per_cell = max(source.width, source.height) / CELLS_ALONG
    n_x, n_y = max(1, round(source.width / per_cell)), max(1, round(source.height / per_cell))
    cells, is_known = np.zeros((n_y, n_x, 3), np.uint8), np.zeros((n_y, n_x), np.bool_)
    for stride in STRIDES:
        for row in range(stride // 2, n_y, stride):
            for column in range(stride // 2, n_x, stride):
                if is_known[row, column] or (time.monotonic() > until and is_known.any()):
                    continue
                cells[row, column] = _sample(source, (column + 0.5) / n_x, (row + 0.5) / n_y)
                is_known[row, column] = True
    if not is_known.any():  # too few cells for any stride but the last
        cells[0, 0], is_known[0, 0] = _sample(source, 0.5, 0.5), True
    return _fill(cells, is_known)


def _sample(source: ImageSource, along_x: float, along_y: float) -> NDArray[np.float64]:
    """Mean colour round a place, over the stored part that holds it: it is decoded anyway."""
    width, height = source.part_size(0)
    x, y = min(int(source.width * along_x), source.width - 1), min(int(source.height * along_y), source.height - 1)
    x0 = max(x // width * width, x - SAMPLE_PX // 2)
    y0 = max(y // height * height, y - SAMPLE_PX // 2)
    x1 = min((x // width + 1) * width, x0 + SAMPLE_PX, source.width)
    y1 = min((y // height + 1) * height, y0 + SAMPLE_PX, source.height)
    box = (x0, y0, x1, y1)
    return np.array(cv2.mean(source.read_region(0, box))[:3])


def _fill(cells: ImageArray, is_known: NDArray[np.bool_]) -> ImageArray:
    rows, columns = np.nonzero(is_known)
    at_row, at_column = np.mgrid[0 : cells.shape[0], 0 : cells.shape[1]]
    away = (at_row[..., None] - rows) ** 2 + (at_column[..., None] - columns) ** 2
    nearest = np.argmin(away, axis=-1)
    return np.asarray(cells[rows[nearest], columns[nearest]], np.uint8)
