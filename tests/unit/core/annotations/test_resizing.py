"""Larger, smaller, centre to box and back."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.annotations.resizing import MIN_SIDE_PX, as_box, as_center, resized, resized_class_px
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box

IMAGE = Box(0, 0, 400, 300)
CENTER = Annotation(AnnotationId(1), FovId(1), ClassId(1), 200.0, 100.0, author="Ada")
BOX = CENTER.with_box(Box(180, 90, 220, 110))


def test_that_a_centre_gets_a_size_of_its_own_from_the_class() -> None:
    larger = resized(CENTER, 1.5, class_size_px=20.0, within=IMAGE)
    assert larger == dataclasses.replace(CENTER, size_px=30.0)
    assert resized(larger, 0.5, class_size_px=20.0, within=IMAGE).size_px == 15.0


def test_that_a_centre_without_any_size_begins_where_its_class_would() -> None:
    assert resized(CENTER, 1.5, class_size_px=0.0, within=IMAGE).size_px == resized_class_px(None, 1.5) == 30.0


def test_that_a_box_grows_about_its_middle_and_is_cut_at_the_edge() -> None:
    assert resized(BOX, 2.0, class_size_px=0, within=IMAGE).box == Box(160, 80, 240, 120)
    assert resized(BOX, 30.0, class_size_px=0, within=IMAGE).box == Box(0, 0, 400, 300)


@given(st.floats(0.001, 1000), st.booleans())
def test_that_no_factor_makes_a_mark_vanish_or_leave_the_image(factor: float, is_box: bool) -> None:
    mark = resized(BOX if is_box else CENTER, factor, class_size_px=20.0, within=IMAGE)
    extent = mark.extent(20.0)
    assert min(extent.width, extent.height) >= MIN_SIDE_PX - 1e-9
    assert max(extent.width, extent.height) <= 400
    if mark.box is not None:
        assert (mark.x, mark.y) == mark.box.center


def test_that_a_centre_becomes_the_box_of_its_size_and_a_box_its_middle() -> None:
    box = as_box(CENTER, class_size_px=20.0, within=IMAGE)
    assert box.box == Box(190, 90, 210, 110)
    assert box.size_px is None
    assert box.author == "Ada"
    back = as_center(box)
    assert (back.x, back.y, back.box, back.size_px) == (200.0, 100.0, None, 20.0)
    assert as_center(CENTER) is CENTER
    assert as_box(BOX, class_size_px=20.0, within=IMAGE) is BOX


def test_that_a_box_at_the_edge_is_cut_and_its_middle_follows() -> None:
    box = as_box(dataclasses.replace(CENTER, x=2.0), class_size_px=20.0, within=IMAGE)
    assert box.box == Box(0, 90, 12, 110)
    assert box.x == 6.0


def test_that_a_centre_without_a_size_cannot_become_a_box() -> None:
    assert as_box(CENTER, class_size_px=0.0, within=IMAGE) == CENTER


@pytest.mark.parametrize(("size", "factor", "expected"), [(20.0, 1.05, 21.0), (None, 1.0, 20.0), (0.5, 0.5, 1.0)])
def test_that_a_class_is_resized_to_four_digits(size: float | None, factor: float, expected: float) -> None:
    assert resized_class_px(size, factor) == expected
