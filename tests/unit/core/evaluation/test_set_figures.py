import numpy as np
import pytest

from synthstudio.core.evaluation.set_figures import (
    FIGURE_NAMES,
    Figures,
    comparable_count,
    compare_figures,
    compare_over_draws,
)

Features = np.ndarray


def _features(n: int, *, seed: int, shift: float = 0.0) -> Features:
    return np.random.default_rng(seed).normal(size=(n, 4)) + shift


def _groups(n: int, *, of: int) -> Features:
    return np.arange(n) // of


def test_that_images_of_the_same_kind_measure_like_real_against_real() -> None:
    found = compare_over_draws(_features(120, seed=1), _groups(120, of=2), _features(80, seed=2), n_draws=20, seed=0)
    assert found is not None
    assert set(found.figures) == set(found.floor) == set(FIGURE_NAMES)
    for name in FIGURE_NAMES:
        figure, floor = found.figures[name], found.floor[name]
        assert figure.low < floor.high, name
        assert floor.low < figure.high, name


def test_that_other_images_measure_worse_than_real_against_real() -> None:
    real, made = _features(120, seed=1), _features(80, seed=2, shift=2.0)
    found = compare_over_draws(real, _groups(120, of=2), made, n_draws=10, seed=0)
    assert found is not None
    assert found.figures["fid"].low > found.floor["fid"].high
    assert found.figures["kid"].low > found.floor["kid"].high
    for name in ("precision", "recall", "density", "coverage"):
        assert found.figures[name].high < found.floor[name].low, name


def test_that_no_sample_is_in_both_halves_of_the_real_images() -> None:
    real = np.repeat(np.arange(30.0), 4)[:, None]
    seen: list[tuple[Features, Features]] = []

    def remember(first: Features, second: Features) -> Figures:
        seen.append((first, second))
        return Figures(0, 0, 0, 0, 0, 0)

    made = np.full((50, 1), -1.0)
    compare_over_draws(real, _groups(120, of=4), made, n_draws=8, seed=3, compare=remember)
    floors = seen[1::2]
    assert len(floors) == 8
    for first, second in floors:
        assert not set(first.ravel()) & set(second.ravel())
        assert len(first) == len(second) == 50


def test_that_images_made_from_maps_of_real_ones_are_never_compared_with_those() -> None:
    real = np.repeat(np.arange(30.0), 4)[:, None]
    made = real + 100
    seen: list[tuple[Features, Features]] = []

    def remember(first: Features, second: Features) -> Figures:
        seen.append((first, second))
        return Figures(0, 0, 0, 0, 0, 0)

    groups = _groups(120, of=4)
    kept = np.arange(120) % 8 != 0  # some were repeats of others
    found = compare_over_draws(
        real, groups, made[kept], synthetic_groups=groups[kept], n_draws=8, seed=3, compare=remember
    )
    assert found is not None
    for (first, synthetic), (again, second) in zip(seen[::2], seen[1::2], strict=True):
        assert np.array_equal(first, again)
        assert len(first) == len(synthetic) == len(second) >= found.n
        assert not set(first.ravel()) & set((synthetic - 100).ravel())
        assert set((synthetic - 100).ravel()) <= set(range(30)) - set(first.ravel())


def test_that_every_division_by_samples_leaves_as_many_images_as_are_counted() -> None:
    groups = np.array([0] * 9 + [1] * 3 + [2] * 4 + [3] * 4 + [4] * 5)
    n = comparable_count(groups, 100)
    assert n == 8
    real = _features(len(groups), seed=1)
    for seed in range(20):
        found = compare_over_draws(real, groups, _features(30, seed=2), n_draws=2, seed=seed)
        assert found is not None
        assert found.n == n


def test_that_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    arguments = _features(60, seed=1), _groups(60, of=1), _features(60, seed=2)
    first, again, other = (compare_over_draws(*arguments, n_draws=5, seed=seed) for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_that_the_interval_is_the_mean_and_nearly_two_standard_deviations_of_the_draws() -> None:
    values = iter(range(100))

    def count(first: Features, second: Features) -> Figures:
        return Figures(*[float(next(values))] * 6)

    found = compare_over_draws(
        _features(40, seed=1), _groups(40, of=1), _features(40, seed=2), n_draws=3, seed=0, compare=count
    )
    assert found is not None
    draws = np.array([0.0, 2.0, 4.0])  # every second comparison is that of the floor
    assert found.figures["fid"].mean == pytest.approx(draws.mean())
    assert found.figures["fid"].high == pytest.approx(draws.mean() + 1.96 * draws.std(ddof=1))
    assert found.differences["fid"].mean == pytest.approx(-1)  # each floor is one more than its figure
    assert found.differences["fid"].low == pytest.approx(found.differences["fid"].high)


@pytest.mark.parametrize(("groups", "n_made"), [(np.zeros(50, int), 50), (np.arange(9), 50), (np.arange(90), 5)])
def test_that_too_few_images_or_samples_give_no_figures(groups: Features, n_made: int) -> None:
    assert (
        compare_over_draws(_features(len(groups), seed=1), groups, _features(n_made, seed=2), n_draws=2, seed=0) is None
    )


def test_that_progress_is_told_for_each_draw() -> None:
    told: list[tuple[int, int]] = []
    compare_over_draws(
        _features(30, seed=1),
        _groups(30, of=1),
        _features(30, seed=2),
        n_draws=3,
        seed=0,
        tick=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_that_one_comparison_has_all_figures() -> None:
    found = compare_figures(_features(20, seed=1), _features(20, seed=2))
    assert 0 <= found.precision <= 1
    assert found.fid > 0
