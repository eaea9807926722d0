"""How far synthetic images are from real ones: each figure over repeated draws, beside that of real against real.

A draw divides the real images into two halves, no sample being in both, takes `n` of each and `n` of the synthetic
ones, and compares the first half with the synthetic images and, as the floor, with the second half. So all numbers are
of equal size: the Fréchet distance of two sets of one distribution is 32 with 25 images and 0.7 with 1000.

Synthetic images that were made from the maps of the real ones are taken from the maps of the second half alone. From
the maps of the first they would show the same tones and conditions in the same places, and come nearer than real
images of other patients can: a trained GAN was once measured below its floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.frechet import FeatureArray, frechet_distance
from synthstudio.core.evaluation.kernel_distance import kernel_distance
from synthstudio.core.evaluation.manifold import LEAST_IMAGES, measure_manifold
from synthstudio.domain.progress import Tick, no_tick

NORMAL_WIDTH = 1.96
"""Half the width of a 95 % interval of a normal distribution, in standard deviations."""
FIGURE_NAMES = ("fid", "kid", "precision", "recall", "density", "coverage")
_DRAW_STREAM = 61


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one comparison; see the modules that compute them."""

    fid: float
    kid: float
    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over the draws: its mean and mean -+ 1.96 standard deviations."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Synthetic against real, and real against real.

    Attributes:
        n: Images of either kind in each draw; the least number where they differ.
        figures: By name, see `FIGURE_NAMES`.
        floor: The same of real against real.
        differences: Figures minus floor, draw by draw: which patients a draw has moves both alike.
    """

    n: int
    n_draws: int
    figures: dict[str, Estimate]
    floor: dict[str, Estimate]
    differences: dict[str, Estimate]


def compare_figures(real: FeatureArray, synthetic: FeatureArray) -> Figures:
    """Compare two sets of features, `(N, D)` and `(M, D)`, of at least `LEAST_IMAGES` each, once."""
    overlap = measure_manifold(real, synthetic)
    return Figures(
        fid=frechet_distance(real, synthetic),
        kid=kernel_distance(real, synthetic),
        precision=overlap.precision,
        recall=overlap.recall,
        density=overlap.density,
        coverage=overlap.coverage,
    )


def comparable_count(groups: NDArray[np.int64], n_synthetic: int) -> int:
    """How many images of either kind a draw can have: any division of the real ones by their groups leaves so many."""
    if not len(groups):
        return 0
    largest = int(np.unique(groups, return_counts=True)[1].max())
    return min((len(groups) - largest) // 2, n_synthetic)


def compare_over_draws(
    real: FeatureArray,
    groups: NDArray[np.int64],
    synthetic: FeatureArray,
    *,
    synthetic_groups: NDArray[np.int64] | None = None,
    n_draws: int,
    seed: int,
    tick: Tick = no_tick,
    compare: Callable[[FeatureArray, FeatureArray], Figures] = compare_figures,
) -> Comparison | None:
    """Compare over repeated draws; None where there are too few images, or samples, for any.

    Args:
        real: `(N, D)` features.
        groups: `(N,)` sample of each real image: images of one patient resemble each other, and would make the floor
            too low if they were in both halves.
        synthetic: `(M, D)` features.
        synthetic_groups: `(M,)` sample of the map that each was made from; None where they have none.
        n_draws: At least 2.
        seed: The same seed gives the same draws.
        tick: Called with draws done and in all.
        compare: How one draw is compared.
    """
    n = comparable_count(groups, len(synthetic))
    if n < LEAST_IMAGES:
        return None
    rng = np.random.Generator(np.random.Philox(key=[seed, _DRAW_STREAM]))
    least = n
    found: list[Figures] = []
    floor: list[Figures] = []
    for done in range(n_draws):
        tick(done, n_draws)
        first, second = _draw_two(groups, rng)
        rows = np.arange(len(synthetic))
        if synthetic_groups is not None:
            rows = rows[np.isin(synthetic_groups, groups[second])]
        # Repeats that were dropped may have left fewer images than there are maps.
        taken = min(n, len(rows))
        if taken < LEAST_IMAGES:
            return None
        least = min(least, taken)
        found.append(compare(real[first[:taken]], synthetic[rng.permutation(rows)[:taken]]))
        floor.append(compare(real[first[:taken]], real[second[:taken]]))
    tick(n_draws, n_draws)
    values, floors = _table(found), _table(floor)
    return Comparison(
        n=least,
        n_draws=n_draws,
        figures=_estimate(values),
        floor=_estimate(floors),
        differences=_estimate({name: values[name] - floors[name] for name in FIGURE_NAMES}),
    )


def _draw_two(groups: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two lots, shuffled, no group being in both: the groups come at random, each to the smaller lot."""
    known, numbers = np.unique(groups, return_inverse=True)
    rows_of = [np.flatnonzero(numbers == number) for number in range(len(known))]
    lots: tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]] = ([], [])
    counts = [0, 0]
    for number in rng.permutation(len(known)):
        side = int(counts[1] < counts[0])
        lots[side].append(rows_of[number])
        counts[side] += len(rows_of[number])
    first, second = (rng.permutation(np.concatenate(each)) for each in lots)
    return first, second


def _table(draws: list[Figures]) -> dict[str, FeatureArray]:
    """Values of all draws by the name of the figure."""
    return {name: np.array([getattr(each, name) for each in draws], np.float64) for name in FIGURE_NAMES}


def _estimate(table: dict[str, FeatureArray]) -> dict[str, Estimate]:
    estimates = {}
    for name, values in table.items():
        mean, half = float(values.mean()), NORMAL_WIDTH * float(values.std(ddof=1))
        estimates[name] = Estimate(mean, mean - half, mean + half)
    return estimates
