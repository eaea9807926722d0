"""What is shown of the maps on a field: read and coloured off the GUI thread. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from synthstudio.core.explanation.boxes import MapBox
from synthstudio.core.explanation.contours import SegmentArray
from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.overlay import RgbaArray, cam_overlay
from synthstudio.core.explanation.picture import ClassMap, PictureLook
from synthstudio.core.explanation.records import FovExplanation, read_explanation
from synthstudio.settings.explain import CamMethod

OVERLAY_WIDTH_PX = 1024
"""A map is smooth: more pixels than this only cost time."""
METHOD_NAMES: dict[CamMethod, str] = {
    "cam": "CAM",
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "layer-cam": "LayerCAM",
    "attention": "Attention",
}


@dataclass(frozen=True, slots=True)
class CamField:
    """The maps of one run on one field: `cams` is (C, h, w) float32 in the order of `explanation.classes`."""

    explanation: FovExplanation
    cams: Cam = field(repr=False)

    def find(self, name: str) -> ClassMap | None:
        """The map of a class, or None where the run did not know it."""
        for item, cam in zip(self.explanation.classes, self.cams, strict=True):
            if item.name == name:
                return ClassMap(self.explanation, item, cam)
        return None


@dataclass(frozen=True, slots=True)
class CamLook:
    """How maps are shown. `threshold` is a share of the class's fixed scale, 0-1."""

    class_name: str
    opacity: float = 0.6
    threshold: float = 0.1
    has_peaks: bool = True
    has_contours: bool = False
    has_boxes: bool = False

    @property
    def drawn(self) -> tuple[str, float, bool, bool]:
        """What the drawing off the GUI thread depends on."""
        return self.class_name, self.threshold, self.has_contours, self.has_boxes

    @property
    def for_file(self) -> PictureLook:
        return PictureLook(self.opacity, self.threshold, self.has_contours, self.has_boxes)


@dataclass(frozen=True, slots=True)
class CamPicture:
    """A drawn map: picture over the whole field, contour lines and boxes in px of the field."""

    overlay: RgbaArray
    contours: SegmentArray
    boxes: tuple[MapBox, ...]


def load_cam(folder: Path) -> CamField:
    """Read what the explain job wrote for one field. Raises UserError."""
    return CamField(*read_explanation(folder))


def render_cam(cam_field: CamField, look: CamLook) -> CamPicture | None:
    """Draw a class's map; None where the class is unknown."""
    found = cam_field.find(look.class_name)
    if found is None:
        return None
    record = cam_field.explanation
    factor = min(1.0, OVERLAY_WIDTH_PX / record.width)
    width, height = max(1, round(record.width * factor)), max(1, round(record.height * factor))
    pixels = upsample_cam(found.cam, stride=record.stride_px * factor, width=width, height=height)
    return CamPicture(
        cam_overlay(pixels, vmin=found.known.cam_low, vmax=found.known.cam_high, opacity=1.0, threshold=look.threshold),
        found.contours(look.threshold) if look.has_contours else np.empty((0, 4)),
        found.boxes(look.threshold) if look.has_boxes else (),
    )


def evidence_text(cam_field: CamField, name: str) -> str:
    """What the map says about a class, in words."""
    found = cam_field.find(name)
    if found is None:
        return f"This run does not know the class {name}."
    item, top = found.known, float(found.cam.max())
    correlation = item.random_correlation
    more = f" Layer {cam_field.explanation.layer}." if cam_field.explanation.layer else ""
    more += "" if correlation is None else f" Correlation with random weights: {correlation:.2f}."
    if top <= 0:
        return f"No evidence of {name} on this field.{more}"
    share = (top - item.cam_low) / max(item.cam_high - item.cam_low, 1e-9)
    centers = len(item.centers)
    return (
        f"{name}: {centers:,} predicted centre{'s' if centers != 1 else ''}; hottest place at {share:.0%} of the scale."
        f"{more}"
    )
