"""The real images that a generated one is most like, among all that its generator has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from synthstudio.core.evaluation.nearest import (
    PICTURE_PX,
    PictureArray,
    correlate_pictures,
    small_pictures,
)
from synthstudio.core.imaging import ImageArray, read_or_open
from synthstudio.core.synthesis.set_header import read_set_header
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.project.learned_windows import RealWindow, list_learned_windows
from synthstudio.project.project import Project

MAX_WINDOWS = 4000
"""Squares that are kept, spread evenly over all: 12 kB each."""
READ_PX = 2 * PICTURE_PX


@dataclass(frozen=True, slots=True)
class RealNeighbour:
    """A real square and how like it an image is: correlation of small pictures, -1 to 1, the best of the eight
    orientations."""

    real: RealWindow
    correlation: float


@dataclass(frozen=True, slots=True, eq=False)
class RealLibrary:
    """Small pictures of real squares.

    Attributes:
        windows: N squares.
        pictures: `(N, P)` of `small_pictures`.
    """

    windows: tuple[RealWindow, ...]
    pictures: PictureArray

    def find_nearest(self, image: ImageArray, *, count: int) -> list[RealNeighbour]:
        """The squares that an image, `(H, W, 3)` uint8 RGB, is most like, of each FOV one, nearest first."""
        if not self.windows:
            return []
        best = correlate_pictures(small_pictures([image]), self.pictures)[0]
        found: dict[int, RealNeighbour] = {}
        for place in np.argsort(-best, kind="stable").tolist():
            if len(found) == count:
                break
            window = self.windows[place]
            found.setdefault(window.fov.id, RealNeighbour(window, float(best[place])))
        return list(found.values())


def build_real_library(project: Project, set_name: str, *, tick: Tick = no_tick) -> RealLibrary:
    """Read what the generators of a set learned from; files that cannot be read are passed over.

    Raises:
        NotFound: There is no such set.
        UserError: Its header is missing or damaged.
    """
    header = read_set_header(project.set_folder(project.sets.get(set_name).name))
    listed = _thinned(list_learned_windows(project, header))
    windows: list[RealWindow] = []
    squares: list[ImageArray] = []
    for _, group in groupby(listed, key=lambda each: each.fov.id):
        own = list(group)
        tick(len(windows), len(listed))
        try:
            image = read_or_open(Path(own[0].fov.path), page=own[0].fov.page)
            squares += [cut_square(image, each.window, side=READ_PX, name=each.fov.name) for each in own]
        except UserError:
            continue  # the list of fields says what is wrong with it
        windows += own
    pictures = small_pictures(squares) if squares else np.zeros((0, 1), np.float32)
    return RealLibrary(tuple(windows), pictures)


def _thinned(windows: Sequence[RealWindow]) -> list[RealWindow]:
    ordered = sorted(windows, key=lambda each: each.fov.id)
    if len(ordered) <= MAX_WINDOWS:
        return ordered
    return [ordered[place] for place in np.linspace(0, len(ordered) - 1, MAX_WINDOWS).round().astype(int).tolist()]
