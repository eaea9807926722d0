"""Sweeps: one part of a request changes, all else is held."""

from __future__ import annotations

import pytest

from synthstudio.core.synthesis.sweeps import Axis, SweepKnowledge, build_sweep, centered_request
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box

KNOWLEDGE = SweepKnowledge(("mole", "rash"), ("I", "II", "III"))
BASE = MapRequest(64, 2, (MapRegion("mole", Box(4, 20, 24, 30)), MapRegion("mole", Box(40, 40, 50, 50))))


def test_that_a_sweep_over_tones_changes_nothing_but_the_tone() -> None:
    sweep = build_sweep(BASE, ["tone"], KNOWLEDGE)
    assert (sweep.rows, sweep.columns) == (("",), ("I", "II", "III"))
    assert [each.tone for each in sweep.requests] == [1, 2, 3]
    assert {each.regions for each in sweep.requests} == {BASE.regions}


def test_that_a_sweep_over_sizes_grows_every_region_in_its_shape_and_inside_the_frame() -> None:
    sweep = build_sweep(BASE, ["size"], KNOWLEDGE, n_sizes=5)
    assert sweep.columns == ("15 %", "31 %", "48 %", "64 %", "80 %")
    for number in range(2):
        boxes = [each.regions[number].box for each in sweep.requests]
        assert [max(box.width, box.height) for box in boxes] == pytest.approx(
            [64 * share for share in (0.15, 0.3125, 0.475, 0.6375, 0.8)]
        )
        shape = BASE.regions[number].box.width / BASE.regions[number].box.height
        assert all(box.width / box.height == pytest.approx(shape) for box in boxes)
        assert all(min(box.x0, box.y0) >= 0 and max(box.x1, box.y1) <= 64 for box in boxes)
    assert {(each.tone, each.regions[0].class_name) for each in sweep.requests} == {(2, "mole")}


def test_that_two_axes_make_a_grid_with_the_first_down_the_rows() -> None:
    sweep = build_sweep(BASE, ["condition", "tone"], KNOWLEDGE)
    assert (sweep.rows, sweep.columns) == (("mole", "rash"), ("I", "II", "III"))
    told = [(each.regions[0].class_name, each.tone) for each in sweep.requests]
    assert told == [(name, tone) for name in ("mole", "rash") for tone in (1, 2, 3)]


@pytest.mark.parametrize(
    ("axes", "base", "told"),
    [
        ([], BASE, "one axis, or two"),
        (["tone", "tone"], BASE, "one axis, or two"),
        (["size"], MapRequest(64, 1), "no region"),
        (["tone", "condition"], MapRequest(64, 1), "no region"),
    ],
)
def test_that_what_cannot_be_swept_is_told(axes: list[Axis], base: MapRequest, told: str) -> None:
    with pytest.raises(UserError, match=told):
        build_sweep(base, axes, KNOWLEDGE)


def test_that_a_gan_without_tones_and_a_grid_without_end_are_refused() -> None:
    with pytest.raises(UserError, match="learned no tones"):
        build_sweep(BASE, ["tone"], SweepKnowledge(("mole",), ()))
    many = SweepKnowledge(tuple(str(number) for number in range(30)), tuple(str(number) for number in range(20)))
    with pytest.raises(UserError, match="600 images"):
        build_sweep(BASE, ["condition", "tone"], many)


def test_that_an_empty_map_can_be_swept_over_tones_and_a_centred_one_over_all() -> None:
    assert len(build_sweep(MapRequest(64, 1), ["tone"], KNOWLEDGE).requests) == 3
    base = centered_request(64, 2, "rash", share=0.5)
    assert base.regions[0].box == Box(16, 16, 48, 48)
    for axis in ("tone", "size", "condition"):
        assert build_sweep(base, [axis], KNOWLEDGE).requests
