"""Which suggestions a mark of the expert has answered: what stands where they stand needs no second judgement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_HALF_PX = 4.0
"""Half extent in image px of what has no size."""
MAX_PAIRS = 2_000_000
"""Looked at in one piece: bounds the memory where everything lies in one place."""


def count_answers(suggested: NDArray[np.float64], marked: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count, for each suggestion, the marks that stand for the same object, whatever their class.

    A mark does so where each one's centre lies within the other's extent (the ellipse in its box): a small object on a
    large one, or the large one under it, is another object.

    Args:
        suggested: (4, N) float64 extents x0, y0, x1, y1 in image px.
        marked: (4, M) float64 extents of the marks.

    Returns:
        (N,) int64.
    """
    counts = np.zeros(suggested.shape[1], dtype=np.int64)
    if not counts.size or not marked.shape[1]:
        return counts
    places, halves = _places(suggested)
    mark_places, mark_halves = _places(marked)
    reach = min(float(halves.max()), float(mark_halves.max()))
    left, right = min(places[0].min(), mark_places[0].min()), max(places[0].max(), mark_places[0].max())
    band_width = right - left + 4 * reach

    def key(x: NDArray[np.float64], band: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(band * band_width + (x - left + 2 * reach))

    mark_keys = key(mark_places[0], np.floor(mark_places[1] / reach))
    order = np.argsort(mark_keys, kind="stable")
    mark_keys, mark_places, mark_halves = mark_keys[order], mark_places[:, order], mark_halves[:, order]
    bands = np.floor(places[1] / reach)
    for step in (-1.0, 0.0, 1.0):
        first = np.searchsorted(mark_keys, key(places[0] - reach, bands + step), side="left")
        last = np.searchsorted(mark_keys, key(places[0] + reach, bands + step), side="right")
        for rows in _pieces(last - first):
            near, of = _pairs(rows, first[rows], last[rows])
            way = np.abs(places[:, of] - mark_places[:, near])
            is_same = np.hypot(*(way / halves[:, of])) <= 1.0
            is_same &= np.hypot(*(way / mark_halves[:, near])) <= 1.0
            counts += np.bincount(of[is_same], minlength=counts.size)
    return counts


def _places(extents: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and half extents, (2, N) each."""
    low, high = extents[:2], extents[2:]
    return (low + high) / 2, np.maximum((high - low) / 2, LEAST_HALF_PX)


def _pieces(counts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows in pieces whose counts add up to about `MAX_PAIRS` at most."""
    piece = np.cumsum(counts) // MAX_PAIRS
    return np.split(np.arange(counts.size), np.flatnonzero(np.diff(piece)) + 1)


def _pairs(
    rows: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All numbers from `first` up to `last` of each row, and the row that each belongs to."""
    counts = last - first
    starts = np.cumsum(counts) - counts
    numbers = np.arange(int(counts.sum())) - np.repeat(starts - first, counts)
    return numbers, np.repeat(rows, counts)
