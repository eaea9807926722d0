"""Requests to a GAN: exactly the wanted frequencies, boxes in the frame, any image alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.synthesis.requests import (
    RequestMaterial,
    RequestPlanner,
    choose_cells,
    level_up,
    request_from_json,
    request_to_json,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.settings.generate import Distribution, RequestSettings

MATERIAL = RequestMaterial(
    class_names=("mole", "rash"),
    tone_levels=("light", "middle", "dark"),
    counts={("mole", 1): 8, ("mole", 2): 4, ("rash", 1): 2, ("rash", 2): 0},
    shapes={"mole": ((0.2, 0.3), (0.4, 0.4)), "rash": ((0.6, 0.5),)},
    region_counts=(1, 1, 3),
)
SIDE = 64


def planner_of(material: RequestMaterial = MATERIAL, *, seed: int = 3, **changes: object) -> RequestPlanner:
    return RequestPlanner(RequestSettings.model_validate(changes), material, side=SIDE, seed=seed)


def test_that_balanced_requests_show_every_cell_once_in_each_turn() -> None:
    planner = planner_of()
    assert planner.cells == (("mole", 1), ("mole", 2), ("rash", 1), ("rash", 2))
    for start in (0, 4, 400):
        assert set(planner.count_cells(range(start, start + 4)).values()) == {1}
    one_by_one = dict.fromkeys(planner.cells, 0)
    for index in range(3, 14):
        request = planner.plan(index)
        one_by_one[request.regions[0].class_name, request.tone] += 1
    assert planner.count_cells(range(3, 14)) == one_by_one


def test_that_a_top_up_levels_what_the_data_shows_and_adds_to_the_rarest_first() -> None:
    planner = planner_of(distribution="top-up")
    added = planner.count_cells(range(12))
    total = {cell: MATERIAL.counts.get(cell, 0) + count for cell, count in added.items()}
    assert added[("mole", 1)] == 0
    assert max(total[cell] for cell in planner.cells[1:]) - min(total[cell] for cell in planner.cells[1:]) <= 1
    assert set((added | planner.count_cells(range(18))).values()) != {0}
    assert {MATERIAL.counts.get(cell, 0) + count for cell, count in planner.count_cells(range(18)).items()} == {8}


def test_that_requests_as_in_the_data_come_about_as_often_as_the_data_shows_them() -> None:
    planner = planner_of(distribution="as-in-data")
    counts = planner.count_cells(range(1400))
    assert counts[("rash", 2)] == 0
    assert counts[("mole", 1)] == pytest.approx(800, abs=90)
    assert counts[("rash", 1)] == pytest.approx(200, abs=60)


@pytest.mark.parametrize("distribution", ["balanced", "as-in-data", "top-up"])
def test_that_a_request_depends_on_seed_and_index_alone(distribution: Distribution) -> None:
    forward, backward = planner_of(distribution=distribution), planner_of(distribution=distribution)
    planned = [forward.plan(index) for index in range(20)]
    assert planned == list(reversed([backward.plan(index) for index in reversed(range(20))]))
    assert planned != [planner_of(distribution=distribution, seed=4).plan(index) for index in range(20)]
    cells = [(each.regions[0].class_name, each.tone) for each in planned]
    assert {cell: cells.count(cell) for cell in forward.cells} == forward.count_cells(range(20))


@given(
    seed=st.integers(0, 99),
    shapes=st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.01, 1.0)), min_size=1, max_size=3),
    counts=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    sizes=st.sampled_from(["as-in-data", "uniform"]),
)
@settings(max_examples=60, deadline=None)
def test_that_regions_are_whole_boxes_in_the_frame_and_apart(
    seed: int, shapes: list[tuple[float, float]], counts: list[int], sizes: str
) -> None:
    material = replace(MATERIAL, shapes={"mole": tuple(shapes)}, region_counts=tuple(counts))
    planner = planner_of(material, seed=seed, sizes=sizes, regions="as-in-data")
    for index in range(4):
        request = planner.plan(index)
        assert request.regions
        assert len({each.class_name for each in request.regions}) == 1
        for box in (each.box for each in request.regions):
            assert all(corner == int(corner) for corner in (box.x0, box.y0, box.x1, box.y1))
            assert 0 <= box.x0 < box.x1 <= SIDE
            assert 0 <= box.y0 < box.y1 <= SIDE
        for one, other in itertools.combinations([each.box for each in request.regions], 2):
            assert one.x1 < other.x0 or other.x1 < one.x0 or one.y1 < other.y0 or other.y1 < one.y0


def test_that_uniform_sizes_stay_between_their_bounds() -> None:
    planner = planner_of(sizes="uniform", least_share=0.25, most_share=0.5)
    longer = [max(box.width, box.height) for box in (planner.plan(index).regions[0].box for index in range(60))]
    assert min(longer) >= 16
    assert max(longer) <= 32
    assert len(set(longer)) > 8


def test_that_tones_are_those_of_the_data_unless_they_are_named() -> None:
    assert {tone for _, tone in choose_cells(RequestSettings(), MATERIAL)} == {1, 2}
    assert {tone for _, tone in choose_cells(RequestSettings(tones=("dark",)), MATERIAL)} == {3}
    bare = replace(MATERIAL, tone_levels=(), counts={("mole", UNKNOWN_TONE): 3})
    assert choose_cells(RequestSettings(classes=("mole",)), bare) == (("mole", UNKNOWN_TONE),)
    never_unknown = replace(MATERIAL, counts={}, has_unknown=False)
    assert {tone for _, tone in choose_cells(RequestSettings(), never_unknown)} == {1, 2, 3}


def test_that_what_the_gan_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="knows no condition wart"):
        planner_of(classes=("wart",))
    with pytest.raises(UserError, match="knows no tone purple"):
        planner_of(tones=("purple",))
    with pytest.raises(UserError, match="No training image shows any"):
        planner_of(tones=("dark",), distribution="as-in-data")


def test_that_levelling_never_raises_a_count_above_the_least_by_more_than_one() -> None:
    counts = [5, 0, 3]
    for place in itertools.islice(level_up(counts, (2, 0, 1)), 30):
        assert counts[place] == min(counts)
        counts[place] += 1
    assert max(counts) - min(counts) <= 1


def test_that_a_request_survives_the_manifest() -> None:
    request = planner_of(regions="as-in-data").plan(7)
    assert request_from_json(request_to_json(request)) == request
