"""A description of small square pictures of objects, for telling their classes apart.

Colours are told against the ground around the object, so that light and stain of a sample matter little where there are
few samples: the built-in descriptor of the picture on a common ground. Beside it, as an object may lie in any
direction: mean and spread of colour in rings around its middle, the strength of its symmetries (bent, long, three- and
more-fold) and of its edges in these rings, its share of the picture, its length, and how its colours are distributed.

Measured with one in twenty labels wrong, by a narrow kernel (`kernel_classifier`), against the descriptor and rings of
absolute colour: of so many suspects wrong labels are .92 instead of .87 on objects of the simulator marked by clicks
alone, .88 instead of .82 on 764 boxes of twelve samples, .97 instead of .98 on 75 images of blood cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.descriptor import describe_images, to_square
from synthstudio.core.evaluation.similar import FeatureRows
from synthstudio.core.imaging import ImageArray

PROFILE_NAME = "object-profile-3"
"""Its version, and what tells its features from those of others."""
N_RINGS, N_ANGLES, N_SYMMETRIES = 16, 64, 6
N_TURNED = (3 + 3 + N_SYMMETRIES) * N_RINGS + (1 + N_SYMMETRIES) * N_RINGS + 4 + 21
"""Features, the last ones, that turning an object hardly changes."""
SYMMETRY_WEIGHT = EDGE_WEIGHT = 3.0
DARK = 8.0
"""Grey levels that are added before ratios are taken: black has no logarithm."""
COMMON_GROUND = 160.0
FAINT, STRONG = 0.04, 0.34
"""Contrasts, as logarithms of ratios, from which on a pixel is of the object, and is so in full."""
_SIDE_PX = 64
_MIDDLE = (_SIDE_PX - 1) / 2
_RADIUS = 31.0
_ACROSS, _DOWN = np.meshgrid(np.arange(_SIDE_PX) - _MIDDLE, np.arange(_SIDE_PX) - _MIDDLE)
_DISC = np.hypot(_ACROSS, _DOWN) < _RADIUS + 2
_SHARES = (2, 10, 25, 50, 75, 90, 98)

_Plane = NDArray[np.float32]


def describe_objects(images: Sequence[ImageArray]) -> FeatureRows:
    """Describe squares around objects, `(S, S, 3)` uint8 RGB of any size, as `(N, D)` of the order of 1."""
    contrasts = [_against_ground(image) for image in images]
    on_ground = [np.clip(np.exp(each) * COMMON_GROUND, 0, 255).astype(np.uint8) for each in contrasts]
    shapes = np.stack([_shape(each) for each in contrasts])
    return np.concatenate([describe_images(on_ground), shapes], axis=1).astype(np.float32)


def _against_ground(image: ImageArray) -> _Plane:
    """`(64, 64, 3)` logarithm of each value by the median of its channel along the edge of the picture."""
    square = to_square(image, _SIDE_PX).astype(np.float32) + np.float32(DARK)
    edge = np.concatenate([square[0], square[-1], square[:, 0], square[:, -1]])
    return np.asarray(np.log(square / np.median(edge, axis=0)), np.float32)


def _shape(contrast: _Plane) -> _Plane:
    rings = _polar(contrast)  # (angles, rings, 3)
    brightness = np.ascontiguousarray(contrast.mean(axis=2))
    edges = np.hypot(
        cv2.Sobel(brightness, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(brightness, cv2.CV_32F, 0, 1, scale=1 / 8)
    )
    edge_rings = _polar(edges)
    found = [
        rings.mean(axis=0).ravel(),
        rings.std(axis=0).ravel(),
        SYMMETRY_WEIGHT * _symmetries(rings.mean(axis=2)),
        EDGE_WEIGHT * edge_rings.mean(axis=0),
        EDGE_WEIGHT * _symmetries(edge_rings),
        _extent(contrast),
        np.percentile(contrast.reshape(-1, 3), _SHARES, axis=0).ravel(),
    ]
    return np.concatenate(found).astype(np.float32)


def _polar(plane: _Plane) -> _Plane:
    """`(angles, rings[, 3])`: what lies in each direction, at each distance from the middle."""
    how = cv2.WARP_POLAR_LINEAR | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    return np.asarray(cv2.warpPolar(plane, (N_RINGS, N_ANGLES), (_MIDDLE, _MIDDLE), _RADIUS, how), np.float32)


def _symmetries(rings: _Plane) -> _Plane:
    """`(symmetries * rings,)` strength of the first harmonics around each ring: 2 of what is long, 4 of squares."""
    return np.asarray(np.abs(np.fft.rfft(rings, axis=0))[1 : N_SYMMETRIES + 1].ravel() / N_ANGLES, np.float32)


def _extent(contrast: _Plane) -> _Plane:
    """Of what stands out: logarithm of its share of the picture, how long it is, its spread, its distance from the
    middle."""
    weight = np.clip(np.abs(contrast).max(axis=2) - FAINT, 0, STRONG - FAINT) * _DISC
    total = float(weight.sum()) + 1e-6
    x, y = float((weight * _ACROSS).sum()) / total, float((weight * _DOWN).sum()) / total
    xx = float((weight * (_ACROSS - x) ** 2).sum()) / total
    yy = float((weight * (_DOWN - y) ** 2).sum()) / total
    xy = float((weight * (_ACROSS - x) * (_DOWN - y)).sum()) / total
    length = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-6)
    share = np.log(total / _SIDE_PX**2 + 1e-3)
    return np.array([share, length, np.sqrt(xx + yy) / _SIDE_PX, np.hypot(x, y) / _SIDE_PX], np.float32)
