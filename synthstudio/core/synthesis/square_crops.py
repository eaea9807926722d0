"""Square parts of an image, in the size that a network sees."""

from __future__ import annotations

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, ImageSource, read_shrunken
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import CropSquare


def cut_square(image: ImageArray | ImageSource, window: CropSquare, *, side: int, name: str) -> ImageArray:
    """Cut a square, and resize it: averaged over px areas when it becomes smaller, bicubic when larger.

    Args:
        image: The FOV, `(H, W, 3)` uint8 RGB, or a source to read a part of it.
        window: Within the FOV, in full-resolution px.
        side: Of what is returned, in px.
        name: Of the FOV, for the refusal.

    Returns:
        `(side, side, 3)` uint8 RGB.

    Raises:
        UserError: The image has another size than when it was imported, or cannot be read.
    """
    height, width = (image.height, image.width) if isinstance(image, ImageSource) else image.shape[:2]
    right, bottom = window.x + window.side, window.y + window.side
    if right > width or bottom > height:
        raise UserError(
            f"{name} is smaller than when it was imported: with {width} x {height} px it does not hold "
            f"the crop at {window.x}, {window.y} of {window.side} px.",
            "Put the original file back, or remove the image from the project and import it again.",
        )
    if not isinstance(image, ImageSource):
        return _resized(image[window.y : bottom, window.x : right], side)
    if side < window.side:
        return read_shrunken(image, (window.x, window.y, right, bottom), (side, side))
    return _resized(image.read_region(0, (window.x, window.y, right, bottom)), side)


def _resized(pixels: ImageArray, side: int) -> ImageArray:
    if pixels.shape[:2] == (side, side):
        return np.ascontiguousarray(pixels)
    interpolation = cv2.INTER_AREA if side < pixels.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=interpolation), np.uint8)
