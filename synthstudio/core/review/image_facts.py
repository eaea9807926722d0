"""What is kept of an image for the checks: a small picture, the hash of its pixels, brightness and sharpness."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray

SMALL_PX = 64
"""Side of the small picture."""
_SHARPNESS_PX = 1024
"""Longer side at which sharpness is measured: that of what is seen, not of the sensor's grain."""
_FINE_PX, _FINER_PX = 2.0, 1.0
_COARSE_PX, _COARSER_PX = 4.0, 8.0
_GRAIN = 0.05
"""Grey levels of contrast that count as none."""

SmallPicture = NDArray[np.uint8]
"""`(64, 64)` uint8, grey."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFacts:
    """Facts of one image.

    Attributes:
        digest: SHA-256 of size and pixels.
        size: Width and height in px.
        picture: All of it as a small square.
        brightness: Mean grey level, 0-255.
        sharpness: Natural logarithm of fine against coarse contrast; what the image shows hardly matters.
    """

    digest: str
    size: tuple[int, int]
    picture: SmallPicture
    brightness: float
    sharpness: float


def take_facts(image: ImageArray, *, size: tuple[int, int] | None = None) -> ImageFacts:
    """Look at an image, `(H, W, 3)` uint8 RGB, or at the overview of one of this width and height."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    small = cv2.resize(grey, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
    return ImageFacts(
        digest.hexdigest(),
        size or (image.shape[1], image.shape[0]),
        np.asarray(small, np.uint8),
        float(grey.mean()),
        _sharpness(grey),
    )


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Contrast of details of about 2 px against those of about 8 px, as a logarithm.

    A ratio, since an image with few objects has little contrast of any kind; not of single pixels, since those are
    grain, which defocus leaves as it is.
    """
    height, width = grey.shape
    factor = min(1.0, _SHARPNESS_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    shown = grey if size == (width, height) else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    plane = np.asarray(shown, np.float32)
    blurred = {
        sigma: np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
        for sigma in (_FINER_PX, _FINE_PX, _COARSE_PX, _COARSER_PX)
    }
    fine = float((blurred[_FINER_PX] - blurred[_FINE_PX]).std())
    coarse = float((blurred[_COARSE_PX] - blurred[_COARSER_PX]).std())
    return float(np.log((fine + _GRAIN) / (coarse + _GRAIN)))
