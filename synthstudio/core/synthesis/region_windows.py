"""Random square windows around one region of interest, or a group of neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import BoxArray, box_intersections
from synthstudio.domain.records import CropSquare
from synthstudio.settings.region_crops import WindowSettings

MIN_VISIBLE = 0.3
"""A region is on the map when this share of what a window of this size can show of it lies in the window."""

TRIES = 12
"""Windows that are drawn; the first serves that cuts no region below `MIN_VISIBLE`, else the one that hides least."""

ALONE_SHARE = 0.5
"""So many windows are drawn around one region alone, whatever its neighbours."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Size of an image in full-resolution px."""

    width: int
    height: int

    @property
    def short(self) -> int:
        return min(self.width, self.height)


def draw_window(
    boxes: BoxArray, anchor: int, frame: Frame, *, settings: WindowSettings, rng: np.random.Generator
) -> CropSquare:
    """Draw a window around one region and a random number of its neighbours.

    The longer side of their common box takes a random share of the window, from the least to the most of the settings,
    and they lie anywhere within it. The window is always inside the image, so that no pixel has to be made up: it is at
    most as large as the image's shorter side, and at least so large that the crop is not enlarged beyond the limit,
    where the image has so many px.

    Args:
        boxes: Extents `(N, 4)` of all regions on the image, in its px.
        anchor: The region that the window is drawn around.
        frame: Size of the image.
        settings: Share, grouping and enlargement.
        rng: Consumed.
    """
    chosen = boxes[_draw_group(boxes, anchor, frame, settings=settings, rng=rng)]
    around = np.concatenate([chosen[:, :2].min(axis=0), chosen[:, 2:].max(axis=0)])
    starts, sides = _draw_around(around, frame, settings=settings, rng=rng)
    shared = box_intersections(np.hstack([starts, starts + sides[:, None]]).astype(np.float64), boxes)  # (TRIES, N)
    hidden = np.where(_is_visible(shared, boxes, sides), 0.0, shared).sum(axis=1) / sides.astype(np.float64) ** 2
    best = int(np.argmin(hidden))  # the first of several
    return CropSquare(int(starts[best, 0]), int(starts[best, 1]), int(sides[best]))


def visible_regions(boxes: BoxArray, window: CropSquare) -> NDArray[np.bool_]:
    """Which regions `(N,)` are shown by a window: enough of each lies in it, see `MIN_VISIBLE`."""
    edges = np.array([[window.x, window.y, window.x + window.side, window.y + window.side]], np.float64)
    return np.asarray(_is_visible(box_intersections(edges, boxes), boxes, np.array([window.side]))[0])


def _is_visible(shared: NDArray[np.float64], boxes: BoxArray, sides: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The same `(W, N)` for windows of these sides `(W,)`, from the areas `(W, N)` that they share with the boxes."""
    largest = np.minimum(boxes[:, 2:] - boxes[:, :2], sides[:, None, None]).prod(axis=2)
    return np.asarray((shared > 0) & (shared >= MIN_VISIBLE * largest - 1e-9))


def _draw_group(
    boxes: BoxArray, anchor: int, frame: Frame, *, settings: WindowSettings, rng: np.random.Generator
) -> list[int]:
    """The anchor alone, or with a random number of its neighbours."""
    if rng.random() < ALONE_SHARE:
        return [anchor]
    limit = max(settings.least_share, settings.most_share) * frame.short
    group = _grow_group(boxes, anchor, distance=settings.group_distance, limit=limit)
    return group[: int(rng.integers(1, len(group) + 1))]


def _grow_group(boxes: BoxArray, anchor: int, *, distance: float, limit: float) -> list[int]:
    """The anchor and its neighbours, nearest first, and theirs, as long as their common box has sides up to `limit`."""
    group, common = [anchor], boxes[anchor].copy()
    gaps = _gaps(boxes, anchor, distance=distance)
    is_free = _joined_sides(common, boxes) <= limit
    is_free[anchor] = False
    while np.isfinite(gaps[is_free]).any():
        nearest = int(np.argmin(np.where(is_free, gaps, np.inf)))
        group.append(nearest)
        common = np.concatenate(
            [np.minimum(common[:2], boxes[nearest, :2]), np.maximum(common[2:], boxes[nearest, 2:])]
        )
        gaps = np.minimum(gaps, _gaps(boxes, nearest, distance=distance))
        is_free &= _joined_sides(common, boxes) <= limit
        is_free[nearest] = False
    return group


def _joined_sides(common: NDArray[np.float64], boxes: BoxArray) -> NDArray[np.float64]:
    """Longer side `(N,)` of the box around `common` and each of the boxes."""
    sides = np.maximum(common[2:], boxes[:, 2:]) - np.minimum(common[:2], boxes[:, :2])
    return np.asarray(sides.max(axis=1), np.float64)


def _gaps(boxes: BoxArray, member: int, *, distance: float) -> NDArray[np.float64]:
    """Gap `(N,)` between each region and this one; inf beyond `distance` times its longer side."""
    own = boxes[member]
    apart = np.maximum(boxes[:, :2] - own[2:], own[:2] - boxes[:, 2:])
    gaps = np.linalg.norm(np.clip(apart, 0, None), axis=1)
    reach = distance * float((own[2:] - own[:2]).max())
    return np.asarray(np.where(gaps <= reach, gaps, np.inf), np.float64)


def _draw_around(
    around: NDArray[np.float64], frame: Frame, *, settings: WindowSettings, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Top left corners `(TRIES, 2)` and sides `(TRIES,)` of windows around a box."""
    least, most = sorted((settings.least_share, settings.most_share))
    wanted = float((around[2:] - around[:2]).max()) / rng.uniform(least, most, TRIES)
    smallest = math.ceil(settings.side_px / settings.max_enlargement)
    sides = np.minimum(np.maximum(np.rint(wanted).astype(np.int64), max(1, smallest)), frame.short)
    starts = [
        _draw_starts(around[axis], around[axis + 2], sides, length, rng=rng)
        for axis, length in enumerate((frame.width, frame.height))
    ]
    return np.stack(starts, axis=1), sides


def _draw_starts(
    first: float, last: float, sides: NDArray[np.int64], length: int, *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Where windows begin so that they hold first..last whole, or, where they are shorter, lie within them."""
    ends = np.stack([last - sides, np.full(len(sides), first)])
    low = np.clip(np.ceil(ends.min(axis=0)), 0, length - sides).astype(np.int64)
    high = np.clip(np.floor(ends.max(axis=0)), 0, length - sides).astype(np.int64)
    return np.asarray(rng.integers(low, np.maximum(low, high) + 1), np.int64)
