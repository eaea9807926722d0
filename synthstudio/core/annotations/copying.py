"""Marks of one page of a stack taken over to another: objects stay where they are from page to page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from synthstudio.core.annotations.merging import Extent, build_extent, find_new
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.plans import PlannedAnnotation
from synthstudio.domain.records import Annotation, AnnotationSource, FieldOfView, ObjectClass


def find_next_page(fov: FieldOfView, fovs: Sequence[FieldOfView]) -> FieldOfView | None:
    """Return the nearest later page of the same stack; None behind the last, or where the FOV is no page."""
    if fov.page is None:
        return None
    later = [each for each in fovs if each.sha256 == fov.sha256 and each.page is not None and each.page > fov.page]
    return min(later, key=lambda each: each.page or 0, default=None)


def copy_marks(
    marks: Sequence[Annotation],
    there: Sequence[Annotation],
    target: FieldOfView,
    *,
    classes: Mapping[ClassId, ObjectClass],
    author: str,
) -> list[Annotation]:
    """Return new annotations for the target: the marks that it does not have at the same place already.

    Args:
        marks: Of another FOV of the same size.
        there: What the target has.
        target: The FOV that gets them.
        classes: All classes of the project.
        author: Who copies; notes and flags stay behind.
    """
    old, new = ([_extent_of(mark, target, classes) for mark in each] for each in (there, marks))
    return [
        dataclasses.replace(
            marks[index],
            id=AnnotationId(0),
            fov_id=target.id,
            author=author,
            source=AnnotationSource.MANUAL,
            note="",
            is_flagged=False,
        )
        for index in find_new(new, old)
    ]


def _extent_of(mark: Annotation, fov: FieldOfView, classes: Mapping[ClassId, ObjectClass]) -> Extent:
    object_class = classes[mark.class_id]
    planned = PlannedAnnotation(object_class.name, mark.x, mark.y, mark.box, mark.size_px)
    return build_extent(planned, object_class.size_in(fov.um_per_px), width=fov.width, height=fov.height)
