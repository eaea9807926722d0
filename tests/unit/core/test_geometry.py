"""Boxes are end exclusive and live in float pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.geometry import (
    box_areas,
    box_intersections,
    box_ious,
    boxes_to_array,
    build_square,
    clip_box,
    is_inside,
)
from synthstudio.domain.records import Box

coordinates = st.floats(-200, 400, allow_nan=False)
sides = st.floats(0.5, 200, allow_nan=False)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), coordinates, coordinates, sides, sides)


def test_that_a_square_is_centred() -> None:
    assert build_square(10, 20, 6) == Box(7, 17, 13, 23)


def test_that_a_box_outside_the_image_or_touching_its_edge_has_no_part_inside() -> None:
    assert clip_box(Box(-10, 0, 0, 5), 100, 80) is None
    assert clip_box(Box(100, 0, 120, 5), 100, 80) is None


@given(boxes)
def test_that_a_clipped_box_lies_inside_and_clipping_twice_changes_nothing(box: Box) -> None:
    clipped = clip_box(box, 100, 80)
    if clipped is not None:
        assert clipped.x0 >= 0
        assert clipped.y0 >= 0
        assert clipped.x1 <= 100
        assert clipped.y1 <= 80
        assert clip_box(clipped, 100, 80) == clipped


def test_that_the_right_and_bottom_edges_are_outside() -> None:
    assert is_inside(0, 0, 10, 10)
    assert not is_inside(10, 5, 10, 10)
    assert not is_inside(5, -0.1, 10, 10)


def test_that_no_boxes_give_an_empty_array() -> None:
    assert boxes_to_array([]).shape == (0, 4)
    assert box_ious(boxes_to_array([]), boxes_to_array([Box(0, 0, 1, 1)])).shape == (0, 1)


def test_that_areas_and_overlaps_are_those_of_a_drawing_on_paper() -> None:
    array = boxes_to_array([Box(0, 0, 4, 4), Box(2, 2, 6, 6), Box(9, 9, 8, 8)])
    np.testing.assert_array_equal(box_areas(array), [16, 16, 0])
    assert box_intersections(array, array)[0, 1] == 4
    assert box_ious(array, array)[0, 1] == pytest.approx(4 / 28)
    assert box_ious(array, array)[2, 2] == 0


@given(boxes, boxes)
def test_that_iou_is_symmetric_and_one_only_with_itself(first: Box, second: Box) -> None:
    array = boxes_to_array([first, second])
    ious = box_ious(array, array)
    assert ious[0, 1] == pytest.approx(ious[1, 0])
    assert 0 <= ious[0, 1] <= 1 + 1e-9
    assert ious[0, 0] == pytest.approx(1)
