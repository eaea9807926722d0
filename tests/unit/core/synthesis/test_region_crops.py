"""Windows around regions: within the image, with their boxes, the same for the same seed."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.geometry import boxes_to_array
from synthstudio.core.imaging import WholeSource
from synthstudio.core.synthesis.region_crops import (
    PlannedCrop,
    RegionStatistics,
    cut_region_crop,
    plan_region_crops,
)
from synthstudio.core.synthesis.region_windows import MIN_VISIBLE, visible_regions
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, CropSquare, FieldOfView
from synthstudio.settings.train_gan import RegionCropSettings
from tests.support.cells import make_fov

SETTINGS = RegionCropSettings(side="64", crops_per_fov=6)


def fov_of(width: int, height: int, *, tone: int | None = 2) -> FieldOfView:
    return dataclasses.replace(make_fov(1, width=width, height=height), tone=tone)


def region(x0: float, y0: float, x1: float, y1: float, name: str = "nevus") -> MapRegion:
    return MapRegion(name, Box(x0, y0, x1, y1))


def plan(fov: FieldOfView, *regions: MapRegion, seed: int = 0, **changed: object) -> list[PlannedCrop]:
    return plan_region_crops(fov, regions, settings=SETTINGS.model_copy(update=changed), seed=seed)


sizes = st.integers(20, 900)
shares = st.tuples(*[st.floats(0, 1) for _ in range(4)])
region_shares = st.lists(shares, min_size=1, max_size=8)


@given(sizes, sizes, region_shares, st.integers(0, 2**31 - 1))
@settings(max_examples=80, deadline=None)
def test_that_every_window_is_square_inside_the_image_and_shows_regions_within_its_map(
    width: int, height: int, parts: list[tuple[float, float, float, float]], seed: int
) -> None:
    regions = [
        region(x * (width - 8), y * (height - 8), x * (width - 8) + 8 + w * width, y * (height - 8) + 8 + h * height)
        for x, y, w, h in parts
    ]

    planned = plan(fov_of(width, height), *regions, seed=seed)

    assert planned
    assert len({each.window for each in planned}) == len(planned)
    for each in planned:
        window = each.window
        assert 0 <= window.x <= width - window.side
        assert 0 <= window.y <= height - window.side
        assert each.request.tone == 2
        assert each.request.regions
        for shown in each.request.regions:
            assert 0 <= shown.box.x0 < shown.box.x1 <= 64
            assert 0 <= shown.box.y0 < shown.box.y1 <= 64


def test_that_a_region_takes_a_share_of_the_window_between_the_two_settings() -> None:
    planned = plan(fov_of(2000, 1500), region(800, 600, 900, 660), crops_per_fov=40)

    shown = [each.request.regions[0].box.width / 64 for each in planned]

    assert min(shown) >= 0.25 - 0.01
    assert max(shown) <= 0.75 + 0.01
    assert max(shown) - min(shown) > 0.3
    assert len({each.window.x for each in planned}) > 30


def test_that_boxes_are_carried_over_exactly() -> None:
    asked = region(800, 600, 900, 660)

    for each in plan(fov_of(2000, 1500), asked):
        box, scale = each.request.regions[0].box, each.window.side / 64
        assert box.x0 * scale + each.window.x == pytest.approx(asked.box.x0)
        assert box.y1 * scale + each.window.y == pytest.approx(asked.box.y1)


def test_that_a_small_region_is_not_enlarged_beyond_the_limit() -> None:
    planned = plan(fov_of(600, 400), region(300, 200, 304, 204), max_enlargement=2.0)

    assert {each.window.side for each in planned} == {32}


def test_that_an_image_smaller_than_that_is_enlarged_rather_than_made_up() -> None:
    (only,) = plan(fov_of(20, 20), region(4, 4, 16, 16))

    assert only.window == CropSquare(0, 0, 20)
    assert only.scale == pytest.approx(3.2)


def test_that_an_image_that_is_one_whole_region_gives_each_window_once() -> None:
    square, wide = fov_of(256, 256), fov_of(600, 450)

    assert [each.window for each in plan(square, region(0, 0, 256, 256))] == [CropSquare(0, 0, 256)]
    planned = plan(wide, region(0, 0, 600, 450))
    assert {each.window.side for each in planned} == {450}
    assert all(each.request.regions == (region(0, 0, 64, 64),) for each in planned)


def test_that_neighbours_are_cut_as_a_group_and_what_lies_far_away_is_not() -> None:
    near = region(100, 100, 130, 130), region(140, 100, 170, 130)
    far = region(900, 700, 930, 730, "melanoma")

    planned = plan(fov_of(1000, 800), *near, far, crops_per_fov=30, least_share=0.6)

    n_shown = [len(each.request.regions) for each in planned if each.request.regions[0].class_name == "nevus"]
    assert 2 in n_shown
    assert all({item.class_name for item in each.request.regions} in ({"nevus"}, {"melanoma"}) for each in planned)


def test_that_a_rare_condition_has_its_turn_beside_many_of_another() -> None:
    many = [region(20 * x, 20 * y, 20 * x + 10, 20 * y + 10) for x in range(20) for y in range(10)]
    rare = region(600, 500, 640, 540, "melanoma")

    for seed in range(5):
        planned = plan(fov_of(800, 600), *many, rare, crops_per_fov=2, seed=seed)
        assert sum(each.request.regions[0].class_name == "melanoma" for each in planned) == 1


def test_that_a_region_cut_by_the_edge_of_the_window_is_clipped_or_left_out() -> None:
    window = CropSquare(0, 0, 100)
    boxes = boxes_to_array([Box(80, 0, 120, 10), Box(95, 20, 125, 30), Box(-500, -500, 500, 500)])

    assert visible_regions(boxes, window).tolist() == [True, False, True]


def test_that_windows_avoid_showing_parts_of_regions_that_are_not_on_the_map() -> None:
    fov = fov_of(1000, 1000)
    center, neighbour = region(450, 450, 550, 550), region(640, 450, 840, 650, "melanoma")
    boxes = boxes_to_array([center.box, neighbour.box])

    planned = plan(fov, center, neighbour, crops_per_fov=40, group_distance=0.0, least_share=0.4)

    for each in planned:
        window = each.window
        shared = [
            max(0.0, min(box.x1, window.x + window.side) - max(box.x0, window.x))
            * max(0.0, min(box.y1, window.y + window.side) - max(box.y0, window.y))
            for box in (center.box, neighbour.box)
        ]
        hidden = [area for area, shown in zip(shared, visible_regions(boxes, window), strict=True) if not shown]
        assert sum(hidden) == 0
    assert 0 < MIN_VISIBLE < 1


def test_that_a_window_depends_on_seed_image_and_number_alone() -> None:
    regions = [region(100, 100, 150, 160), region(500, 300, 560, 380, "melanoma")]
    fov = fov_of(800, 600)
    six = plan(fov, *regions)

    assert plan(fov, *regions) == six
    assert plan(fov, *regions, crops_per_fov=3) == six[:3]
    assert plan(fov, *regions, seed=1) != six
    assert [each.window for each in plan(dataclasses.replace(fov, id=FovId(7)), *regions)] != [
        each.window for each in six
    ]


def test_that_larger_regions_are_drawn_first() -> None:
    (first, *_) = plan(fov_of(300, 300), region(140, 140, 160, 160, "melanoma"), region(100, 100, 200, 200))

    assert [each.class_name for each in first.request.regions] == ["nevus", "melanoma"]


def test_that_an_image_without_regions_or_too_small_to_show_one_gives_no_crop() -> None:
    assert plan(fov_of(100, 100)) == []
    assert plan(fov_of(100, 100), region(200, 200, 220, 220)) == []
    assert plan(fov_of(12, 100), region(0, 0, 10, 10)) == []


def test_that_crops_hold_the_pixels_of_their_window_from_memory_and_from_a_source() -> None:
    image = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    image = np.asarray(cv2.GaussianBlur(image, (9, 9), 0), np.uint8)
    cv2.rectangle(image, (200, 100), (239, 139), (255, 0, 0), cv2.FILLED)
    planned = plan(fov_of(400, 300), region(200, 100, 240, 140), crops_per_fov=12)

    for each in planned:
        crop = cut_region_crop(image, each)
        box = each.request.regions[0].box
        assert crop.image.shape == (64, 64, 3)
        assert crop.request is each.request
        inside = crop.image[round(box.y0) + 2 : round(box.y1) - 2, round(box.x0) + 2 : round(box.x1) - 2]
        assert inside.size
        assert np.abs(inside.astype(int) - (255, 0, 0)).mean() < 12
        assert np.array_equal(cut_region_crop(WholeSource(Path("photo.jpg"), image), each).image, crop.image)


def test_that_an_image_that_has_shrunk_since_its_import_is_refused_in_words() -> None:
    (first, *_) = plan(fov_of(400, 300), region(300, 200, 390, 290))

    with pytest.raises(UserError, match="smaller than when it was imported"):
        cut_region_crop(np.zeros((100, 100, 3), np.uint8), first)


def test_that_statistics_count_regions_and_crops_by_condition_and_tone() -> None:
    requests = [
        MapRequest(64, 0, (region(0, 0, 32, 32), region(0, 0, 16, 4), region(1, 1, 3, 3, "melanoma"))),
        MapRequest(64, 2, (region(0, 0, 64, 16), region(0, 0, 4, 4, "else"))),
    ]

    counted = RegionStatistics.of(requests, ("melanoma", "nevus"), n_tones=3)

    assert counted.n_regions.tolist() == [[1, 0, 0, 0], [2, 0, 1, 0]]
    assert counted.n_crops.tolist() == [[1, 0, 0, 0], [1, 0, 1, 0]]
    assert counted.sizes[1].tolist() == [0.5, 0.125, 0.5]
    assert counted.aspects[1].tolist() == [1.0, 4.0, 4.0]
    assert counted.n_per_crop.tolist() == [3, 2]
