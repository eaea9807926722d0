"""Dashed outlines: what a model suggests is told from what a person marked by them, whatever the colour."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DASH_PX, GAP_PX = 6.0, 4.0
"""Widget px of a dash and of the gap after it, about: a side is cut into equal parts."""
MAX_DASHES = 64
"""On one side: a box at a deep zoom gets longer ones."""


def dash_pattern(length: float, *, line: float, dpr: float) -> list[float]:
    """Dash and gap in widths of the line, for a closed outline that is so long (device px), without a seam."""
    n_dashes = max(4, round(length / ((DASH_PX + GAP_PX) * dpr)))
    period = length / n_dashes / line
    share = DASH_PX / (DASH_PX + GAP_PX)
    return [period * share, period * (1 - share)]


def dashed_edges(frames: NDArray[np.int32], *, line: int, dpr: float, rim: int = 0) -> NDArray[np.int32]:
    """Filled rectangles for the dashes of frames.

    Args:
        frames: (N, 4) int32 device px: left, top, right, bottom.
        line: Thickness, device px.
        dpr: Device pixels per widget px.
        rim: Device px by which each dash is thicker on both sides: for what sets it off from the image.

    Returns:
        (K, 4) int32: left, top, right, bottom, end exclusive. Corners are always drawn.
    """
    x0, y0, x1, y1 = frames.T - line // 2
    level, upright = _dashes(x0, x1 + line, dpr=dpr), _dashes(y0, y1 + line, dpr=dpr)
    parts = []
    for y in (y0, y1):
        of, start, stop = level
        parts.append(np.stack([start, y[of] - rim, stop, y[of] + line + rim], axis=1))
    for x in (x0, x1):
        of, start, stop = upright
        parts.append(np.stack([x[of] - rim, start, x[of] + line + rim, stop], axis=1))
    return np.concatenate(parts).astype(np.int32)


def _dashes(
    start: NDArray[np.int32], stop: NDArray[np.int32], *, dpr: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Dashes of lines, with half a dash at both ends: the line that each belongs to, its start and its end."""
    length = (stop - start).astype(np.float64)
    n_gaps = np.clip(np.rint(length / ((DASH_PX + GAP_PX) * dpr)), 1, MAX_DASHES).astype(np.int64)
    of = np.repeat(np.arange(len(start)), n_gaps + 1)
    number = np.arange(of.size) - np.repeat(np.cumsum(n_gaps + 1) - n_gaps - 1, n_gaps + 1)
    period = (length / n_gaps)[of]
    half_dash = period * DASH_PX / (DASH_PX + GAP_PX) / 2
    first = start[of] + np.maximum(number * period - half_dash, 0.0)
    last = start[of] + np.minimum(number * period + half_dash, length[of])
    return of, np.rint(first).astype(np.int64), np.maximum(np.rint(last), np.rint(first) + 1).astype(np.int64)


def dashed_ring_pen(diameter: float, *, line: float, dpr: float) -> list[float]:
    """The dash pattern of a circle of a diameter in device px."""
    return dash_pattern(math.pi * diameter, line=line, dpr=dpr)
