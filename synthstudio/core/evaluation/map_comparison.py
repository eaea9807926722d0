"""Two runs' class activation maps on the same crops: does the one point at the objects more often?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.comparison import Difference, common_classes, difference_of
from synthstudio.core.evaluation.map_scores import CropMapScores
from synthstudio.core.evaluation.resampling import GroupDraws, draw_groups, drawn_mean
from synthstudio.core.stats import FloatArray, divide
from synthstudio.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class ClassMapDifference:
    """One class: pointing accuracy, and mean energy in boxes over the crops on which both maps have any."""

    name: str
    pointing: Difference
    energy: Difference


@dataclass(frozen=True, slots=True)
class MapComparison:
    """Two runs.

    Attributes:
        pointing: Mean of the classes' pointing accuracies.
        is_reliable: Whether there are enough samples for an interval to be trusted.
    """

    pointing: Difference
    per_class: tuple[ClassMapDifference, ...]
    n_groups: int
    is_reliable: bool


def compare_map_scores(first: CropMapScores, second: CropMapScores, *, seed: int) -> MapComparison:
    """Compare where the maps of two runs lie; `seed` is that of the bootstrap.

    Raises:
        UserError: The runs were not scored on the same crops, or know no class in common.
    """
    names, _ = common_classes(first.class_names, second.class_names)
    rows = [[each.of_class(name) for name in names] for each in (first, second)]
    for mine, other in zip(*rows, strict=True):
        if not np.array_equal(first.fov_ids[mine], second.fov_ids[other]):
            raise UserError(
                "The maps of the runs were scored on different crops.",
                "Train both with the same canvas side and scale, and evaluate both again.",
            )
    # One set of draws over all samples of all classes, so that classes hang together as they do in the samples.
    all_draws = draw_groups(np.unique(first.sample_ids), seed=seed)
    tables = []
    for mine, other in zip(*rows, strict=True):
        groups = np.searchsorted(np.unique(first.sample_ids), first.sample_ids[mine])
        draws = GroupDraws(groups, all_draws.weights)
        both = np.isfinite(first.energies[mine]) & np.isfinite(second.energies[other])
        hits = [_means(each, np.ones(len(mine), np.bool_), draws) for each in (first.hits[mine], second.hits[other])]
        energies = [_means(each, both, draws) for each in (first.energies[mine], second.energies[other])]
        tables.append((hits, energies))
    per_class = tuple(
        ClassMapDifference(name, _difference(hits), _difference(energies))
        for name, (hits, energies) in zip(names, tables, strict=True)
    )
    whole = [drawn_mean(np.array([[hits[turn][0] for hits, _ in tables]]))[0] for turn in range(2)]
    drawn = [drawn_mean(np.stack([hits[turn][1] for hits, _ in tables], axis=1)) for turn in range(2)]
    return MapComparison(
        pointing=difference_of(whole, drawn),
        per_class=per_class,
        n_groups=all_draws.n_groups,
        is_reliable=all_draws.is_reliable,
    )


def _means(
    values: NDArray[np.bool_] | FloatArray, counts: NDArray[np.bool_], draws: GroupDraws
) -> tuple[float, FloatArray]:
    """Mean of the rows `(K,)` that count, over all and in each draw `(B,)`; NaN where none does."""
    table = np.column_stack([np.where(counts, values, 0.0), counts])
    total = table.sum(axis=0)
    drawn = draws.sum(table)
    return float(divide(total[:1], total[1:])[0]), divide(drawn[:, 0], drawn[:, 1])


def _difference(means: Sequence[tuple[float, FloatArray]]) -> Difference:
    return difference_of([whole for whole, _ in means], [drawn for _, drawn in means])
