import numpy as np
import pytest

from synthstudio.core.stats import (
    divide,
    draw_group_weights,
    number_groups,
    percentile_interval,
    sum_by_group,
    wilson_interval,
)


def test_that_the_wilson_interval_equals_the_published_check() -> None:
    low, high = wilson_interval(66, 70) or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.862, 0.978)


def test_that_a_proportion_of_nothing_has_no_interval() -> None:
    assert wilson_interval(0, 0) is None


def test_that_every_draw_holds_as_many_groups_as_there_are() -> None:
    weights = draw_group_weights(7, seed=3, n_draws=100)
    assert weights.shape == (100, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_that_the_same_seed_draws_the_same_groups() -> None:
    assert np.array_equal(draw_group_weights(5, seed=1), draw_group_weights(5, seed=1))
    assert not np.array_equal(draw_group_weights(5, seed=1), draw_group_weights(5, seed=2))


def test_that_rows_are_summed_by_group() -> None:
    sums = sum_by_group(np.array([[1, 2], [3, 4], [5, 6]]), np.array([0, 1, 0]), 2)
    assert sums.tolist() == [[6, 8], [3, 4]]


def test_that_groups_are_numbered_from_zero() -> None:
    numbers, count = number_groups([40, 7, 40])
    assert (numbers.tolist(), count) == ([1, 0, 1], 2)


def test_that_an_interval_that_is_mostly_undefined_is_not_given() -> None:
    assert percentile_interval(np.array([np.nan, np.nan, 1.0])) is None
    assert percentile_interval(np.full(10, 0.5)) == (0.5, 0.5)


def test_that_dividing_by_zero_is_undefined_without_a_warning() -> None:
    assert np.isnan(divide(np.array([1.0]), np.array([0.0]))[0])


def test_that_resampling_groups_gives_the_spread_of_group_means() -> None:
    rng = np.random.default_rng(0)
    means = rng.normal(0.0, 1.0, 40)
    drawn = draw_group_weights(40, seed=0) @ means / 40
    assert drawn.std() == pytest.approx(means.std() / np.sqrt(40), rel=0.1)
