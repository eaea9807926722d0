"""Distances of feature sets against their definitions, written the slow way."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from synthstudio.core.evaluation.frechet import frechet_distance
from synthstudio.core.evaluation.kernel_distance import kernel_distance
from synthstudio.core.evaluation.manifold import measure_manifold, squared_distances

Features = np.ndarray


def _features(n: int, dimensions: int, *, seed: int, shift: float = 0.0) -> Features:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dimensions, dimensions)) / dimensions**0.5
    return rng.normal(size=(n, dimensions)) @ mixing + shift


@pytest.mark.parametrize(("n", "m"), [(60, 45), (12, 200)])
def test_that_the_frechet_distance_equals_the_definition_with_a_matrix_root(n: int, m: int) -> None:
    x, y = _features(n, 8, seed=1), _features(m, 8, seed=2, shift=0.3)
    root = sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False)).real
    spread = np.trace(np.cov(x, rowvar=False)) + np.trace(np.cov(y, rowvar=False)) - 2 * np.trace(root)
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + spread
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-8)


def test_that_the_frechet_distance_holds_where_there_are_fewer_images_than_features() -> None:
    x, y = _features(9, 40, seed=1), _features(7, 40, seed=2)
    products = (x - x.mean(0)).T @ (x - x.mean(0)) / 8 @ (y - y.mean(0)).T @ (y - y.mean(0)) / 6
    shared = np.sqrt(np.linalg.eigvals(products).astype(complex)).real.sum()
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.cov(x, rowvar=False).trace() + np.cov(y, rowvar=False).trace()
    assert frechet_distance(x, y) == pytest.approx(expected - 2 * shared, rel=1e-5)


def test_that_a_set_is_at_no_distance_from_itself() -> None:
    x = _features(30, 6, seed=3)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_that_the_kernel_distance_equals_the_sums_over_pairs() -> None:
    x, y = _features(7, 5, seed=1), _features(9, 5, seed=2, shift=0.4)

    def kernel(a: Features, b: Features) -> float:
        return float((a @ b / 5 + 1) ** 3)

    among_x = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    among_y = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(among_x + among_y - 2 * between, rel=1e-9)


def test_that_the_kernel_distance_of_one_distribution_is_around_zero_at_any_number_of_images() -> None:
    for n in (20, 200):
        found = [kernel_distance(_features(n, 5, seed=2 * k), _features(n, 5, seed=2 * k + 1)) for k in range(40)]
        assert abs(np.mean(found)) < 3 * np.std(found) / 40**0.5


def test_that_the_overlap_equals_its_definitions_ball_by_ball() -> None:
    real, made = _features(20, 3, seed=1), _features(16, 3, seed=2, shift=0.5)

    def radius(points: Features, at: int, k: int) -> float:
        return float(np.sort([np.linalg.norm(points[at] - each) for each in points])[k])

    def inside(point: Features, points: Features, k: int) -> list[bool]:
        return [bool(np.linalg.norm(point - each) < radius(points, at, k)) for at, each in enumerate(points)]

    found = measure_manifold(real, made)
    assert found.precision == pytest.approx(np.mean([any(inside(each, real, 3)) for each in made]))
    assert found.recall == pytest.approx(np.mean([any(inside(each, made, 3)) for each in real]))
    assert found.density == pytest.approx(np.mean([sum(inside(each, real, 5)) / 5 for each in made]))
    balls = np.array([inside(each, real, 5) for each in made])
    assert found.coverage == pytest.approx(balls.any(axis=0).mean())


def test_that_images_of_one_spot_are_precise_but_cover_little() -> None:
    real = _features(60, 4, seed=1)
    spot = real[:1] + 1e-3 * _features(60, 4, seed=2)
    found = measure_manifold(real, spot)
    assert found.precision > 0.9
    assert found.recall < 0.1
    assert found.coverage < 0.2


def test_that_small_distances_far_from_the_origin_keep_their_digits() -> None:
    x = _features(6, 4, seed=1)
    assert np.allclose(squared_distances(x + 1e6, x + 1e6), squared_distances(x, x), rtol=1e-6, atol=1e-9)
