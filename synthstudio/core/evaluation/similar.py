"""Which pictures are most like one, and how unlike all others one is: by the distances of their features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.frechet import FeatureArray

FeatureRows = NDArray[np.float32]
MOST_DIMENSIONS = 256
"""Longer features are brought to so many: 100 000 of them are then 100 MB, and searched at once."""
_PROJECTION_KEY = 9021
_SPARE = 32
"""So many more than are wanted are measured exactly: the fast way rounds."""
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Nearest:
    """What is like a picture.

    Attributes:
        rows: `(K,)` places, nearest first; of equal distances the first place.
        distances: `(K,)` Euclidean.
    """

    rows: NDArray[np.int64]
    distances: FeatureArray


class FeatureIndex:
    """Features that are searched again and again.

    Args:
        vectors: `(N, D)`.
    """

    def __init__(self, vectors: FeatureRows) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self._squares = np.einsum("nd,nd->n", self._vectors, self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)

    def nearest(self, query: FeatureRows, *, count: int, among: NDArray[np.bool_] | None = None) -> Nearest:
        """Find the nearest to one.

        Args:
            query: `(D,)`.
            count: At most so many.
            among: `(N,)` which are searched; all where it is None.
        """
        if count <= 0 or not len(self):
            return Nearest(np.zeros(0, np.int64), np.zeros(0))
        # |v|^2 - 2 v.q orders as |v - q|^2 does, in one pass over the memory.
        order = self._squares - 2 * (self._vectors @ np.asarray(query, np.float32))
        if among is not None:
            order = np.where(among, order, np.inf)
        wanted = min(count + _SPARE, len(order))
        rows = np.sort(np.argpartition(order, wanted - 1)[:wanted])
        rows = rows[np.isfinite(order[rows])]
        away = self._vectors[rows].astype(np.float64) - np.asarray(query, np.float64)
        distances = np.sqrt(np.einsum("nd,nd->n", away, away))
        chosen = np.argsort(distances, kind="stable")[:count]
        return Nearest(rows[chosen].astype(np.int64), distances[chosen])


def novelty(vectors: FeatureRows, known: FeatureRows, *, neighbours: int = 5) -> FeatureArray:
    """How unlike anything known pictures are: mean distance of each to its nearest known ones.

    Args:
        vectors: `(M, D)` of the pictures.
        known: `(K, D)` of the known ones; where there are none, nothing is novel: zeros.
        neighbours: Of so many the mean is taken, or of all where there are fewer.

    Returns:
        `(M,)`, 0 for one that is known.
    """
    found = np.zeros(len(vectors))
    if not len(known):
        return found
    near = min(neighbours, len(known))
    base = np.asarray(known, np.float64)
    squares = np.einsum("nd,nd->n", base, base)
    for start in range(0, len(vectors), _BLOCK):
        part = np.asarray(vectors[start : start + _BLOCK], np.float64)
        away = np.einsum("nd,nd->n", part, part)[:, None] + squares - 2 * (part @ base.T)  # (B, K)
        least = np.partition(np.maximum(away, 0.0), near - 1, axis=1)[:, :near]
        found[start : start + _BLOCK] = np.sqrt(least).mean(axis=1)
    return found


def network_vectors(features: FeatureArray) -> FeatureRows:
    """Bring features of a network, `(N, D)`, to length 1 and to at most `MOST_DIMENSIONS`.

    Distances then order as angles do. Long ones go through a fixed random projection, which keeps distances within a
    few per cent (Johnson and Lindenstrauss 1984) and, unlike principal components, does not change with the data.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    found = features / np.maximum(lengths, 1e-12)
    if found.shape[1] > MOST_DIMENSIONS:
        rng = np.random.Generator(np.random.Philox(key=[_PROJECTION_KEY, found.shape[1]]))
        found = found @ rng.standard_normal((found.shape[1], MOST_DIMENSIONS)) / np.sqrt(MOST_DIMENSIONS)
    return np.asarray(found, np.float32)
