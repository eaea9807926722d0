"""Images small enough for a report."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.export.report.document import Picture
from synthstudio.core.imaging import encode_jpeg, open_image_source, read_image, read_shrunken
from synthstudio.core.patches.bank import scaled
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView

WIDTH_PX = 300
CROP_WIDTH_PX = 200
QUALITY = 85


def shrink_picture(path: Path, caption: str) -> Picture:
    """Read an image file and make it at most `WIDTH_PX` wide. Raises UserError where it cannot be read."""
    image = read_image(path)
    small = scaled(image, min(1.0, WIDTH_PX / image.shape[1]))
    return Picture(encode_jpeg(small, QUALITY), "image/jpeg", small.shape[1], caption)


def crop_picture(fov: FieldOfView, box: tuple[int, int, int, int], caption: str) -> Picture:
    """Cut a part of an FOV, at most `CROP_WIDTH_PX` wide; only what is needed of a large image is read.

    Args:
        fov: The FOV.
        box: x, y, width, height in full-resolution px; what lies beyond the image is left out.
        caption: Words below it.

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
    return Picture(encode_jpeg(read_shrunken(image, (x0, y0, x1, y1), size), QUALITY), "image/jpeg", size[0], caption)
