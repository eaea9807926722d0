"""Sizes and kinds of single annotations: larger, smaller, centre to box, box to centre."""

import dataclasses

from synthstudio.domain.records import Annotation, Box

MIN_SIDE_PX = 1.0
"""No annotation is made smaller than one pixel."""
FIRST_SIDE_PX = 20.0
"""What has no size yet begins at this one."""


def resized(annotation: Annotation, factor: float, *, class_size_px: float, within: Box) -> Annotation:
    """Return the annotation `factor` times as large about its middle.

    Args:
        class_size_px: Side that a centre without a size of its own is drawn at; 0 where its class has none: it
            begins at 20 px then.
        within: The image's area in px: a box is cut there, a centre grows no larger than its longer side.
    """
    largest = max(within.width, within.height)
    if annotation.box is None:
        side = (annotation.size_px or class_size_px or FIRST_SIDE_PX) * factor
        return dataclasses.replace(annotation, size_px=min(max(side, MIN_SIDE_PX), largest))
    (x, y), box = annotation.box.center, annotation.box
    half_x, half_y = (min(max(side * factor, MIN_SIDE_PX), largest) / 2 for side in (box.width, box.height))
    grown = _within(Box(x - half_x, y - half_y, x + half_x, y + half_y), within)
    is_gone = min(grown.width, grown.height) <= 0  # it lies outside the image, and the cut leaves nothing
    return annotation if is_gone or grown == box else annotation.with_box(grown)


def as_box(annotation: Annotation, *, class_size_px: float, within: Box) -> Annotation:
    """Return a centre as the box of its size, cut at the image's edge; what is a box, or has no size, as it is."""
    if annotation.box is not None:
        return annotation
    box = _within(annotation.extent(class_size_px), within)
    if min(box.width, box.height) <= 0:
        return annotation
    return dataclasses.replace(annotation.with_box(box), size_px=None)


def as_center(annotation: Annotation) -> Annotation:
    """Return a box as its middle, with the side of the square of the same area; what is a centre, as it is."""
    if annotation.box is None:
        return annotation
    x, y = annotation.box.center
    side = (annotation.box.width * annotation.box.height) ** 0.5
    return dataclasses.replace(annotation, x=x, y=y, box=None, size_px=side)


def resized_class_px(size_px: float | None, factor: float) -> float:
    """Return a class's mean side after a turn of the wheel, to four digits; one without a size begins at 20 px."""
    return float(f"{max((size_px or FIRST_SIDE_PX) * factor, MIN_SIDE_PX):.4g}")


def _within(box: Box, within: Box) -> Box:
    return Box(max(box.x0, within.x0), max(box.y0, within.y0), min(box.x1, within.x1), min(box.y1, within.y1))
