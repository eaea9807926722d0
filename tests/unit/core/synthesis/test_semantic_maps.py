"""Semantic maps hold tone, boxes and conditions, and give them back."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.synthesis.map_codes import MAX_CONDITIONS, build_condition_codes, least_distance
from synthstudio.core.synthesis.semantic_maps import MapCoding, from_output, region_mask, snapped_box, to_input
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box

SIDE = 24
NAMES = ("eczema", "melanoma", "psoriasis", "tinea", "urticaria")
CODING = MapCoding(NAMES, n_tones=6, has_unknown=True)

whole = st.integers(0, SIDE - 1)
lengths = st.integers(1, 12)
whole_boxes = st.builds(
    lambda x, y, w, h: Box(x, y, min(SIDE, x + w), min(SIDE, y + h)), whole, whole, lengths, lengths
)
anywhere = st.floats(-8, SIDE + 8, allow_nan=False)
floats = st.floats(0.0, 20.0, allow_nan=False)
loose_boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), anywhere, anywhere, floats, floats)


def regions_of(boxes: st.SearchStrategy[Box], count: int) -> st.SearchStrategy[tuple[MapRegion, ...]]:
    return st.lists(st.builds(MapRegion, st.sampled_from(NAMES), boxes), max_size=count).map(tuple)


def requests(boxes: st.SearchStrategy[Box], count: int = 7) -> st.SearchStrategy[MapRequest]:
    return st.builds(MapRequest, st.just(SIDE), st.integers(0, 6), regions_of(boxes, count))


def request(*regions: tuple[str, tuple[float, float, float, float]], tone: int = 3) -> MapRequest:
    return MapRequest(SIDE, tone, tuple(MapRegion(name, Box(*box)) for name, box in regions))


@given(requests(st.one_of(whole_boxes, loose_boxes)))
@settings(max_examples=120)
def test_that_a_normalised_request_is_read_from_its_map_exactly(asked: MapRequest) -> None:
    normal = CODING.normalise(asked)

    assert CODING.read(CODING.draw(normal)) == normal


@given(requests(st.one_of(whole_boxes, loose_boxes)))
@settings(max_examples=120)
def test_that_normalising_never_changes_the_map(asked: MapRequest) -> None:
    assert np.array_equal(CODING.draw(CODING.normalise(asked)), CODING.draw(asked))


@given(requests(whole_boxes))
@settings(max_examples=120)
def test_that_separate_boxes_come_back_as_they_were(asked: MapRequest) -> None:
    separate: list[MapRegion] = []
    for region in asked.regions:
        grown = Box(region.box.x0 - 1, region.box.y0 - 1, region.box.x1 + 1, region.box.y1 + 1)
        if all(not _overlap(grown, other.box) for other in separate):
            separate.append(region)

    read = CODING.read(CODING.draw(MapRequest(SIDE, asked.tone, tuple(separate))))

    assert read.tone == asked.tone
    assert set(read.regions) == set(separate)


def _overlap(first: Box, second: Box) -> bool:
    return first.x0 < second.x1 and second.x0 < first.x1 and first.y0 < second.y1 and second.y0 < first.y1


def test_that_boxes_of_two_conditions_that_touch_or_overlap_come_back_as_they_were() -> None:
    asked = request(("eczema", (2, 2, 12, 12)), ("tinea", (8, 8, 18, 18)), ("melanoma", (18, 8, 20, 18)))

    assert CODING.read(CODING.draw(asked)) == asked


def test_that_a_box_within_another_is_drawn_after_it() -> None:
    asked = request(("eczema", (2, 2, 20, 20)), ("tinea", (8, 8, 12, 12)))

    assert CODING.read(CODING.draw(asked)) == asked
    assert CODING.normalise(MapRequest(SIDE, 3, asked.regions[::-1])).regions == asked.regions[:1]


def test_that_boxes_lying_over_one_another_in_a_ring_are_still_read() -> None:
    ring = request(
        ("eczema", (2, 2, 16, 6)),
        ("tinea", (12, 2, 16, 16)),
        ("melanoma", (2, 12, 16, 16)),
        ("psoriasis", (2, 2, 6, 16)),
    )
    drawn = CODING.draw(ring)
    drawn[2:6, 2:6, 1:] = CODING.codes[0]

    assert np.array_equal(CODING.draw(CODING.read(drawn)), drawn)


def test_that_two_boxes_of_one_condition_that_touch_are_one() -> None:
    asked = request(("tinea", (2, 2, 8, 8)), ("tinea", (8, 2, 12, 8)))

    assert CODING.normalise(asked) == request(("tinea", (2, 2, 12, 8)))


def test_that_a_map_is_laid_out_as_published() -> None:
    drawn = CODING.draw(request(("melanoma", (4, 6, 10, 9)), tone=6))

    assert (drawn[..., 0] == 255).all()
    assert drawn[6:9, 4:10, 1:].reshape(-1, 2).tolist() == [CODING.codes[1].tolist()] * 18
    drawn[6:9, 4:10, 1:] = 0
    assert not drawn[..., 1:].any()


def test_that_an_unknown_tone_has_a_level_of_its_own() -> None:
    values = [CODING.tone_value(tone) for tone in range(7)]

    assert values == [0, 42, 85, 128, 170, 212, 255]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 26, 27, 100, MAX_CONDITIONS])
def test_that_any_number_of_conditions_can_be_told_apart(count: int) -> None:
    best_packing = 255.0 * np.sqrt(2 / np.sqrt(3) / (count + 1)) * (1 + 1 / np.sqrt(count + 1))  # an upper bound

    codes = build_condition_codes(count)

    assert len({tuple(code) for code in codes.tolist()} | {(0, 0)}) == count + 1
    assert least_distance(codes) >= best_packing / 2.5 or least_distance(codes) == 255


def test_that_more_conditions_leave_the_codes_of_the_first_ones() -> None:
    assert np.array_equal(build_condition_codes(40)[:7], build_condition_codes(7))
    assert build_condition_codes(5).tolist() == [[255, 255], [255, 0], [0, 255], [128, 128], [127, 1]]


def test_that_too_many_conditions_are_refused_in_words() -> None:
    with pytest.raises(UserError, match="1001"):
        build_condition_codes(MAX_CONDITIONS + 1)


@given(requests(whole_boxes, count=4), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_that_values_that_moved_a_little_mean_the_same(asked: MapRequest, seed: int) -> None:
    drawn = CODING.draw(asked)
    noise = np.random.default_rng(seed).integers(-12, 13, drawn.shape)

    moved = np.clip(drawn.astype(np.int64) + noise, 0, 255).astype(np.uint8)

    assert CODING.read(moved) == CODING.normalise(asked)


def test_that_maps_that_mean_nothing_are_refused_in_words() -> None:
    plain = CODING.draw(request())
    two_tones, strange = plain.copy(), plain.copy()
    two_tones[0, 0, 0] = 255
    strange[3, 4, 1:] = 64, 64

    with pytest.raises(UserError, match="not one tone"):
        CODING.read(two_tones)
    with pytest.raises(UserError, match="green 64, blue 64"):
        CODING.read(strange)
    with pytest.raises(UserError, match="square"):
        CODING.read(plain[:, :7])
    with pytest.raises(UserError, match="not one tone"):
        MapCoding(NAMES, n_tones=6, has_unknown=False).read(CODING.draw(request(tone=0)))


def test_that_requests_that_cannot_be_drawn_are_refused_in_words() -> None:
    with pytest.raises(UserError, match='no condition "lichen"'):
        CODING.draw(request(("lichen", (0, 0, 4, 4))))
    with pytest.raises(UserError, match="no tone 7"):
        CODING.check(request(tone=7))
    with pytest.raises(UserError, match="unknown tone"):
        MapCoding(NAMES, n_tones=6, has_unknown=False).draw(request(tone=0))


def test_that_a_project_without_tones_has_maps_of_one_level() -> None:
    coding = MapCoding(("cell",), n_tones=0, has_unknown=True)
    asked = MapRequest(8, 0, (MapRegion("cell", Box(1.0, 1.0, 3.0, 4.0)),))

    assert not coding.draw(asked)[..., 0].any()
    assert coding.read(coding.draw(asked)) == asked


@given(st.one_of(whole_boxes, loose_boxes))
def test_that_a_box_that_meets_the_map_has_at_least_one_pixel(box: Box) -> None:
    snapped = snapped_box(box, SIDE)

    if box.x1 <= 0 or box.y1 <= 0 or box.x0 >= SIDE or box.y0 >= SIDE:
        assert snapped is None
    else:
        assert snapped is not None
        x0, y0, x1, y1 = snapped
        assert 0 <= x0 < x1 <= SIDE
        assert 0 <= y0 < y1 <= SIDE


@given(requests(loose_boxes))
def test_that_the_region_mask_is_where_the_map_has_a_condition(asked: MapRequest) -> None:
    assert np.array_equal(region_mask(asked), CODING.draw(asked)[..., 1:].any(axis=2))


def test_that_bytes_survive_the_way_through_the_networks_range() -> None:
    every = np.array(list(itertools.product(range(0, 256, 5), repeat=2)), np.uint8)
    pixels = np.stack([every[:, :1], every[:, 1:], every[:, :1]], axis=2)

    values = to_input(pixels)

    assert values.dtype == np.float32
    assert values.shape == (3, *pixels.shape[:2])
    assert values.min() == -1.0
    assert values.max() == 1.0
    assert np.array_equal(from_output(values), pixels)
