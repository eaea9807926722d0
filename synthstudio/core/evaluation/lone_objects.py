"""Objects alone in a square: in its middle, also at the edge of their image, and without what lies beside them.

Those that an edge cuts are turned so that it lies to the left. There are few of them, and they are judged by what is
learned from each other: a cell cut below is known from one cut at the right.

A part of a neighbour, or an object that is not in the middle because the image ends there, changes what a description
of the square says more than the class does.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, ImageSource, read_shrunken
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Box, CropSquare

MARGIN = 1.25
"""The square, by the longer side of the object."""
LEAST_SIDE_PX = 16
FADED = (1.0, 1.3)
"""What is around the object's ellipse fades into the ground from here to there, as multiples of its half axes."""
EDGE_PX = 1.0
"""A box that ends so near the edge of its image is cut by it."""
_OUTLINE_PX = 1.0
"""An outline is drawn so much within what it stands for, in px of the picture."""


def square_side(box: Box) -> int:
    """Side in px of the square around an object, with a little of its surroundings."""
    return max(LEAST_SIDE_PX, math.ceil(MARGIN * max(box.width, box.height)))


def lone_square(box: Box, *, width: int, height: int) -> CropSquare:
    """The square around an object's box, on an image of `width` x `height` px. It may reach beyond the image, yet at
    least a quarter of it lies within, also where the box lies outside."""
    side = min(square_side(box), width, height)
    x, y = min(max(box.center[0], 0.0), float(width)), min(max(box.center[1], 0.0), float(height))
    return CropSquare(round(x - side / 2), round(y - side / 2), side)


def cut_lone_object(
    image: ImageArray | ImageSource, window: CropSquare, box: Box, *, side: int, name: str
) -> ImageArray:
    """Cut a square around an object, fade what is around it, and resize it by averaging where it is larger.

    It is turned where an edge of the image cuts the object: that edge then lies to the left.

    Args:
        image: The FOV, `(H, W, 3)` uint8 RGB, or a source to read a part of it.
        window: Of `lone_square`; beyond the image, this is mirrored.
        box: Of the object, in px of the FOV.
        side: Of what is returned, in px, `window.side` at most.
        name: Of the FOV, for the refusal.

    Returns:
        `(side, side, 3)` uint8 RGB.

    Raises:
        UserError: The window has no part in the image.
    """
    scale = side / window.side
    square = _cut_mirrored(image, window, side=side, name=name)
    ground = np.median(np.concatenate([square[0], square[-1], square[:, 0], square[:, -1]]), axis=0)
    middle_x, middle_y = ((box.x0 + box.x1) / 2 - window.x) * scale, ((box.y0 + box.y1) / 2 - window.y) * scale
    down, across = np.ogrid[0.5:side, 0.5:side]
    distance = np.hypot(
        (across - middle_x) / (box.width * scale / 2 + _OUTLINE_PX),
        (down - middle_y) / (box.height * scale / 2 + _OUTLINE_PX),
    )
    kept = np.clip((FADED[1] - distance) / (FADED[1] - FADED[0]), 0.0, 1.0)[..., None]
    alone = np.asarray(np.rint(square * kept + ground * (1 - kept)), np.uint8)
    return np.ascontiguousarray(np.rot90(alone, _quarter_turns(box, *_size(image))))


def _size(image: ImageArray | ImageSource) -> tuple[int, int]:
    """Width and height in px."""
    return (image.width, image.height) if isinstance(image, ImageSource) else (image.shape[1], image.shape[0])


def _quarter_turns(box: Box, width: int, height: int) -> int:
    """Quarter turns to the left that bring the edge which cuts an object to the left; 0 where none cuts it."""
    beyond = (box.x0, box.y0, width - box.x1, height - box.y1)
    return next((turns for turns, gap in enumerate(beyond) if gap <= EDGE_PX), 0)


def _cut_mirrored(image: ImageArray | ImageSource, window: CropSquare, *, side: int, name: str) -> ImageArray:
    width, height = _size(image)
    left, top = max(window.x, 0), max(window.y, 0)
    right, bottom = min(window.x + window.side, width), min(window.y + window.side, height)
    if right <= left or bottom <= top:
        raise UserError(
            f"{name} has {width} x {height} px and does not reach to {window.x}, {window.y}.",
            "Put the original file back, or remove the image from the project and import it again.",
        )
    scale = 1.0
    if not isinstance(image, ImageSource):
        part = image[top:bottom, left:right]
    elif side < window.side:  # an object on a slide may be larger than what fits into memory
        scale = side / window.side
        size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        part = read_shrunken(image, (left, top, right, bottom), size)
    else:
        part = image.read_region(0, (left, top, right, bottom))
    above, below = round((top - window.y) * scale), round((window.y + window.side - bottom) * scale)
    before, after = round((left - window.x) * scale), round((window.x + window.side - right) * scale)
    square = cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REFLECT)
    if square.shape[:2] == (side, side):
        return np.asarray(square, np.uint8)
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
