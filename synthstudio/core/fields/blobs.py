"""Where the middle of the object under a click is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray

MIN_CONTRAST = 12.0
"""Grey levels between object and background; below it the ground counts as empty."""
MIN_CONTRAST_PER_NOISE = 3.0
MAX_STEPS = 12
_SETTLED_PX = 0.05


def find_blob_center(image: ImageArray, x: float, y: float, *, size_px: float) -> tuple[float, float] | None:
    """Return the contrast-weighted middle of the object at a click, or None where there is none.

    What differs from the background, the most frequent colour around the click, is weighed by how much it does. The
    middle is sought by mean shift with a disc of the class's size, so that a neighbour that touches does not pull it
    over.

    Args:
        image: (H, W, 3) uint8 RGB around the click, about twice the class's size wide.
        x: Of the click in px of this image, the middle of its first pixel at 0.5.
        y: Of the click, likewise.
        size_px: The class's mean side in px of this image.

    Returns:
        x, y in px of this image, never farther than half of `size_px` from the click.
    """
    distance = _distance_from_background(image, size_px)
    mask = _object_mask(distance)
    if mask is None or not mask.any():
        return None
    own = _component_at(mask, x, y, reach_px=size_px / 4)
    if own is None:
        return None
    weights = np.where(own, np.maximum(distance, 1.0), 0.0)
    found = _mean_shift(weights, x, y, radius_px=size_px / 2)
    return found if np.hypot(found[0] - x, found[1] - y) <= size_px / 2 else None


def _distance_from_background(image: ImageArray, size_px: float) -> NDArray[np.float32]:
    """(H, W) float32: the largest difference of a channel from the background's."""
    smooth = cv2.GaussianBlur(image, (0, 0), max(size_px / 24, 0.8))
    background = []
    for channel in range(3):
        counts = np.bincount(smooth[:, :, channel].ravel(), minlength=256).astype(np.float64)
        background.append(int(np.convolve(counts, np.ones(7), mode="same").argmax()))
    return np.asarray(np.abs(smooth.astype(np.float32) - np.array(background, np.float32)).max(axis=2), np.float32)


def _object_mask(distance: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """(H, W) bool with holes filled, by Otsu's threshold (1979); None where nothing stands out from the noise."""
    levels = np.clip(distance, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inside = levels > threshold
    if not inside.any() or inside.all():
        return None
    ground = distance[~inside]
    contrast = float(distance[inside].mean() - ground.mean())
    if contrast < max(MIN_CONTRAST, MIN_CONTRAST_PER_NOISE * float(ground.std())):
        return None
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(inside.shape, np.uint8), outlines, -1, color=1, thickness=cv2.FILLED)
    return np.asarray(filled, dtype=bool)


def _component_at(mask: NDArray[np.bool_], x: float, y: float, *, reach_px: float) -> NDArray[np.bool_] | None:
    """(H, W) bool: the connected part of the mask at a point, or the nearest one within reach."""
    _, numbered = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    parts = np.asarray(numbered, dtype=np.int32)
    rows, columns = np.nonzero(mask)
    away = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    nearest = int(away.argmin())
    if away[nearest] > max(reach_px, 1.0):
        return None
    return np.asarray(parts == parts[rows[nearest], columns[nearest]])


def _mean_shift(weights: NDArray[np.float64], x: float, y: float, *, radius_px: float) -> tuple[float, float]:
    rows, columns = np.nonzero(weights)
    heavy, across, down = weights[rows, columns], columns + 0.5, rows + 0.5
    for _ in range(MAX_STEPS):
        near = (across - x) ** 2 + (down - y) ** 2 <= radius_px**2
        total = float(heavy[near].sum())
        if total <= 0:
            break
        to_x = float((heavy * across)[near].sum()) / total
        to_y = float((heavy * down)[near].sum()) / total
        moved = max(abs(to_x - x), abs(to_y - y))
        x, y = to_x, to_y
        if moved < _SETTLED_PX:
            break
    return x, y
