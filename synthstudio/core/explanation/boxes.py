"""Boxes from a map: what lies together above a threshold."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.domain.records import Box

CELL_PARTS = 4
"""Each cell of the map is divided so often along a side before it is cut."""
LEAST_SIDE = 0.25
"""What is smaller than this share of the class's size along both sides is no object."""


@dataclass(frozen=True, slots=True)
class MapBox:
    """A part of a map above the threshold: its whole extent in px of the FOV, and the greatest value inside."""

    box: Box
    score: float


def boxes_from_cam(
    cam: Cam, *, threshold: float, stride_px: float, size_px: float, width: int, height: int
) -> tuple[MapBox, ...]:
    """Find the boxes round all connected parts above a threshold, highest score first.

    Args:
        cam: `(h, w)`.
        threshold: Value of the map.
        stride_px: Px of the FOV per cell.
        size_px: Mean size of the class in px of the FOV.
        width: Of the FOV in px.
        height: Of the FOV in px.
    """
    fine = upsample_cam(cam, stride=CELL_PARTS, width=cam.shape[1] * CELL_PARTS, height=cam.shape[0] * CELL_PARTS)
    count, parts, extents, _ = cv2.connectedComponentsWithStats((fine > threshold).astype(np.uint8), connectivity=8)
    unit = stride_px / CELL_PARTS
    scores = np.full(count, -np.inf)
    np.maximum.at(scores, parts.ravel().astype(np.intp), fine.ravel())
    found = []
    for number in range(1, count):
        left, top, across, down = (int(value) for value in extents[number, :4])
        if max(across, down) * unit < LEAST_SIDE * size_px:
            continue
        right, bottom = min((left + across) * unit, width), min((top + down) * unit, height)
        if left * unit < right and top * unit < bottom:  # the outermost cells may lie beyond the image
            found.append(MapBox(Box(left * unit, top * unit, right, bottom), float(scores[number])))
    return tuple(sorted(found, key=lambda each: -each.score))


def boxes_to_csv(boxes: tuple[MapBox, ...], *, image: str, class_name: str) -> bytes:
    """Boxes as a table: image, class, corners in px of the FOV, score."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("image", "class", "x0", "y0", "x1", "y1", "score"))
    for each in boxes:
        corners = (each.box.x0, each.box.y0, each.box.x1, each.box.y1)
        writer.writerow((image, class_name, *(f"{value:.2f}" for value in corners), f"{each.score:.6g}"))
    return stream.getvalue().encode()
