"""Images small enough for a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.export.report.document import Picture
from synthstudio.core.imaging import ImageArray, encode_jpeg, open_image_source, read_image, read_shrunken
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Box, FieldOfView

WIDTH_PX = 300
CROP_WIDTH_PX = 200
QUALITY = 85
_OUTLINE, _OUTLINE_EDGE = (255, 210, 0), (20, 20, 20)
"""Seen on any stain: a bright line between dark ones."""


def shrink_picture(path: Path, caption: str) -> Picture:
    """Read an image file and make it at most `WIDTH_PX` wide. Raises UserError where it cannot be read."""
    image = read_image(path)
    small = scaled(image, min(1.0, WIDTH_PX / image.shape[1]))
    return Picture(encode_jpeg(small, QUALITY), "image/jpeg", small.shape[1], caption)


def crop_picture(
    fov: FieldOfView, box: tuple[int, int, int, int], caption: str, *, outlined: Sequence[Box] = ()
) -> Picture:
    """Cut a part of an FOV, at most `CROP_WIDTH_PX` wide; only what is needed of a large image is read.

    Args:
        fov: The FOV.
        box: x, y, width, height in full-resolution px; what lies beyond the image is left out.
        caption: Words below it.
        outlined: What is pointed at, in full-resolution px.

    Raises:
        UserError: The image cannot be read, or the box does not lie on it.
    """
    image = open_image_source(Path(fov.path), fov.page or 0)
    x0, y0 = max(0, box[0]), max(0, box[1])
    x1, y1 = min(image.width, box[0] + box[2]), min(image.height, box[1] + box[3])
    if x0 >= x1 or y0 >= y1:
        raise UserError(f"The image of field {fov.id} is smaller than when it was scored.", "Evaluate the run again.")
    share = min(1.0, CROP_WIDTH_PX / (x1 - x0))
    size = max(1, round((x1 - x0) * share)), max(1, round((y1 - y0) * share))
    small = np.ascontiguousarray(read_shrunken(image, (x0, y0, x1, y1), size))
    _outline(small, [each.moved(-x0, -y0) for each in outlined], share)
    return Picture(encode_jpeg(small, QUALITY), "image/jpeg", size[0], caption)


def _outline(image: ImageArray, boxes: Sequence[Box], share: float) -> None:
    for color, thickness in ((_OUTLINE_EDGE, 4), (_OUTLINE, 2)):
        for box in boxes:
            first, last = (round(box.x0 * share), round(box.y0 * share)), (round(box.x1 * share), round(box.y1 * share))
            cv2.rectangle(image, first, last, color, thickness)
