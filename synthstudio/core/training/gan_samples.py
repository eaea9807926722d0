"""The samples of a GAN's training: always the same held-out crops, side by side with what is made of their maps."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.maps import MapRequest

SAMPLES = "samples"
"""Folder of the pictures, in the run's."""
GAP_PX = 2
GAP_LEVEL = 128
MAX_PREVIEW_PX = 640
N_ROWS = 3
"""Of a picture: maps, real crops, synthetic images."""


def sample_name(step: int) -> str:
    """Name of the picture of a step, within the run's folder."""
    return f"{SAMPLES}/{step:06d}.png"


def find_samples(folder: Path) -> list[tuple[int, Path]]:
    """Steps and pictures of a run, by rising step."""
    named = [(path.stem, path) for path in (folder / SAMPLES).glob("*.png")]
    return sorted((int(stem), path) for stem, path in named if stem.isdecimal())


def choose_spread(requests: Sequence[MapRequest], count: int) -> list[int]:
    """Choose crops of as many different conditions and tones as there can be, in turns.

    Args:
        requests: What each crop shows; its first region tells its condition.
        count: How many at most.

    Returns:
        Their numbers: next comes always the condition that was shown least, in the tone that was shown least.
    """
    waiting: defaultdict[tuple[str, int], deque[int]] = defaultdict(deque)
    for number, each in enumerate(requests):
        waiting[each.regions[0].class_name if each.regions else "", each.tone].append(number)
    n_shown: Counter[str | int] = Counter()
    chosen: list[int] = []
    while waiting and len(chosen) < count:
        kind = min(waiting, key=lambda each: (n_shown[each[0]], n_shown[each[1]], each))
        n_shown.update(kind)
        chosen.append(waiting[kind].popleft())
        if not waiting[kind]:
            del waiting[kind]
    return chosen


def sample_grid(*rows: NDArray[np.uint8]) -> ImageArray:
    """Rows of images `(N, S, S, 3)` as one picture `(R S + gaps, N S + gaps, 3)`."""
    side = rows[0].shape[1]
    step = side + GAP_PX
    grid = np.full((len(rows) * step - GAP_PX, len(rows[0]) * step - GAP_PX, 3), GAP_LEVEL, np.uint8)
    for y, images in enumerate(rows):
        for x, image in enumerate(images):
            grid[y * step : y * step + side, x * step : x * step + side] = image
    return grid


def shrink_preview(grid: ImageArray) -> ImageArray:
    """The picture small enough to be sent along."""
    factor = MAX_PREVIEW_PX / max(grid.shape[:2])
    if factor >= 1.0:
        return grid
    size = (round(grid.shape[1] * factor), round(grid.shape[0] * factor))
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_AREA), np.uint8)
