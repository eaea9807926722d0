"""Bootstrap draws of samples, laid on rows of crops or images.

All figures of one evaluation, and both runs of a comparison, use the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.stats import (
    MIN_RELIABLE_GROUPS,
    FloatArray,
    divide,
    draw_group_weights,
    number_groups,
    sum_by_group,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MAX_LEVELS = 1000
MAX_CELLS = 1_000_000
"""Levels times draws that are worked on at once: some arrays of 8 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupDraws:
    """How often each row is in each draw.

    Attributes:
        groups: `(N,)` group of each row, numbered from 0.
        weights: `(B, G)` how often each group was drawn.
    """

    groups: NDArray[np.int64]
    weights: FloatArray

    @property
    def n_groups(self) -> int:
        return int(self.weights.shape[1])

    @property
    def is_reliable(self) -> bool:
        """Whether there are enough groups for an interval to be trusted."""
        return self.n_groups >= MIN_RELIABLE_GROUPS

    def sum(self, values: NDArray[np.generic]) -> FloatArray:
        """Sum rows `(N, ...)` in each draw, `(B, ...)`."""
        by_group = sum_by_group(values, self.groups, self.n_groups)
        return np.asarray(np.tensordot(self.weights, by_group, axes=1))


def draw_groups(sample_ids: NDArray[np.int64], *, seed: int) -> GroupDraws:
    """Draw samples; the same ids and seed give the same draws."""
    groups, n_groups = number_groups(sample_ids.tolist())
    return GroupDraws(groups, draw_group_weights(n_groups, seed=seed) if n_groups else np.zeros((0, 0)))


def drawn_f1(counts: FloatArray) -> FloatArray:
    """F1 from `(..., 3)` true positives, false positives, false negatives; NaN where undefined."""
    return divide(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


def drawn_mean(table: FloatArray) -> FloatArray:
    """Mean over the classes `(B, C)` that are defined in each draw; NaN where none is."""
    n_defined = np.isfinite(table).sum(axis=1).astype(np.float64)
    return divide(np.nansum(table, axis=1), n_defined)


def drawn_ranking(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], draws: GroupDraws
) -> tuple[FloatArray, FloatArray]:
    """Area under the ROC curve and average precision of one class in each draw.

    Of more than `MAX_LEVELS` different scores neighbours are taken for equal: an interval shows no difference, and it
    stays a matter of a second with a hundred thousand crops.

    Args:
        scores: `(N,)`.
        labels: `(N,)`.
        draws: Of the rows.

    Returns:
        Both `(B,)`, NaN where undefined.
    """
    if not len(scores):
        return np.full(len(draws.weights), np.nan), np.full(len(draws.weights), np.nan)
    levels = _levels(scores)
    true, false = (_by_level(levels, draws.groups, rows, draws.n_groups) for rows in (labels, ~labels))
    parts = [
        _rank(np.asarray(true @ weights.T), np.asarray(false @ weights.T))
        for weights in _portions(draws.weights, true.shape[0])
    ]
    return np.concatenate([area for area, _ in parts]), np.concatenate([average for _, average in parts])


def drawn_box_precision(
    scores: FloatArray,
    hits: NDArray[np.bool_],
    *,
    images: NDArray[np.int64],
    n_true: NDArray[np.int64],
    draws: GroupDraws,
    n_levels: int,
) -> FloatArray:
    """Average precision of detections as COCO's in each draw of their images.

    Args:
        scores: `(D,)`; of very many neighbours are taken for equal, as in `drawn_ranking`.
        hits: `(D,)` whether a detection matches an object.
        images: `(D,)` image of each.
        n_true: `(n_images,)` objects.
        draws: Of the images.
        n_levels: Levels of recall at which precision is read.

    Returns:
        `(B,)`, NaN where there is nothing to find.
    """
    drawn_true = draws.sum(n_true)
    if not len(scores):
        return np.where(drawn_true > 0, 0.0, np.nan)
    levels = _levels(scores)
    groups = draws.groups[images]
    matched, others = (_by_level(levels, groups, rows, draws.n_groups) for rows in (hits, ~hits))
    parts = []
    start = 0
    for weights in _portions(draws.weights, matched.shape[0]):
        here = drawn_true[start : start + len(weights)]
        start += len(weights)
        found = np.cumsum(np.asarray(matched @ weights.T), axis=0)
        wrong = np.cumsum(np.asarray(others @ weights.T), axis=0)
        precision = np.nan_to_num(divide(found, found + wrong))
        envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        parts.append(_read_at_recall(envelope, found, here, n_levels=n_levels))
    return np.concatenate(parts)


def _read_at_recall(envelope: FloatArray, found: FloatArray, n_true: FloatArray, *, n_levels: int) -> FloatArray:
    """Mean of the envelope `(K, b)` at even levels of recall, `(b,)`."""
    wanted = np.linspace(0.0, 1.0, n_levels)
    means = np.full(len(n_true), np.nan)
    for draw in np.flatnonzero(n_true > 0):
        places = np.searchsorted(found[:, draw] / n_true[draw], wanted, side="left")
        means[draw] = np.append(envelope[:, draw], 0.0)[places].mean()
    return means


def _levels(scores: FloatArray) -> NDArray[np.int64]:
    """Number of each score's level `(N,)` from 0 for the best, at most `MAX_LEVELS` of them."""
    unique, levels = np.unique(-scores, return_inverse=True)
    if len(unique) > MAX_LEVELS:
        levels = levels * MAX_LEVELS // len(unique)
    return np.asarray(levels, np.int64)


def _by_level(
    levels: NDArray[np.int64], groups: NDArray[np.int64], rows: NDArray[np.bool_], n_groups: int
) -> csr_array:
    """How many of the chosen rows each group has at each level, `(K, G)`."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - scipy takes 20 MB, which a window that draws nothing can spare

    shape = (int(levels.max()) + 1, n_groups)
    return csr_array((np.ones(int(rows.sum())), (levels[rows], groups[rows])), shape=shape)


def _portions(weights: FloatArray, n_levels: int) -> list[FloatArray]:
    """The draws `(B, G)` in parts that fit into memory."""
    return np.array_split(weights, max(1, n_levels * len(weights) // MAX_CELLS))


def _rank(hits: FloatArray, misses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both areas from the present and absent rows at each level of the score, best first, in each draw `(K, b)`."""
    found, wrong = np.cumsum(hits, axis=0), np.cumsum(misses, axis=0)
    n_true, n_false = found[-1], wrong[-1]
    outranked = hits * (n_false - wrong + misses / 2)
    precision = np.nan_to_num(divide(found, found + wrong))
    return divide(outranked.sum(axis=0), n_true * n_false), divide((hits * precision).sum(axis=0), n_true)
