"""Telling the same picture, stored again, from another one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.imaging import ImageArray
from synthstudio.core.review.image_facts import take_facts
from synthstudio.core.review.near_duplicates import detail_correlation, find_same_pictures
from synthstudio.core.review.outliers import LEAST_VALUES, robust_deviations
from tests.support.cells import make_cells


def _field(seed: int) -> ImageArray:
    """A field of thirty dark discs at random places."""
    rng = np.random.default_rng(seed)
    image = np.full((120, 160, 3), 210.0) + rng.normal(0, 2, (120, 160, 3))
    rows, columns = np.mgrid[:120, :160]
    for x, y in zip(rng.uniform(0, 160, 30), rng.uniform(0, 120, 30), strict=True):
        image[np.hypot(columns - x, rows - y) < 6] = (150, 90, 110)
    return np.clip(image, 0, 255).astype(np.uint8)


def _same(images: list[ImageArray]) -> list[tuple[int, ...]]:
    found = find_same_pictures([take_facts(image) for image in images], hash_distance=4, correlation=0.9)
    return [each.members for each in found]


@settings(max_examples=16, deadline=None)
@given(turn=st.integers(0, 7), gain=st.floats(0.7, 1.1), seed=st.integers(0, 50))
def test_that_a_picture_is_known_again_in_any_orientation_and_light(turn: int, gain: float, seed: int) -> None:
    original = _field(seed)
    other = np.rot90(original[:, ::-1] if turn >= 4 else original, turn % 4)
    other = np.clip(other * gain, 0, 255).astype(np.uint8)
    images = [original, _field(seed + 1000), np.ascontiguousarray(other)]
    assert _same(images) == [(0, 2)]


def test_that_different_fields_of_one_kind_are_different_pictures_even_where_every_pair_is_compared() -> None:
    facts = [take_facts(_field(seed)) for seed in range(40)]
    assert find_same_pictures(facts, hash_distance=16, correlation=0.9) == []
    pairs = [detail_correlation(a.picture, b.picture) for a in facts[:20] for b in facts[20:]]
    assert max(pairs) < 0.6


def test_that_empty_fields_are_not_one_picture_unless_they_are_equal() -> None:
    rng = np.random.default_rng(3)
    grainy = [np.clip(200 + rng.normal(0, 2, (90, 120, 3)), 0, 255).astype(np.uint8) for _ in range(4)]
    assert _same([*grainy, grainy[1]]) == [(1, 4)]


def test_that_pictures_join_into_one_group_with_its_weakest_bond() -> None:
    cells = make_cells(n_fovs=2)
    first, other = cells.images.values()
    darker = np.asarray(first * 0.85, np.uint8)
    facts = [take_facts(image) for image in (first, other, first, darker)]
    (group,) = find_same_pictures(facts, hash_distance=4, correlation=0.9)
    assert group.members == (0, 2, 3)
    assert 0.9 < group.correlation < 1
    assert not group.is_exact
    assert find_same_pictures(facts[:3], hash_distance=4, correlation=0.9)[0].is_exact


def test_that_outliers_do_not_hide_each_other_and_few_values_have_none() -> None:
    values = np.array([10.0, 11, 9, 10, 12, 10, 9, 11, 10, 500, 500, 500, 10, 11], np.float64)
    assert (np.abs(robust_deviations(values, floor=0.1)) > 6).sum() == 3
    assert not robust_deviations(values[: LEAST_VALUES - 1], floor=0.1).any()
    same = np.array([5.0] * 20 + [5.3])
    assert robust_deviations(same, floor=0.1)[-1] == pytest.approx(3.0)
