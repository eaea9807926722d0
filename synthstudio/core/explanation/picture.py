"""The map of a class as a picture and as files, at the full resolution of its FOV."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.explanation.boxes import CELL_PARTS, MapBox, boxes_from_cam
from synthstudio.core.explanation.contours import SegmentArray, contour_segments
from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.overlay import blend_overlay, cam_overlay
from synthstudio.core.explanation.records import ExplainedClass, FovExplanation
from synthstudio.core.imaging import ImageArray, write_bytes_atomically

LINE_PER_PX = 1 / 600
"""Width of a line against the longer side of the picture, 1 px at least."""
SHIFT = 4
"""Bits after the point of a drawn coordinate."""
CONTOUR_COLOR, BOX_COLOR = (255, 255, 255), (0, 200, 255)


@dataclass(frozen=True, slots=True)
class ClassMap:
    """The map of one class on one FOV.

    Attributes:
        explanation: Of the FOV.
        known: Of the class.
        cam: `(h, w)`.
    """

    explanation: FovExplanation
    known: ExplainedClass
    cam: Cam

    def level(self, share: float) -> float:
        """Value of the map at a share, 0-1, of the fixed scale."""
        return self.known.cam_low + share * (self.known.cam_high - self.known.cam_low)

    def contours(self, share: float) -> SegmentArray:
        """Lines at a share of the scale, in px of the FOV."""
        record = self.explanation
        fine = upsample_cam(
            self.cam, stride=CELL_PARTS, width=self.cam.shape[1] * CELL_PARTS, height=self.cam.shape[0] * CELL_PARTS
        )
        found = contour_segments(fine, level=self.level(share), px_per_cell=record.stride_px / CELL_PARTS)
        return np.clip(found, 0.0, (record.width, record.height) * 2)

    def boxes(self, share: float) -> tuple[MapBox, ...]:
        """Boxes round what lies together above a share of the scale, in px of the FOV."""
        record = self.explanation
        return boxes_from_cam(
            self.cam,
            threshold=self.level(share),
            stride_px=record.stride_px,
            size_px=self.known.size_px,
            width=record.width,
            height=record.height,
        )


@dataclass(frozen=True, slots=True)
class PictureLook:
    """How a map is drawn; `opacity` and `threshold` are shares, 0-1."""

    opacity: float
    threshold: float
    has_contours: bool
    has_boxes: bool


def draw_class_map(image: ImageArray, found: ClassMap, look: PictureLook) -> ImageArray:
    """Lay a map over its FOV `(H, W, 3)` uint8."""
    pixels = upsample_cam(found.cam, stride=found.explanation.stride_px, width=image.shape[1], height=image.shape[0])
    overlay = cam_overlay(
        pixels,
        vmin=found.known.cam_low,
        vmax=found.known.cam_high,
        opacity=look.opacity,
        threshold=look.threshold,
    )
    picture = blend_overlay(image, overlay)
    thickness = max(1, round(max(image.shape[:2]) * LINE_PER_PX))
    if look.has_contours:
        ends = np.rint(found.contours(look.threshold).reshape(-1, 2, 2) * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(picture, list(ends), False, CONTOUR_COLOR, thickness, cv2.LINE_AA, SHIFT)
    for each in found.boxes(look.threshold) if look.has_boxes else ():
        first, last = ((round(x), round(y)) for x, y in ((each.box.x0, each.box.y0), (each.box.x1, each.box.y1)))
        cv2.rectangle(picture, first, last, BOX_COLOR, thickness)
    return picture


def write_class_map(path: Path, found: ClassMap, *, threshold: float) -> Path:
    """Write the map `(h, w)` float32 as .npy and, beside it, what its numbers mean as .json.

    Args:
        path: Of the .npy file.
        found: The map.
        threshold: Share of the scale that is in force; the boxes above it are told, too.

    Returns:
        Path of the .json file. Raises UserError where writing fails.
    """
    stream = io.BytesIO()
    np.save(stream, np.asarray(found.cam, np.float32))
    write_bytes_atomically(path, stream.getvalue())
    record, known = found.explanation, found.known
    facts = {
        "image": record.fov_name,
        "width_px": record.width,
        "height_px": record.height,
        "class": known.name,
        "run": record.run,
        "method": record.method,
        "layer": record.layer,
        "stride_px": record.stride_px,
        "cell": "value [i, j] belongs to the middle of px j * stride_px .. (j + 1) * stride_px across, i likewise down",
        "scale": [known.cam_low, known.cam_high],
        "peak_threshold": known.threshold,
        "threshold": found.level(threshold),
        "boxes": [[*_corners(each), each.score] for each in found.boxes(threshold)],
    }
    beside = path.with_suffix(".json")
    write_bytes_atomically(beside, json.dumps(facts, indent=1).encode())
    return beside


def _corners(found: MapBox) -> tuple[float, float, float, float]:
    return found.box.x0, found.box.y0, found.box.x1, found.box.y1
