"""Marks that cannot be right, one by one."""

from __future__ import annotations

import dataclasses

import pytest

from synthstudio.core.review.mark_checks import MarkChecks
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, Box
from synthstudio.settings.quality import BoxLimits
from tests.support.cells import make_classes, make_fov

FOV = make_fov(1)  # 320 x 240 px
CHECKS = MarkChecks({each.id: each for each in make_classes()}, BoxLimits())


def _box(*corners: float, class_id: int = 1, number: int = 1) -> Annotation:
    box = Box(*corners)
    return Annotation(AnnotationId(number), FOV.id, ClassId(class_id), *box.center, box)


def _click(x: float, y: float, *, class_id: int = 1, number: int = 1) -> Annotation:
    return Annotation(AnnotationId(number), FOV.id, ClassId(class_id), x, y)


@pytest.mark.parametrize(
    ("mark", "checks"),
    [
        (_box(10, 10, 50, 50), []),
        (_box(-0.9, 10, 40, 50), []),
        (_box(10, 10, 10, 50), ["degenerate-box"]),
        (_box(50, 10, 10, 50), ["degenerate-box"]),
        (_box(10, 10, float("nan"), 50), ["degenerate-box"]),
        (_box(300, 200, 330, 230), ["outside-image"]),
        (_box(-50, 200, -10, 230), ["outside-image"]),
        (_box(10, 10, 12, 50), ["tiny-box"]),
        (_box(0, 0, 320, 240), ["huge-box"]),
        (_click(319.9, 10), []),
        (_click(321, 10), ["outside-image"]),
    ],
)
def test_that_an_impossible_mark_is_told_by_its_kind(mark: Annotation, checks: list[str]) -> None:
    assert [each.check for each in CHECKS.check_image(FOV, [mark])] == checks


@pytest.mark.parametrize(
    ("other", "is_double"),
    [
        (_box(11, 10, 51, 50, number=2), True),
        (_box(11, 10, 51, 50, class_id=2, number=2), True),  # one object has one class
        (_box(30, 10, 70, 50, number=2), False),
        (_click(30, 30, number=2), False),  # a click says where, a box how large
    ],
)
def test_that_an_object_with_two_boxes_is_told(other: Annotation, is_double: bool) -> None:
    found = list(CHECKS.check_image(FOV, [_box(10, 10, 50, 50), other]))
    assert [each.annotations for each in found] == ([(1, 2)] if is_double else [])


def test_that_two_clicks_on_one_object_are_told_by_the_size_of_the_class() -> None:
    near, far = _click(105, 100, number=2), _click(108, 100, number=3)  # the class measures 40 px
    assert [each.annotations for each in CHECKS.check_image(FOV, [_click(100, 100), near])] == [(1, 2)]
    assert list(CHECKS.check_image(FOV, [_click(100, 100), far])) == []
    other_class = dataclasses.replace(near, class_id=ClassId(2))
    assert list(CHECKS.check_image(FOV, [_click(100, 100), other_class])) == []


def test_that_sizes_are_compared_within_a_class_and_not_with_objects_that_the_edge_cuts() -> None:
    boxes = [_box(10 * n, 10, 10 * n + 30 + n % 5, 42, number=n + 1) for n in range(25)]
    small, cut = _box(100, 100, 106, 106, number=50), _box(0, 100, 6, 106, number=51)
    other = [_box(20 * n, 50, 20 * n + 12, 62, class_id=3, number=100 + n) for n in range(10)]
    found = list(CHECKS.find_implausible_sizes([FOV], {FOV.id: [*boxes, small, cut, *other]}))
    assert [each.annotations for each in found] == [(50,)]
    assert "measures 6 px, most of them about 32 px" in found[0].reason
