"""Sequential crops of whole FOVs, and which classes are present on each.

The comparison model of the paper trains on such crops; every model is scored on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import BoxArray, box_areas, box_intersections
from synthstudio.core.imaging import ImageArray


@dataclass(frozen=True, slots=True)
class MarkedImage:
    """An FOV at the working scale with what is known about it.

    Attributes:
        fov_id: Its id.
        group: Id of its sample.
        image: `(H, W, 3)` uint8 RGB, at least one crop in size.
        extents: `(N, 4)` boxes of the objects in px of `image`; a centre click has its class's mean size.
        labels: `(N,)` index of each object's class.
        is_exhaustive: Every object on it is marked, so that an unmarked place is empty.
    """

    fov_id: int
    group: int
    image: ImageArray
    extents: BoxArray
    labels: NDArray[np.int64]
    is_exhaustive: bool


@dataclass(frozen=True, slots=True)
class CropPlace:
    """Where a crop lies: number of its image in a list, and its top left corner in px."""

    image: int
    x: int
    y: int


def crop_origins(length: int, side: int) -> list[int]:
    """Starts of the fewest crops of `side` px that cover `length` px, evenly spread; they overlap where need be."""
    if length <= side:
        return [0]
    count = -(-length // side)
    return [round(step * (length - side) / (count - 1)) for step in range(count)]


def plan_crops(images: list[MarkedImage], side: int) -> list[CropPlace]:
    """Cut every image sequentially, row by row."""
    return [
        CropPlace(number, x, y)
        for number, marked in enumerate(images)
        for y in crop_origins(marked.image.shape[0], side)
        for x in crop_origins(marked.image.shape[1], side)
    ]


def pad_to_side(image: ImageArray, side: int) -> ImageArray:
    """Extend an image that is smaller than a crop, at its right and bottom, by mirroring."""
    below, right = max(0, side - image.shape[0]), max(0, side - image.shape[1])
    if not below and not right:
        return image
    # BORDER_REFLECT repeats as often as need be, so it also serves an image smaller than half a crop.
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REFLECT), np.uint8)


def presence_on(marked: MarkedImage, place: CropPlace, *, side: int, n_classes: int, min_visible: float) -> NDArray[np.bool_]:
    """Which classes are present on a crop.

    An object counts when at least `min_visible` of its extent lies on the crop; of an object larger than the crop,
    when it fills that share of the crop.

    Returns:
        `(n_classes,)`.
    """
    window = np.array([[place.x, place.y, place.x + side, place.y + side]], np.float64)
    shared = box_intersections(marked.extents, window)[:, 0]
    needed = min_visible * np.minimum(box_areas(marked.extents), float(side * side))
    present = np.zeros(n_classes, np.bool_)
    present[marked.labels[(shared > 0) & (shared >= needed)]] = True
    return present


def crop_labels(
    images: list[MarkedImage], places: list[CropPlace], *, side: int, n_classes: int, min_visible: float
) -> NDArray[np.bool_]:
    """Presence on all crops, `(len(places), n_classes)`."""
    rows = [
        presence_on(images[place.image], place, side=side, n_classes=n_classes, min_visible=min_visible)
        for place in places
    ]
    return np.stack(rows) if rows else np.zeros((0, n_classes), np.bool_)


def cut(images: list[MarkedImage], places: list[CropPlace], side: int) -> NDArray[np.uint8]:
    """Pixels of the crops, `(len(places), side, side, 3)` uint8."""
    batch = np.empty((len(places), side, side, 3), np.uint8)
    for row, place in zip(batch, places, strict=True):
        row[:] = images[place.image].image[place.y : place.y + side, place.x : place.x + side]
    return batch
