"""Answers for whole images by networks whose cells see the whole input: windows that overlap, blended.

Attention and squeeze-and-excitation compare each place with all others, so that a tile's answers depend on the tile.
What such a network has learned, it has learned on images of the training's size: whole images are therefore read in
windows of that size. Each reaches to the middle of the next, and its answers fade out towards its edges: there is no
seam, and the size of the image does not matter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.networks.base import GridNetwork, round_up

WINDOWS_AT_ONCE = 8


def window_starts(length: int, *, window: int, alignment: int) -> list[int]:
    """Where windows begin along an axis, in px.

    Args:
        length: Of the axis, a multiple of `alignment` and not below `window`.
        window: Side of a window, a multiple of `alignment`.
        alignment: Windows begin at multiples of this.

    Returns:
        Ascending; each window but the last begins half a window, at most, behind the one before; the last ends where
        the axis ends.
    """
    step = max(alignment, window // 2 // alignment * alignment)
    return [*range(0, length - window, step), length - window]


def fading_weight(n_cells: int) -> Tensor:
    """Weight of each cell of a window along an axis, `(n_cells,)`: greatest in the middle, above 0 everywhere."""
    places = torch.arange(n_cells) + 0.5
    return torch.minimum(places, n_cells - places)


@torch.inference_mode()
def windowed_grid(
    network: GridNetwork,
    image: Tensor,
    *,
    tick: Tick = no_tick,
    answer: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Answers for one image.

    Args:
        network: In eval mode, with its `window_px`.
        image: `(3, H, W)` normalised, on the network's device, its sides multiples of the network's alignment.
        tick: Called once per few windows.
        answer: Gives what is wanted of windows `(N, 3, S, S)` on the network's grid, where that is not its own answers.

    Returns:
        `(K, H / stride, W / stride)` on the CPU.
    """
    stride, alignment = network.stride, network.alignment
    height, width = image.shape[1:]
    # An image smaller than a window is not enlarged to it: such networks take images of any size.
    sides = [min(round_up(network.window_px, alignment), length) for length in (height, width)]
    rows = window_starts(height, window=sides[0], alignment=alignment)
    columns = window_starts(width, window=sides[1], alignment=alignment)
    places = [(top, left) for top in rows for left in columns]
    weight = fading_weight(sides[0] // stride)[:, None] * fading_weight(sides[1] // stride)  # (h, w)
    weights = torch.zeros((height // stride, width // stride))
    total: Tensor | None = None
    for start in range(0, len(places), WINDOWS_AT_ONCE):
        tick(start, len(places))
        some = places[start : start + WINDOWS_AT_ONCE]
        seen = torch.stack([image[:, top : top + sides[0], left : left + sides[1]] for top, left in some])
        answers = (answer or network.grid)(seen).float().cpu()  # (n, K, h, w)
        if total is None:
            total = torch.zeros((answers.shape[1], *weights.shape))
        for (top, left), found in zip(some, answers, strict=True):
            down = slice(top // stride, (top + sides[0]) // stride)
            across = slice(left // stride, (left + sides[1]) // stride)
            total[:, down, across] += found * weight
            weights[down, across] += weight
    assert total is not None  # an image has at least one pixel, so there is a window
    return total / weights
