"""The picture of a class activation map, to be laid over the image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.explanation.maps import Cam
from synthstudio.core.imaging import ImageArray

BAND_ROWS = 256

RgbaArray = NDArray[np.uint8]
"""Picture with transparency `(H, W, 4)` uint8, not premultiplied."""


def _inferno() -> NDArray[np.uint8]:
    """Colours `(256, 3)` RGB: even steps of lightness, readable with any colour vision, and unlike any stain."""
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256)
    return np.asarray(cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[0, :, ::-1], np.uint8)


def cam_overlay(
    cam: Cam,
    *,
    vmin: float,
    vmax: float,
    opacity: float = 0.6,
    threshold: float = 0.0,
    color: tuple[int, int, int] | None = None,
) -> RgbaArray:
    """Colour a map.

    Args:
        cam: `(H, W)`, usually upsampled.
        vmin: Value of full transparency; fixed per class and run, see `cam_range`.
        vmax: Value of full colour.
        opacity: Of the hottest place, 0-1.
        threshold: Share of the range, 0-1, below which nothing is shown.
        color: RGB of the class; None takes a heat scale.

    Returns:
        `(H, W, 4)` uint8; transparent where there is no evidence.
    """
    level = np.clip((cam - vmin) / max(vmax - vmin, 1e-9), 0.0, 1.0)
    level = np.where(level >= threshold, level, 0.0)
    picture = np.empty((*cam.shape, 4), np.uint8)
    picture[..., :3] = color if color is not None else _inferno()[(64 + level * 191).astype(np.uint8)]
    # The square root keeps weak evidence visible without hiding the object under strong evidence.
    picture[..., 3] = np.rint(255.0 * opacity * np.sqrt(level)).astype(np.uint8)
    return picture


def blend_overlay(image: ImageArray, overlay: RgbaArray) -> ImageArray:
    """Lay an overlay `(H, W, 4)` over an image `(H, W, 3)`, both uint8, of the same size."""
    blended = np.empty_like(image)
    for start in range(0, len(image), BAND_ROWS):  # in bands: of a whole FOV the numbers in between would take 0.5 GB
        band = slice(start, start + BAND_ROWS)
        alpha = overlay[band, :, 3:].astype(np.float32) / 255.0
        mixed = image[band].astype(np.float32) * (1.0 - alpha) + overlay[band, :, :3].astype(np.float32) * alpha
        blended[band] = np.rint(mixed)
    return blended
