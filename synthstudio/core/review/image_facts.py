"""What is kept of an image for checks and charts: a small picture, the hash of its pixels, light, colour, sharpness."""

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
_COLOR_PX = 256
"""Longer side at which colour is measured: its mean hardly changes with the size."""
_BLACK, _WHITE = 3, 252
"""Grey levels at and beyond which an image shows no detail."""

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
        contrast: Standard deviation of the grey level.
        green_red, blue_yellow: Mean a* and b* of CIELAB (D65).
        chroma: Mean distance from grey in the plane of a* and b*.
        dark_share, bright_share: Of the pixels that are nearly black, and nearly white.
    """

    digest: str
    size: tuple[int, int]
    picture: SmallPicture
    brightness: float
    sharpness: float
    contrast: float
    green_red: float
    blue_yellow: float
    chroma: float
    dark_share: float
    bright_share: float


def take_facts(image: ImageArray, *, size: tuple[int, int] | None = None) -> ImageFacts:
    """Look at an image, `(H, W, 3)` uint8 RGB, or at the overview of one of this width and height."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    small = cv2.resize(grey, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
    means, deviations = cv2.meanStdDev(grey)
    green_red, blue_yellow, chroma = _color(image)
    return ImageFacts(
        digest=digest.hexdigest(),
        size=size or (image.shape[1], image.shape[0]),
        picture=np.asarray(small, np.uint8),
        brightness=float(means[0, 0]),
        sharpness=_sharpness(grey),
        contrast=float(deviations[0, 0]),
        green_red=green_red,
        blue_yellow=blue_yellow,
        chroma=chroma,
        dark_share=float((grey <= _BLACK).mean()),
        bright_share=float((grey >= _WHITE).mean()),
    )


def _color(image: ImageArray) -> tuple[float, float, float]:
    """Mean a*, mean b* and mean chroma of CIELAB."""
    small = cv2.resize(image, _fitted_size(image.shape[:2], _COLOR_PX), interpolation=cv2.INTER_AREA)
    plane = np.asarray(small, np.float32) / np.float32(255.0)
    lab = np.asarray(cv2.cvtColor(plane, cv2.COLOR_RGB2LAB), np.float64)
    a, b = lab[..., 1], lab[..., 2]
    return float(a.mean()), float(b.mean()), float(np.hypot(a, b).mean())


def _fitted_size(shape: tuple[int, ...], side_px: int) -> tuple[int, int]:
    """Width and height of an image of this height and width whose longer side is `side_px` at most."""
    height, width = shape
    factor = min(1.0, side_px / max(height, width))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Contrast of details of about 2 px against those of about 8 px, as a logarithm.

    A ratio, since an image with few objects has little contrast of any kind; not of single pixels, since those are
    grain, which defocus leaves as it is.
    """
    size = _fitted_size(grey.shape, _SHARPNESS_PX)
    shown = grey if size == grey.shape[::-1] else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    plane = np.asarray(shown, np.float32)
    blurred = {
        sigma: np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
        for sigma in (_FINER_PX, _FINE_PX, _COARSE_PX, _COARSER_PX)
    }
    fine = float((blurred[_FINER_PX] - blurred[_FINE_PX]).std())
    coarse = float((blurred[_COARSE_PX] - blurred[_COARSER_PX]).std())
    return float(np.log((fine + _GRAIN) / (coarse + _GRAIN)))
