"""A map for the eye: a grey for the tone, and each box in the colour of its condition."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import snapped_box
from synthstudio.domain.maps import UNKNOWN_TONE, MapRequest

LIGHTEST, DARKEST, UNKNOWN = 210, 80, 150
OPACITY = 0.55


def sketch_map(request: MapRequest, colors: Mapping[str, str], *, n_tones: int) -> ImageArray:
    """Return (S, S, 3) uint8 RGB.

    Args:
        request: Its boxes are drawn in their order.
        colors: `#RRGGBB` of each condition.
        n_tones: Levels of the tone scale; the first is the lightest.
    """
    grey = UNKNOWN
    if request.tone != UNKNOWN_TONE and n_tones > 1:
        grey = round(LIGHTEST + (DARKEST - LIGHTEST) * (request.tone - 1) / (n_tones - 1))
    sketch = np.full((request.side, request.side, 3), grey, np.uint8)
    for region in request.regions:
        drawn = snapped_box(region.box, request.side)
        if drawn is not None:
            color = bytes.fromhex(colors[region.class_name][1:])
            mixed = [round(OPACITY * each + (1 - OPACITY) * grey) for each in color]
            x0, y0, x1, y1 = drawn
            cv2.rectangle(sketch, (x0, y0), (x1 - 1, y1 - 1), mixed, cv2.FILLED)
    return sketch
