"""Sequential crops of whole FOVs, and which classes are present on each.

The comparison model of the paper trains on such crops; every model is scored on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import BoxArray, box_areas, box_intersections
from synthstudio.core.imaging import ImageArray
from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import CropLabel, CropSquare


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


CropPlace = tuple[int, int]
"""Top left corner of a crop, `x, y` in px."""


def crop_origins(length: int, side: int) -> list[int]:
    """Starts of the fewest crops of `side` px that cover `length` px, evenly spread; they overlap where need be."""
    if length <= side:
        return [0]
    count = -(-length // side)
    return [round(step * (length - side) / (count - 1)) for step in range(count)]


def plan_crops(width: int, height: int, side: int) -> list[CropPlace]:
    """Places of the sequential crops of an image, row by row."""
    return [(x, y) for y in crop_origins(height, side) for x in crop_origins(width, side)]


def pad_to_side(image: ImageArray, side: int) -> ImageArray:
    """Extend an image that is smaller than a crop, at its right and bottom, by mirroring."""
    below, right = max(0, side - image.shape[0]), max(0, side - image.shape[1])
    if not below and not right:
        return image
    # BORDER_REFLECT repeats as often as need be, so it also serves an image smaller than half a crop.
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REFLECT), np.uint8)


def visible_objects(extents: BoxArray, places: list[CropPlace], *, side: int, min_visible: float) -> NDArray[np.bool_]:
    """Which objects count as present on which crop.

    An object counts when at least `min_visible` of its extent lies on the crop; an object larger than the crop, when it
    fills that share of the crop.

    Args:
        extents: `(N, 4)` in px of the image.
        places: The crops.
        side: Of a crop in px.
        min_visible: 0-1.

    Returns:
        `(len(places), N)`.
    """
    corners = np.array(places, np.float64).reshape(-1, 2)
    shared = box_intersections(np.hstack([corners, corners + side]), extents)
    needed = min_visible * np.minimum(box_areas(extents), float(side * side))
    return np.asarray((shared > 0) & (shared >= needed - 1e-9))


def crop_presence(
    marked: MarkedImage, places: list[CropPlace], *, side: int, n_classes: int, min_visible: float
) -> NDArray[np.bool_]:
    """Which classes are present on which crop, `(len(places), n_classes)`."""
    visible = visible_objects(marked.extents, places, side=side, min_visible=min_visible)
    of_class = marked.labels[:, None] == np.arange(n_classes)[None, :]  # (N, C)
    return np.asarray((visible.astype(np.int64) @ of_class.astype(np.int64)) > 0)


def crop_square(place: CropPlace, *, side: int, scale: float) -> CropSquare:
    """A crop of `side` px at the working scale, in full-resolution px: how its label is found again."""
    x, y = place
    return CropSquare(round(x / scale), round(y / scale), round(side / scale))


def plan_squares(width: int, height: int, *, side: int, scale: float) -> list[CropSquare]:
    """The sequential crops of an image of this full-resolution size, as the training cuts them, row by row."""
    places = plan_crops(max(side, round(width * scale)), max(side, round(height * scale)), side)
    return [crop_square(place, side=side, scale=scale) for place in places]


JudgedCrops = Mapping[CropSquare, Mapping[int, bool]]
"""Of each crop that a person has judged: the columns of the label vector that were asked for, and the answers."""


def judged_crops(labels: Sequence[CropLabel], columns: Mapping[ClassId, int]) -> JudgedCrops:
    """Look up labels by crop, for the classes that have a column."""
    return {
        label.square: {columns[each]: each in label.present for each in label.asked if each in columns}
        for label in labels
    }


def overrule(presence: NDArray[np.bool_], squares: Sequence[CropSquare], judged: JudgedCrops) -> NDArray[np.bool_]:
    """Put what people saw on crops in place of what follows from the annotations.

    Args:
        presence: `(len(squares), C)` by the annotations.
    """
    overruled = presence.copy()
    for row, square in enumerate(squares):
        for column, is_present in judged.get(square, {}).items():
            overruled[row, column] = is_present
    return overruled


def cut_crop(image: ImageArray, place: CropPlace, side: int) -> ImageArray:
    """View `(side, side, 3)` of a crop."""
    x, y = place
    return image[y : y + side, x : x + side]
