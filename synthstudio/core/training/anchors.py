"""Anchor boxes by k-means on the overlap of box shapes (Redmon and Farhadi 2017, YOLO9000, section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SizeArray = NDArray[np.float64]
"""Widths and heights `(N, 2)` in px."""

MAX_ROUNDS = 100


def shape_ious(first: SizeArray, second: SizeArray) -> NDArray[np.float64]:
    """Overlap `(N, M)` of boxes with one common corner."""
    shared = np.minimum(first[:, None], second[None]).prod(axis=2)
    return np.asarray(shared / (first.prod(axis=1)[:, None] + second.prod(axis=1)[None] - shared))


def find_anchors(sizes: SizeArray, count: int) -> SizeArray:
    """Find box shapes that overlap well with those of the data.

    Args:
        sizes: `(N, 2)`, at least one, all above 0.
        count: Number wanted; fewer where there are fewer different sizes.

    Returns:
        `(count, 2)` from small to large. The same sizes give the same anchors: the start is their quantiles by area,
        not chance.
    """
    different = np.unique(sizes, axis=0)
    by_area = sizes[np.argsort(sizes.prod(axis=1), kind="stable")]
    places = ((np.arange(min(count, len(different))) + 0.5) * len(by_area) / min(count, len(different))).astype(int)
    anchors = np.unique(by_area[places], axis=0)
    for _ in range(MAX_ROUNDS):
        nearest = shape_ious(sizes, anchors).argmax(axis=1)
        moved = np.array(
            [sizes[nearest == k].mean(axis=0) if (nearest == k).any() else anchors[k] for k in range(len(anchors))]
        )
        if np.allclose(moved, anchors):
            break
        anchors = moved
    return np.asarray(anchors[np.argsort(anchors.prod(axis=1), kind="stable")], np.float64)
