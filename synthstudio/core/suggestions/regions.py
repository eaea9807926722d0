"""Where on a large FOV a look is worth most: windows with much doubt, or where two runs differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthstudio.core.stats import FloatArray
from synthstudio.core.suggestions.criteria import DOUBTFUL, Candidate, find_differences, measure_doubt
from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import Box

OBJECTS_ACROSS = 10
"""A window is as wide as so many objects of the largest class: what one sees at a glance."""
LEAST_SIDE_PX = 192
WIDE_FROM = 1.5
"""An FOV that is not wider than so many windows is looked at as a whole."""


@dataclass(frozen=True, slots=True)
class Region:
    """A window of an FOV.

    Attributes:
        worth: Doubtful suggestions in it, each counted by its doubt, and places where two runs differ, each as one.
        n_doubtful, n_differing: How many of both.
    """

    box: Box
    worth: float
    n_doubtful: int
    n_differing: int

    @property
    def reason(self) -> str:
        """In words, what there is to look at."""
        told = [f"{self.n_doubtful} doubtful"] if self.n_doubtful else []
        told += [f"{self.n_differing} where the models differ"] if self.n_differing else []
        return ", ".join(told) or "slight doubts"


def window_side(sizes_px: Mapping[ClassId, float], *, width: int, height: int) -> int | None:
    """Side in px of the windows of an FOV of this size; None where it is looked at as a whole."""
    side = max(LEAST_SIDE_PX, math.ceil(OBJECTS_ACROSS * max(sizes_px.values(), default=0.0)))
    return side if max(width, height) > WIDE_FROM * side else None


def rank_regions(candidate: Candidate, *, width: int, height: int, count: int = 3) -> list[Region]:
    """Choose windows of an FOV, the one that is worth most first; what one holds is not counted for the next.

    Args:
        candidate: The FOV.
        width, height: In px.
        count: At most so many; none where the FOV is looked at as a whole, or nothing on it is in doubt.
    """
    side = window_side(candidate.sizes_px, width=width, height=height)
    if side is None or candidate.proposals is None:
        return []
    likely = candidate.proposals.probabilities()
    differing, _ = find_differences(candidate)
    places = np.array([(mark.x, mark.y) for mark in (*candidate.proposals.marks, *differing)], np.float64)
    worth = np.concatenate([measure_doubt(likely), np.ones(len(differing))])
    is_doubtful = np.concatenate([(likely > DOUBTFUL[0]) & (likely < DOUBTFUL[1]), np.zeros(len(differing), bool)])
    differs = np.arange(len(worth)) >= len(likely)
    found: list[Region] = []
    while len(found) < count and worth.any():
        box = _best_window(places, worth, side=side, width=width, height=height)
        inside = (places[:, 0] >= box.x0) & (places[:, 0] < box.x1) & (places[:, 1] >= box.y0) & (places[:, 1] < box.y1)
        n_doubtful, n_differing = int((inside & is_doubtful).sum()), int((inside & differs).sum())
        if not n_doubtful and not n_differing:
            break
        found.append(Region(box, float(worth[inside].sum()), n_doubtful, n_differing))
        worth, is_doubtful, differs = worth * ~inside, is_doubtful & ~inside, differs & ~inside
    return found


def _best_window(places: FloatArray, worth: FloatArray, *, side: int, width: int, height: int) -> Box:
    """The window, on a grid of half its side, that holds most.

    Args:
        places: `(N, 2)` x, y in px.
        worth: `(N,)`.
    """
    half = side / 2
    columns, rows = max(2, math.ceil(width / half)), max(2, math.ceil(height / half))
    column = np.clip((places[:, 0] // half).astype(np.int64), 0, columns - 1)
    row = np.clip((places[:, 1] // half).astype(np.int64), 0, rows - 1)
    cells = np.zeros((rows, columns))
    np.add.at(cells, (row, column), worth)
    windows = cells[:-1, :-1] + cells[1:, :-1] + cells[:-1, 1:] + cells[1:, 1:]
    best_row, best_column = np.unravel_index(int(windows.argmax()), windows.shape)
    x0, y0 = float(best_column) * half, float(best_row) * half
    # The last row and column of cells may reach beyond the image: the window is moved in, where it fits.
    x0, y0 = max(0.0, min(x0, width - side)), max(0.0, min(y0, height - side))
    return Box(x0, y0, min(x0 + side, float(width)), min(y0 + side, float(height)))
