"""Windows that cover an image and overlap, for detectors: each is searched alone, and the boxes are put together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from synthstudio.engine.networks.base import round_up

BORDER_PX = 8
"""Nearer than this to a border of a window that cuts the image, a box may be that of a part of an object."""


class Window(NamedTuple):
    """A part of an image, in px, ends exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def overlapping_windows(height: int, width: int, *, side: int, overlap: int, alignment: int) -> list[Window]:
    """Cover an image with as few windows as can be that share `overlap` px or more with their neighbours.

    All are of one size, so that they make batches, and no larger than they must be for their number.

    Args:
        height, width: Of the image.
        side: Greatest side of a window, a multiple of `alignment` and above `overlap`.
        overlap: What neighbours share.
        alignment: Sides are multiples of this where the image is larger than a window.
    """
    n_rows, tops = _along(height, side=side, overlap=overlap, alignment=alignment)
    n_columns, lefts = _along(width, side=side, overlap=overlap, alignment=alignment)
    return [Window(left, top, left + n_columns, top + n_rows) for top in tops for left in lefts]


def _along(length: int, *, side: int, overlap: int, alignment: int) -> tuple[int, list[int]]:
    """Length and starts of the windows along one axis."""
    if length <= side:
        return length, [0]
    count = -(-(length - overlap) // (side - overlap))
    least = -(-(length + (count - 1) * overlap) // count)
    size = min(length, side, round_up(least, alignment))
    return size, [number * (length - size) // (count - 1) for number in range(count)]


def whole_in_window(boxes: Tensor, window: Window, *, height: int, width: int, overlap: int) -> Tensor:
    """Tell which boxes are not cut by a border of the window beyond which the image goes on.

    A box at such a border is left to the neighbour, which sees it whole: unless it is too long for what they share.

    Args:
        boxes: `(N, 4)` in px of the image.
        window: Where they were found.
        height, width: Size of the image.
        overlap: What windows share, px.

    Returns:
        `(N,)` bool.
    """
    is_short = boxes[:, 2:] - boxes[:, :2] <= overlap - 2 * BORDER_PX  # (N, 2) across, down
    is_cut = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    if window.left > 0:
        is_cut |= is_short[:, 0] & (boxes[:, 0] < window.left + BORDER_PX)
    if window.top > 0:
        is_cut |= is_short[:, 1] & (boxes[:, 1] < window.top + BORDER_PX)
    if window.right < width:
        is_cut |= is_short[:, 0] & (boxes[:, 2] > window.right - BORDER_PX)
    if window.bottom < height:
        is_cut |= is_short[:, 1] & (boxes[:, 3] > window.bottom - BORDER_PX)
    return ~is_cut
