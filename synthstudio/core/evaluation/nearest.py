"""The nearest real image of each synthetic one, to see copying.

Two ways to look, since each misses something: distance of features, and correlation of small pictures in all eight
orientations. What is near is judged by how near real images, that the generator has not seen, come to those that it
learned from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.descriptor import to_square
from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.evaluation.manifold import squared_distances
from synthstudio.core.imaging import ImageArray

PICTURE_PX = 32
NEAR_SHARE = 0.01
"""At most so many of the held-out real images are nearer to a training image than the limit."""
NEAR_PART = 0.5
"""And the limit is at most this part of their median: with a dozen held-out images a rare share is the least of them,
below which every tenth image falls by chance."""
LEAST_CORRELATION = 0.95
"""Below this no image is called a copy: flat backgrounds alone correlate."""
_BLUR_PX = 6.0
_FLAT = 1e-3

PictureArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest of some images for each of others, both by feature and by picture.

    Attributes:
        distance: `(M,)` Euclidean distance of features to the nearest.
        by_distance: `(M,)` which one that is.
        correlation: `(M,)` highest correlation of pictures, -1 to 1.
        by_correlation: `(M,)` with which.
    """

    distance: FeatureArray
    by_distance: NDArray[np.int64]
    correlation: FeatureArray
    by_correlation: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.distance)


@dataclass(frozen=True, slots=True)
class NearLimits:
    """From where on an image is called too near.

    Attributes:
        distance: Of features: nearer is too near.
        correlation: Of pictures: higher is too near.
    """

    distance: float
    correlation: float

    def are_too_near(self, found: Neighbours) -> NDArray[np.bool_]:
        """`(M,)` by either way."""
        return np.asarray((found.distance < self.distance) | (found.correlation > self.correlation))


def find_neighbours(
    features: FeatureArray, pictures: PictureArray, *, among_features: FeatureArray, among_pictures: PictureArray
) -> Neighbours:
    """Find the nearest of `K` images for each of `M`.

    Args:
        features: `(M, D)`.
        pictures: `(M, P)` of `small_pictures`.
        among_features: `(K, D)`.
        among_pictures: `(K, P)`; each is tried in all eight orientations.
    """
    squares = squared_distances(features, among_features)
    by_distance = squares.argmin(axis=1)
    correlations = correlate_pictures(pictures, among_pictures)
    by_correlation = correlations.argmax(axis=1)
    return Neighbours(
        distance=np.sqrt(squares[np.arange(len(squares)), by_distance]),
        by_distance=by_distance.astype(np.int64),
        correlation=correlations[np.arange(len(pictures)), by_correlation].astype(np.float64),
        by_correlation=by_correlation.astype(np.int64),
    )


def correlate_pictures(pictures: PictureArray, among: PictureArray) -> PictureArray:
    """Correlation of each of `M` small pictures `(M, P)` with each of `K`, `(K, P)`, in whichever of the eight
    orientations of the latter it is highest: `(M, K)`, -1 to 1."""
    best = np.full((len(pictures), len(among)), -np.inf, np.float32)
    for turned in _orientations(among):
        np.maximum(best, pictures @ turned.T, out=best)
    return best


def near_limits(held_out: Neighbours) -> NearLimits:
    """Limits from real images that the generator has not seen, against those that it learned from."""
    if not len(held_out):
        return NearLimits(0.0, LEAST_CORRELATION)
    rare, usual = np.quantile(held_out.distance, [NEAR_SHARE, 0.5])
    return NearLimits(
        distance=float(min(rare, NEAR_PART * usual)),
        correlation=max(LEAST_CORRELATION, float(np.quantile(held_out.correlation, 1 - NEAR_SHARE))),
    )


def small_pictures(images: Sequence[ImageArray]) -> PictureArray:
    """Small pictures of images, `(H, W, 3)` uint8, without their slow light, of length 1: `(N, 3 * 32 * 32)`.

    The slow part of an image is left out because a tone or a vignette, the same in all, would correlate.
    """
    return np.stack([_small_picture(image) for image in images])


def _small_picture(image: ImageArray) -> PictureArray:
    small = to_square(image, PICTURE_PX).astype(np.float32)
    detail = np.asarray(small - cv2.GaussianBlur(small, (0, 0), _BLUR_PX), np.float32)
    flat = (detail - detail.mean()).ravel()
    length = float(np.linalg.norm(flat))
    return np.asarray(flat / length, np.float32) if length > _FLAT else np.zeros_like(flat)


def _orientations(pictures: PictureArray) -> Iterator[PictureArray]:
    """All eight, one at a time: thousands of pictures are a lot of memory."""
    square = pictures.reshape(-1, PICTURE_PX, PICTURE_PX, 3)
    for each in (square, square[:, :, ::-1]):
        for quarter in range(4):
            yield np.ascontiguousarray(np.rot90(each, quarter, axes=(1, 2))).reshape(len(pictures), -1)


def image_digest(image: ImageArray) -> bytes:
    """The same for two images that are alike pixel for pixel, `(H, W, 3)` uint8, and for no others."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
