"""Where on a class map an answer comes from: the gradient of the pooled logit, on images larger than the training's.

A network is trained on crops, and its pooling compares the places of one crop. On a whole FOV the pooling would compare
all places with one another, and one strong object would take the gradient from all others. So the answer of a large map
is taken window by window, in windows as large as a training crop, and each cell gets the average over all windows that
hold it. A window counts by the probability that the class is on it: a gradient alone does not know that there is
nothing to be seen. On an image no larger than a window this is the gradient itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthstudio.engine.networks.answers import probabilities
from synthstudio.settings.train_classifier import Task

WINDOWS_ACROSS = 8
"""A cell is held by up to the square of this number of windows."""


def relative_gradient(
    maps: Tensor, pool: nn.Module, *, window: int, task: Task = "multi-label"
) -> tuple[Tensor, Tensor]:
    """Gradient of the pooled answer with respect to a class map, relative to an even one.

    Args:
        maps: Class maps `(C, h, w)` of a whole image.
        pool: Turns `(N, C, h, w)` into logits `(N, C)`.
        window: Side of a training crop in cells.
        task: What the network was trained for: makes probabilities of its logits.

    Returns:
        `(C, h, w)`: 1 where a cell counts as much as in the average of its window, 0 where it does not count; and the
        mean weight of the windows `(C,)`, 1 where there is but one.
    """
    _, height, width = maps.shape
    side_y, side_x = min(window, height), min(window, width)
    rows, columns = _starts(height, side_y), _starts(width, side_x)
    is_single = len(rows) == len(columns) == 1
    total, weights = torch.zeros_like(maps), torch.zeros(len(maps))
    for row in rows:
        band = maps[:, row : row + side_y].detach().clone().requires_grad_()
        with torch.enable_grad():
            answers = pool(_windows(band, columns, side_x))  # (n, C)
            weight = torch.ones_like(answers) if is_single else probabilities(answers.detach(), task)
            (found,) = torch.autograd.grad((answers * weight).sum(), band)
        total[:, row : row + side_y] += found * (side_y * side_x)
        weights += weight.sum(dim=0)
    n_windows = _counts(rows, side_y, height)[:, None] * _counts(columns, side_x, width)
    return total / n_windows, weights / (len(rows) * len(columns))


def _windows(band: Tensor, columns: list[int], side: int) -> Tensor:
    """Windows `(n, C, side_y, side_x)` of a band `(C, side_y, w)`."""
    step = columns[1] - columns[0] if len(columns) > 1 else side
    regular = band.unfold(2, side, step).permute(2, 0, 1, 3)
    # The last one, which ends where the band ends, may lie nearer to its neighbour than the others.
    is_regular = len(regular) == len(columns)
    return regular if is_regular else torch.cat([regular, band[None, :, :, columns[-1] :]])


def _starts(length: int, side: int) -> list[int]:
    """Starts of windows that together hold every cell; the last one ends where the map ends."""
    step = max(1, side // WINDOWS_ACROSS)
    return sorted({*range(0, length - side + 1, step), length - side})


def _counts(starts: list[int], side: int, length: int) -> Tensor:
    """By how many windows each cell of an axis is held, `(length,)`."""
    counts = torch.zeros(length)
    for start in starts:
        counts[start : start + side] += 1
    return counts
