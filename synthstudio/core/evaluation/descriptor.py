"""A fixed descriptor of images, for measuring without a network file.

It sees colour, its spread, texture at four scales and in four directions, and roughly where what lies; it knows nothing
of meaning. Distances by it order degradations (noise, blur, a shift of colour, classes that are missing), which is
tested, but they are NOT comparable with published FIDs, which are taken on an Inception network.

Constants are fixed, not fitted: figures of different sets, projects and days stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.imaging import ImageArray

DESCRIPTOR_NAME = "built-in descriptor 1"
"""Its version: another one gives other figures."""
SIDE_PX = 128
"""Images of any size are brought to this square."""
N_SCALES = 4
N_DIRECTIONS = 4
LAYOUT_CELLS = 4
COLOR_BINS = 8
EDGE_FLOOR = 0.012
"""Contrast, of the range of brightness, below which textures count as equally flat: about three grey levels."""
COLOR_WEIGHT, TEXTURE_WEIGHT, LAYOUT_WEIGHT = 1.5, 0.5, 1.0
_TO_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]], np.float32) * np.float32(2.0)
"""Brightness, red against blue, green against both."""


def describe_images(images: Sequence[ImageArray]) -> FeatureArray:
    """Describe images, `(H, W, 3)` uint8 RGB of any size, as `(N, D)` float64 of the order of 1."""
    return np.stack([_describe(image) for image in images]).astype(np.float64)


def _describe(image: ImageArray) -> NDArray[np.float32]:
    rgb = to_square(image, SIDE_PX).astype(np.float32) / np.float32(255.0)
    planes = np.asarray(rgb @ _TO_OPPONENT.T, np.float32)  # (S, S, 3)
    return np.concatenate(
        [
            COLOR_WEIGHT * _colors(planes),
            TEXTURE_WEIGHT * _textures(planes),
            LAYOUT_WEIGHT * _layout(planes),
        ]
    )


def to_square(image: ImageArray, side: int) -> ImageArray:
    """Bring an image to `(side, side, 3)`: averaged when it shrinks, so that nothing aliases; linear when it grows."""
    height, width = image.shape[:2]
    if (height, width) == (side, side):
        return image
    method = cv2.INTER_AREA if min(height, width) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)


def _colors(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean, spread and the shares of soft bins of each plane."""
    means, spreads = cv2.meanStdDev(planes)
    found = [np.asarray(means, np.float32).ravel(), np.asarray(spreads, np.float32).ravel()]
    edges = ((0.0, 2.0), (-1.0, 1.0), (-1.0, 1.0))
    for plane, (low, high) in zip(cv2.split(planes), edges, strict=True):
        place = (np.clip(plane.ravel(), low, high) - low) * np.float32((COLOR_BINS - 1) / (high - low))
        below = place.astype(np.int64)
        share = place - below
        counts = np.bincount(below, 1 - share, COLOR_BINS + 1) + np.bincount(below + 1, share, COLOR_BINS + 1)
        # The root of a share: a rare colour counts, and the length of the vector is that of any other image.
        found.append(np.sqrt(counts[:COLOR_BINS] / plane.size).astype(np.float32))
    return np.concatenate(found).astype(np.float32)


def _textures(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each scale: contrast of each plane, how uneven it lies, and the edges of brightness by direction."""
    found: list[NDArray[np.float32]] = []
    present = planes
    for _ in range(N_SCALES):
        coarser = np.asarray(cv2.GaussianBlur(present, (7, 7), 1.4), np.float32)
        squares = (present - coarser) ** 2  # of a detail that is 0 on average
        spread = np.sqrt(_plane_means(squares))
        peaks = np.sqrt(np.sqrt(_plane_means(squares * squares)))
        found += [_contrast(spread), _contrast(peaks), _contrast(_directions(present[..., 0]))]
        present = np.ascontiguousarray(coarser[::2, ::2])
    return np.concatenate(found).astype(np.float32)


def _plane_means(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each of three planes; OpenCV takes a tenth of NumPy's time for planes that lie interleaved."""
    return np.array(cv2.mean(planes)[:3], np.float32)


def _directions(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean edge strength in each of the directions."""
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8)
    strength, angle = cv2.cartToPolar(across, down)
    bins = (np.asarray(angle) * np.float32(N_DIRECTIONS / np.pi)).astype(np.int64) % N_DIRECTIONS
    sums = np.bincount(bins.ravel(), np.asarray(strength).ravel(), N_DIRECTIONS)
    return np.asarray(sums / plane.size, np.float32)


def _contrast(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Contrast as an eye judges it: by ratio, above a floor."""
    return np.asarray(np.log2(1.0 + value / np.float32(EDGE_FLOOR)), np.float32)


def _layout(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image at 4 x 4 px: what lies where."""
    cells = cv2.resize(planes, (LAYOUT_CELLS, LAYOUT_CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32).ravel()
