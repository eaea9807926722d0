"""Which square of an FOV a guide image shows, and its pixels."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.imaging import ImageArray, read_or_open
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.domain.records import Box, CropSquare, FieldOfView


def guide_window(fov: FieldOfView, box: Box | None) -> CropSquare:
    """The square that a guide image shows, in full-resolution px and within the FOV.

    Of a box it is the square of its longer side around its middle, moved into the image; of a whole FOV the square of
    its shorter side in its middle. No pixel has to be made up: it is never larger than the FOV's shorter side.
    """
    short = min(fov.width, fov.height)
    wanted = short if box is None else round(max(box.width, box.height))
    side = max(1, min(wanted, short))
    x, y = (fov.width / 2, fov.height / 2) if box is None else box.center
    left = min(max(0, round(x - side / 2)), fov.width - side)
    top = min(max(0, round(y - side / 2)), fov.height - side)
    return CropSquare(left, top, side)


def box_around(fov: FieldOfView, region: Box, *, margin: float) -> Box:
    """The square box around a region of interest with some of its surroundings, within the FOV.

    Args:
        fov: The image.
        region: In full-resolution px.
        margin: What is added on each side, as a share of the region's longer side.
    """
    grow = margin * max(region.width, region.height)
    grown = Box(region.x0 - grow, region.y0 - grow, region.x1 + grow, region.y1 + grow)
    window = guide_window(fov, grown)
    return Box(window.x, window.y, window.x + window.side, window.y + window.side)


def read_guide(fov: FieldOfView, box: Box | None, *, side: int) -> ImageArray:
    """Return the pixels of a guide image, `(side, side, 3)` uint8 RGB.

    Averaged over px areas where the square becomes smaller, bicubic where it becomes larger.

    Raises:
        UserError: The image file is gone, damaged, or smaller than when it was imported.
    """
    image = read_or_open(Path(fov.path), page=fov.page)
    return cut_square(image, guide_window(fov, box), side=side, name=fov.name)
