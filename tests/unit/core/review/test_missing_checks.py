"""Objects that a model has found, and nobody has marked."""

from __future__ import annotations

from dataclasses import replace

from synthstudio.core.review.findings import Finding
from synthstudio.core.review.missing_checks import FoundObject, find_unmarked_objects
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box, ObjectClass, Role
from synthstudio.settings.quality import MissingLimits
from tests.support.cells import make_fov

CELL, PLATELET = ClassId(1), ClassId(2)
CLASSES = {
    CELL: ObjectClass(CELL, "cell", "#aa0000", "1", Role.OBJECT, None, None),
    PLATELET: ObjectClass(PLATELET, "platelet", "#00aa00", "2", Role.OBJECT, None, None),
}
FOV = make_fov(1)


def _box(column: int, row: int) -> Box:
    """One of 40 x 40 px on a grid of 50 px."""
    return Box(50 * column, 50 * row, 50 * column + 40, 50 * row + 40)


MARKS = [
    Annotation(AnnotationId(10 * row + column + 1), FOV.id, CELL, 0.0, 0.0).with_box(_box(column, row))
    for row in range(2)
    for column in range(6)
]
SEEN = [FoundObject(FOV.id, CELL, mark.box, 0.5 + 0.02 * n) for n, mark in enumerate(MARKS) if mark.box]


def _find(*objects: FoundObject) -> list[Finding]:
    marks = {FOV.id: MARKS}
    return list(find_unmarked_objects([FOV], marks, CLASSES, [*SEEN, *objects], MissingLimits(), by="a detector"))


def test_that_an_object_is_told_that_the_model_is_as_sure_of_as_of_marked_ones() -> None:
    free = FoundObject(FOV.id, CELL, _box(2, 4), 0.9)
    (finding,) = _find(free, replace(free, box=_box(4, 4), score=0.55))
    assert (finding.check, finding.severity, finding.class_name, finding.score) == (
        "label-missing",
        "warning",
        "cell",
        0.9,
    )
    (place,) = finding.places
    assert (place.annotation, place.x, place.y, place.w, place.h) == (None, 100, 200, 40, 40)
    assert finding.annotations == ()


def test_that_what_a_mark_of_any_class_covers_is_not_told() -> None:
    aside = FoundObject(FOV.id, CELL, _box(0, 0).moved(15, 0), 0.99)
    within = replace(aside, box=Box(5, 5, 20, 20))
    around = replace(aside, box=Box(0, 0, 240, 90))
    assert _find(aside, within, around, replace(within, class_id=PLATELET)) == []


def test_that_a_class_of_which_the_model_has_found_few_marked_ones_is_not_told() -> None:
    assert _find(FoundObject(FOV.id, PLATELET, _box(2, 4), 1.0)) == []


def test_that_images_that_were_not_asked_for_and_classes_that_are_gone_are_left_out() -> None:
    other = FoundObject(FovId(99), CELL, _box(2, 4), 1.0)
    assert _find(other, replace(other, fov_id=FOV.id, class_id=ClassId(9))) == []


def test_that_without_any_mark_on_an_image_its_objects_are_judged_by_the_others() -> None:
    empty = make_fov(2)
    free = FoundObject(empty.id, CELL, _box(2, 4), 0.9)
    found = find_unmarked_objects(
        [FOV, empty], {FOV.id: MARKS}, CLASSES, [*SEEN, free], MissingLimits(), by="a detector"
    )
    assert [each.images[0].fov for each in found] == [empty.id]
