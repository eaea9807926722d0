"""What the objects of a data set are like, in numbers: class balance, spread by class, and place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_filter import SPLIT_NAMES

MAP_BINS = 16
_ENDS = (5.0, 50.0, 95.0)


@dataclass(frozen=True, slots=True, eq=False)
class ClassBalance:
    """The objects of some images by class.

    Attributes:
        name: Which images: a split, or "none" for those without one.
        n_images: How many.
        counts: `(classes,)` int64, objects of each class.
    """

    name: str
    n_images: int
    counts: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """`(classes,)` of all objects; nan where there is none."""
        total = int(self.counts.sum())
        return self.counts / total if total else np.full(len(self.counts), math.nan)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of some values, and the percentiles 5 and 95; nan where there are none."""

    n: int
    median: float
    p5: float
    p95: float


def count_classes(table: GalleryTable) -> NDArray[np.int64]:
    """Count the objects of each class on each image, `(images, classes)`; `table` is one of objects."""
    counts = np.zeros((len(table.fov_ids), len(table.class_names)), np.int64)
    np.add.at(counts, (table.fov, table.class_of), 1)
    return counts


def balance_by_split(table: GalleryTable) -> list[ClassBalance]:
    """Count the objects by class in each split that has images, those without a split last."""
    counts = count_classes(table)
    found = [(name, table.images.split_of == place) for place, name in enumerate(SPLIT_NAMES)]
    return [ClassBalance(name, int(rows.sum()), counts[rows].sum(axis=0)) for name, rows in found if rows.any()]


def balance_of_all(table: GalleryTable, name: str) -> ClassBalance:
    """Count the objects of all images by class."""
    return ClassBalance(name, len(table.fov_ids), count_classes(table).sum(axis=0))


def spread_by_class(table: GalleryTable, values: NDArray[np.float64]) -> tuple[Spread, ...]:
    """How a value `(N,)` of the objects spreads in each class."""
    return tuple(_spread(values[rows_of_class(table, name)]) for name in table.class_names)


def _spread(values: NDArray[np.float64]) -> Spread:
    if not len(values):
        return Spread(0, math.nan, math.nan, math.nan)
    low, middle, high = np.percentile(values, _ENDS).tolist()
    return Spread(len(values), middle, low, high)


def map_places(table: GalleryTable, *, class_name: str = "") -> NDArray[np.float64]:
    """Where on the image the centres of the objects are.

    Returns:
        `(MAP_BINS, MAP_BINS)` float64, share of the objects in each part of the image's height (first axis, from the
        top) and width; nan where there is no object. A centre beyond the edge belongs to the outermost part.
    """
    shares = relative_places(table, rows_of_class(table, class_name))
    if not len(shares):
        return np.full((MAP_BINS, MAP_BINS), math.nan)
    across, down = np.clip((shares * MAP_BINS).astype(np.int64), 0, MAP_BINS - 1).T
    counts = np.bincount(down * MAP_BINS + across, minlength=MAP_BINS**2).reshape(MAP_BINS, MAP_BINS)
    return counts / len(shares)


def relative_places(table: GalleryTable, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Centres of some objects as shares of width and height, `(len(rows), 2)`, 0-1; at the edge for one beyond it."""
    return np.clip(table.centers[rows] / np.maximum(table.fov_sides[table.fov[rows]], 1.0), 0.0, 1.0)


def rows_of_class(table: GalleryTable, class_name: str) -> NDArray[np.int64]:
    """The objects of a class, or of all where its name is empty, whose extent and place are numbers."""
    kept = np.isfinite(table.size) & np.isfinite(table.aspect) & np.isfinite(table.centers).all(axis=1)
    if class_name:
        place = table.class_names.index(class_name) if class_name in table.class_names else -2
        kept &= table.class_of == place
    return np.flatnonzero(kept)
