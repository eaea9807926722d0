"""A suggestion of the skin tone from the pixels: the individual typology angle (ITA) of the unmarked skin.

ITA = arctan((L* - 50) / b*) * 180 / pi in CIELAB (D65), after Chardon, Cretois and Hourseau 1991. Its six classes (very
light > 55 > light > 41 > intermediate > 28 > tan > 10 > brown > -30 > dark) are those of Del Bino and Bernerd 2013;
they are taken for the types I to VI of Fitzpatrick, which ask how skin reacts to the sun and cannot be measured on a
photograph: a suggestion, always the user's to correct. Light and white balance of the photograph go into it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray, ImageSource, read_or_open, read_preview
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Box, FieldOfView

CLASS_LIMITS_DEG = (55.0, 41.0, 28.0, 10.0, -30.0)
OVERVIEW_PX = 512  # the mean of a patch of skin does not need more
MARGIN = 0.1  # around a marked region, as a share of its side: redness reaches beyond it
BLACK, GLARE = 12, 250  # what is cut away, and what shines, tells no colour
HUE_RANGE_DEG = (20.0, 90.0)  # of skin in the a*, b* plane
LEAST_CHROMA = 4.0
MIDDLE = (25.0, 75.0)  # percentiles of L*: hair and shadow lie below, shine above
LEAST_SHARE, LEAST_PX = 0.02, 400


@dataclass(frozen=True, slots=True)
class SkinTone:
    """What an image suggests.

    Attributes:
        ita_deg: Individual typology angle in degrees, -90 to 90.
        tone: 1 to 6, from the lightest.
        share: Share of the image that was taken for unmarked skin, 0-1.
    """

    ita_deg: float
    tone: int
    share: float


def tone_of_ita(ita_deg: float) -> int:
    """Class of an angle, 1 to 6; a limit belongs to the darker one."""
    return 1 + sum(ita_deg <= limit for limit in CLASS_LIMITS_DEG)


def estimate_skin_tone(image: ImageArray, marked: Sequence[Box]) -> SkinTone | None:
    """Suggest the tone of a photograph.

    Args:
        image: `(H, W, 3)` uint8 sRGB.
        marked: Regions of conditions in px of the image, which are left out.

    Returns:
        The suggestion, or None where too little of the image looks like unmarked skin.
    """
    shrink = min(1.0, OVERVIEW_PX / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)
    is_skin = _looks_like_skin(small, lab) & ~_marked_pixels(marked, shrink, small.shape[:2])
    n_skin = int(is_skin.sum())
    if n_skin < max(LEAST_SHARE * is_skin.size, min(LEAST_PX, is_skin.size / 2)):
        return None
    skin = lab[is_skin]
    low, high = np.percentile(skin[:, 0], MIDDLE)
    middle = skin[(skin[:, 0] >= low) & (skin[:, 0] <= high)]
    lightness, yellow = float(np.median(middle[:, 0])), float(np.median(middle[:, 2]))
    ita_deg = math.degrees(math.atan2(lightness - 50.0, yellow))
    return SkinTone(ita_deg, tone_of_ita(ita_deg), n_skin / is_skin.size)


def _looks_like_skin(image: ImageArray, lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    brightest = image.max(axis=2)
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    is_colored = (chroma >= LEAST_CHROMA) & (hue >= HUE_RANGE_DEG[0]) & (hue <= HUE_RANGE_DEG[1])
    return np.asarray(is_colored & (brightest > BLACK) & (brightest < GLARE))


def _marked_pixels(marked: Sequence[Box], shrink: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    taken = np.zeros(shape, np.bool_)
    for box in marked:
        margin = MARGIN * max(box.width, box.height)
        rows = slice(max(0, int((box.y0 - margin) * shrink)), max(0, math.ceil((box.y1 + margin) * shrink)))
        columns = slice(max(0, int((box.x0 - margin) * shrink)), max(0, math.ceil((box.x1 + margin) * shrink)))
        taken[rows, columns] = True
    return taken


def suggest_tone(fov: FieldOfView, marked: Sequence[Box]) -> SkinTone | None:
    """Suggest the tone of an FOV from its file; None where it cannot be read, or shows too little unmarked skin."""
    try:
        opened = read_or_open(Path(fov.path), page=fov.page)
    except UserError:
        return None  # said where the field is looked at
    image = read_preview(opened) if isinstance(opened, ImageSource) else opened
    shrink = image.shape[1] / fov.width
    boxes = [Box(box.x0 * shrink, box.y0 * shrink, box.x1 * shrink, box.y1 * shrink) for box in marked]
    return estimate_skin_tone(image, boxes)
