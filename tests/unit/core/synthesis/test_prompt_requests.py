"""Requests by prompts: each prompt as often as wanted, places within their images, lines that are read back."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.synthesis.origins import PromptOrigin, read_origin, read_origin_entries
from synthstudio.core.synthesis.prompt_lines import prompt_from_line, prompt_to_line
from synthstudio.core.synthesis.prompt_requests import Place, PromptPlanner, locate, parse_place
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.prompts import PromptPlace, PromptRequest
from synthstudio.domain.records import AnnotationState, Box, FieldOfView, Storage
from synthstudio.settings.generate import GenerateSettings, PromptSettings


def fov(width: int, height: int, name: str = "hand.png") -> FieldOfView:
    return FieldOfView(
        id=FovId(3),
        sample_id=SampleId(1),
        sample_name="a",
        split=None,
        name=name,
        path="",
        storage=Storage.COPY,
        sha256="",
        width=width,
        height=height,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )


def planner(**settings: object) -> PromptPlanner:
    chosen = PromptSettings.model_validate(settings)
    return PromptPlanner(chosen, prompts=("known",), side=64, fovs={"hand.png": fov(200, 150)})


@given(start=st.integers(0, 50), count=st.integers(0, 60), n_prompts=st.integers(1, 7))
def test_that_prompts_take_turns_and_are_counted_without_drawing_them(start: int, count: int, n_prompts: int) -> None:
    prompts = tuple(f"prompt {number}" for number in range(n_prompts))
    found = planner(prompts=prompts)
    indices = range(start, start + count)
    shown = Counter(found.plan(index).prompt for index in indices)
    assert {prompt: shown[prompt] for prompt in prompts} == found.count_prompts(indices)
    assert max(shown.values(), default=0) - min((shown[each] for each in prompts), default=0) <= 1


def test_that_one_prompt_twice_is_one_and_known_ones_serve_where_none_is_written() -> None:
    assert planner(prompts=("a  cell", "a cell", "b")).prompts == ("a cell", "b")
    assert planner(variants=4).prompts == ("known",)
    assert planner(variants=4).n_images == 4
    with pytest.raises(UserError, match="no prompt"):
        PromptPlanner(PromptSettings(), prompts=(), side=64, fovs={})


def test_that_variants_take_turns_with_the_places_of_all_prompts() -> None:
    places = ("hand.png @ 10, 10, 40, 40", "hand.png @ 90, 90, 120, 130")
    found = planner(prompts=("a", "b"), mode="inpaint", places=places, strength=1.0)
    seen = {(found.plan(index).prompt, found.plan(index).place) for index in range(4)}
    assert len(seen) == 4
    assert {found.plan(index).mode for index in range(4)} == {"inpaint"}


@given(
    size=st.tuples(st.integers(40, 300), st.integers(40, 300)),
    corner=st.tuples(st.floats(0, 0.8), st.floats(0, 0.8)),
    shape=st.tuples(st.floats(0.2, 1.0), st.floats(0.2, 1.0)),
    surroundings=st.floats(1.0, 8.0),
)
def test_that_the_window_around_a_box_lies_in_the_image_and_holds_the_box(
    size: tuple[int, int], corner: tuple[float, float], shape: tuple[float, float], surroundings: float
) -> None:
    image, short = fov(*size), min(size)
    box = Box(
        corner[0] * size[0],
        corner[1] * size[1],
        min(size[0], corner[0] * size[0] + max(8.0, shape[0] * short)),
        min(size[1], corner[1] * size[1] + max(8.0, shape[1] * short)),
    )
    if min(box.width, box.height) < 9:  # it may lose one to whole pixels
        return
    found = locate(Place("hand.png", box), image, mode="inpaint", surroundings=surroundings, strength=1.0)
    window, drawn = found.window, box
    assert found.box is not None
    box = found.box
    for name in ("x0", "y0", "x1", "y1"):
        assert abs(getattr(box, name) - getattr(drawn, name)) <= 0.5
    assert window.width == window.height
    assert 0 <= window.x0 <= box.x0
    assert 0 <= window.y0 <= box.y0
    assert box.x1 <= window.x1 <= size[0]
    assert box.y1 <= window.y1 <= size[1]
    within = found.box_within(64)
    assert within is not None
    assert 0 <= within.x0 < within.x1 <= 64
    assert 0 <= within.y0 < within.y1 <= 64


@pytest.mark.parametrize(
    ("place", "mode", "told"),
    [
        (Place("hand.png"), "inpaint", "no box"),
        (Place("hand.png", Box(0, 0, 5, 50)), "inpaint", "smaller than 8 px"),
        (Place("hand.png", Box(0, 0, 180, 50)), "inpaint", "larger than any square"),
        (Place("hand.png", Box(10, 10, 500, 50)), "image", "not within hand.png"),
        (Place("hand.png", Box(50, 10, 40, 50)), "image", "not within hand.png"),
    ],
)
def test_that_a_place_that_cannot_be_used_is_told(place: Place, mode: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        locate(place, fov(200, 150), mode=mode, surroundings=2.0, strength=1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [Place("hand.png"), Place("a @ b.png", Box(1.0, 2.5, 30.0, 40.0)), Place("#12")])
def test_that_a_place_is_read_as_it_is_written(place: Place) -> None:
    assert parse_place(str(place)) == place


@pytest.mark.parametrize(
    "place",
    [
        None,
        PromptPlace(FovId(3), Box(0, 0, 64, 64), None, 0.5),
        PromptPlace(FovId(3), Box(1, 2, 65, 66), Box(9, 9, 30, 40), 1),
    ],
)
def test_that_a_request_is_read_back_from_its_line(place: PromptPlace | None) -> None:
    request = PromptRequest("a „red“ cell", 64, negative="blue", steps=7, guidance=3.5, scheduler="euler", place=place)
    assert prompt_from_line(json.loads(json.dumps(prompt_to_line(request)))) == request


def test_that_a_damaged_line_is_no_request() -> None:
    line = prompt_to_line(PromptRequest("a", 64))
    for broken in ({**line, "settings": None}, {**line, "settings": {**line["settings"], "scheduler": "magic"}}):
        with pytest.raises((ValueError, TypeError, KeyError)):
            prompt_from_line(broken)


def test_that_headers_of_earlier_sets_are_read() -> None:
    gan = {"weights_sha256": "a", "classes": ["x"], "tone_levels": [], "has_unknown_tone": True, "side": 64}
    entries = read_origin_entries({"gans": {"run-1": {**gan, "source_fovs": [1]}}})
    origin = read_origin("run-1", entries["run-1"])
    assert (origin.key, origin.generator, origin.source_fovs) == ("run-1", "gan", (1,))
    assert entries["run-1"] == origin.to_json()
    assert read_origin_entries({"settings": {}}) == {}


@pytest.mark.parametrize("run", ["run-2", ""])
def test_that_a_model_is_read_back_from_its_entry(run: str) -> None:
    origin = PromptOrigin(run, "sd15", "m", "w", 500, "mpox", (4, 5))
    assert read_origin(origin.key, json.loads(json.dumps(origin.to_json()))) == origin
    assert origin.key == (run or "model:sd15")


@pytest.mark.parametrize(
    "settings",
    [
        {"prompts": {"prompts": ["a", " "]}},
        {"prompts": {"mode": "image"}},
        {"prompts": {"places": ["hand.png"]}},
        {"generator": "gan", "model": "sd15"},
        {"generator": "diffusion", "model": "sd15", "run": "run-1"},
    ],
)
def test_that_settings_that_do_not_fit_each_other_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"line is empty|needs at least one place|places are for|local model"):
        GenerateSettings.model_validate(settings)
