"""Which pixels of a patch belong to the object: without this the neighbours in its window are pasted with it.

Works on evened crops, where the empty background is one known grey, so that one threshold serves all images.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.records import Box
from synthstudio.settings.compose import ForegroundMethod

OPAQUE = 255
MIN_CONTRAST = 8.0  # grey levels above the noise that an object must differ from the background by
MIN_SHARE, MAX_SHARE = 0.08, 0.98  # of the window; outside of this the separation has failed
WINDOW_REACH = 1.15  # an object may be this much larger than the mean of its class before it is cut off
NECK = 0.3  # neighbours that touch along less than this share of the window's shorter side are cut off
SOFT_PX = 0.8
REGION_PAD_PX = 6
ELLIPSE_RIM = 0.1  # half the width of the fading rim, as a share of the ellipse's radius


def find_foreground(
    crop: ImageArray, window: Box, *, method: ForegroundMethod, level: int, noise: float, margin: float
) -> NDArray[np.uint8]:
    """Return the opacity of each pixel of a crop.

    Args:
        crop: `(H, W, 3)` uint8 RGB, evened.
        window: Mean window of the object within the crop, in px.
        method: "none" keeps everything; "ellipse" the ellipse in the window; "threshold" separates by the difference
            from the background (Otsu 1979, within the window).
        level: Grey of the evened background.
        noise: Standard deviation of the background in grey levels.
        margin: Width of the rim that is kept around the object, as a share of the window's longer side.

    Returns:
        `(H, W)` uint8, 255 on the object, with an edge about one px soft. Where no object stands out from the
        background the window is kept whole: a doubtful mask is worse than none.
    """
    height, width = crop.shape[:2]
    whole = np.full((height, width), OPAQUE, np.uint8)
    if method == "none":
        return whole
    if method == "ellipse":
        return _ellipse(height, width, window)
    region = _region_of_reach(height, width, window)
    closing = max(1, round(0.01 * max(height, width)))
    part = _cut_object(
        crop[region],
        window.moved(-region[1].start, -region[0].start),
        level=level,
        noise=noise,
        margin=margin,
        closing=closing,
    )
    if part is None:
        return whole
    opacity = np.zeros_like(whole)
    opacity[region] = part
    return opacity


def _region_of_reach(height: int, width: int, window: Box) -> tuple[slice, slice]:
    """Rows and columns beyond which no object reaches: a third of the crop, and of the time, lies outside."""
    x, y = window.center
    half_x, half_y = (WINDOW_REACH * side / 2 + REGION_PAD_PX for side in (window.width, window.height))
    rows = slice(max(0, math.floor(y - half_y)), min(height, math.ceil(y + half_y)))
    return rows, slice(max(0, math.floor(x - half_x)), min(width, math.ceil(x + half_x)))


def _cut_object(
    crop: ImageArray, window: Box, *, level: int, noise: float, margin: float, closing: int
) -> NDArray[np.uint8] | None:
    """Opacity of the object of the click, or None where none stands out from the background."""
    height, width = crop.shape[:2]
    reach = _reach_mask(height, width, window)
    contrast = contrast_from(crop, level)
    found = _filled(_threshold(contrast, reach, noise=noise, closing=closing))
    kernel = _disc(round(NECK * min(window.width, window.height) / 2))
    piece = _object_of_click(np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, kernel), np.uint8), window)
    if piece is None:  # narrower than the neck itself
        piece = _object_of_click(found, window)
    if piece is None:
        return None
    side = max(window.width, window.height)
    grown = cv2.dilate(piece, _disc(round(margin * side)))
    return _softened(np.asarray(grown, np.uint8) & reach)


def _ellipse(height: int, width: int, window: Box) -> NDArray[np.uint8]:
    """Opacity of the ellipse that fills the window; its rim fades with a smooth step, half of it within the window."""
    x, y = window.center
    across = (np.arange(width) + 0.5 - x)[None, :] / (window.width / 2)
    down = (np.arange(height) + 0.5 - y)[:, None] / (window.height / 2)
    depth = np.clip((1.0 + ELLIPSE_RIM - np.hypot(across, down)) / (2.0 * ELLIPSE_RIM), 0.0, 1.0)
    return np.asarray(np.rint(OPAQUE * depth * depth * (3.0 - 2.0 * depth)), np.uint8)


def _reach_mask(height: int, width: int, window: Box) -> NDArray[np.uint8]:
    """The window with rounded corners, a little enlarged: 1 inside."""
    x, y = window.center
    half_x, half_y = WINDOW_REACH * window.width / 2, WINDOW_REACH * window.height / 2
    across = np.abs((np.arange(width) + 0.5 - x) / half_x)[None, :] ** 4
    down = np.abs((np.arange(height) + 0.5 - y) / half_y)[:, None] ** 4
    return np.asarray(across + down <= 1.0, np.uint8)


def contrast_from(crop: ImageArray, level: int) -> NDArray[np.uint8]:
    """Greatest difference from the background's grey among the colours, `(H, W)`, without single-pixel noise."""
    smooth = cv2.GaussianBlur(crop, (0, 0), 1.0)
    # Slices: NumPy reduces over a last axis of three a hundred times slower.
    red, green, blue = cv2.split(cv2.absdiff(smooth, np.full_like(smooth, level)))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _threshold(
    contrast: NDArray[np.uint8], reach: NDArray[np.uint8], *, noise: float, closing: int
) -> NDArray[np.uint8]:
    inside = contrast[reach > 0].reshape(1, -1)
    if not inside.size:
        return np.zeros_like(reach)
    otsu, _ = cv2.threshold(inside, 0, OPAQUE, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Half of Otsu's threshold: a pale rim, or a pale middle, is still the object; the background's grey is known.
    limit = max(MIN_CONTRAST, 3.0 * noise, 0.5 * float(otsu))
    found = ((contrast > limit) & (reach > 0)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_CLOSE, _disc(closing)), np.uint8)


def _filled(found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same without holes: the pale middle of a cell belongs to it."""
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(found.copy(), outlines, -1, 1, cv2.FILLED), np.uint8)


def _object_of_click(found: NDArray[np.uint8], window: Box) -> NDArray[np.uint8] | None:
    """The piece that lies on the middle of the window; None where none stands out there."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=4)
    x, y = window.center
    radius = 0.25 * min(window.width, window.height)
    height, width = found.shape
    rows = slice(max(0, int(y - radius)), min(height, int(y + radius) + 1))
    columns = slice(max(0, int(x - radius)), min(width, int(x + radius) + 1))
    votes = np.bincount(labels[rows, columns].ravel(), minlength=count)
    votes[0] = 0
    best = int(np.argmax(votes))
    area = window.width * window.height
    if not votes[best] or not MIN_SHARE * area <= stats[best, cv2.CC_STAT_AREA] <= MAX_SHARE * WINDOW_REACH**2 * area:
        return None
    return np.asarray(labels == best, np.uint8)


def _disc(radius_px: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2), np.uint8)


def _softened(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(mask * np.uint8(OPAQUE), (0, 0), SOFT_PX), np.uint8)
