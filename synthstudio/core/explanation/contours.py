"""Contour lines of a map: where it crosses a level, between its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.explanation.maps import Cam

SegmentArray = NDArray[np.float64]
"""Pieces of lines `(N, 4)`: x0, y0, x1, y1 in px."""

_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
# Which sides of a square of four neighbouring values a line joins, by the corners that lie above the level: 1 top left,
# 2 top right, 4 bottom right, 8 bottom left. With two opposite corners the line goes round each of them.
_JOINED: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((_LEFT, _TOP),),
    2: ((_TOP, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_RIGHT, _BOTTOM),),
    5: ((_LEFT, _TOP), (_RIGHT, _BOTTOM)),
    6: ((_TOP, _BOTTOM),),
    7: ((_LEFT, _BOTTOM),),
    8: ((_BOTTOM, _LEFT),),
    9: ((_BOTTOM, _TOP),),
    10: ((_TOP, _RIGHT), (_BOTTOM, _LEFT)),
    11: ((_BOTTOM, _RIGHT),),
    12: ((_RIGHT, _LEFT),),
    13: ((_RIGHT, _TOP),),
    14: ((_TOP, _LEFT),),
}


def contour_segments(cam: Cam, *, level: float, px_per_cell: float = 1.0) -> SegmentArray:
    """Find where a map crosses a level, by marching squares.

    Args:
        cam: `(h, w)`.
        level: Value of the line.
        px_per_cell: Side of a cell in the wanted unit; a cell's value belongs to its middle.

    Returns:
        `(N, 4)`, unordered; lines are closed where they do not leave the map.
    """
    # Below the level all around, so that lines close at the edge of the map.
    values = np.pad(np.asarray(cam, np.float64), 1, constant_values=min(level, float(cam.min())) - 1e-9)
    above = values > level
    kind = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    found = []
    for number, joined in _JOINED.items():
        rows, columns = np.nonzero(kind == number)
        if not rows.size:
            continue
        for first, second in joined:
            ends = [_crossing(values, rows, columns, side=side, level=level) for side in (first, second)]
            found.append(np.concatenate(ends, axis=1))
    # Half a cell to the middle, one cell back for the padding.
    return (np.concatenate(found) - 0.5) * px_per_cell if found else np.empty((0, 4))


def _crossing(
    values: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], *, side: int, level: float
) -> NDArray[np.float64]:
    """Points `(N, 2)`, x and y, where the level lies on a side of squares."""
    top, left = rows + (side == _BOTTOM), columns + (side == _RIGHT)
    is_flat = side in (_TOP, _BOTTOM)
    one = values[top, left]
    other = values[top, left + 1] if is_flat else values[top + 1, left]
    share = (level - one) / (other - one)
    return np.stack([left + share * is_flat, top + share * (not is_flat)], axis=1)
