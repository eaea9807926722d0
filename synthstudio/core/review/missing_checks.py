"""Objects that a model has found where nobody has marked any, on images that are annotated in full.

A model is wrong, too. So an object is told only where the model is as sure of it as it is of what was marked, which
differs from class to class and from model to model; no score has to be chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import box_areas, box_intersections, boxes_to_array
from synthstudio.core.review.findings import Finding, FoundImage, FoundPlace, found
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass
from synthstudio.settings.quality import MissingLimits

SAME_OBJECT_IOU = 0.5
LEAST_MATCHED = 10
"""Marked objects of a class that a model has found, before it is asked for others."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What a model has found.

    Attributes:
        box: In px of the FOV.
        score: 0 to 1.
    """

    fov_id: FovId
    class_id: ClassId
    box: Box
    score: float


def find_unmarked_objects(
    fovs: Sequence[FieldOfView],
    annotations: Mapping[FovId, Sequence[Annotation]],
    classes: Mapping[ClassId, ObjectClass],
    objects: Sequence[FoundObject],
    limits: MissingLimits,
    *,
    by: str,
) -> Iterator[Finding]:
    """Find objects that no mark covers; the surest first.

    Args:
        fovs: Images that are annotated in full.
        annotations: Their marks.
        classes: By their ids.
        objects: What one model has found on them, and perhaps on others.
        limits: How sure the model must be.
        by: Names the model in a sentence.
    """
    known = {fov.id: fov for fov in fovs}
    of_fov: dict[FovId, list[FoundObject]] = {fov.id: [] for fov in fovs}
    for each in objects:
        if each.fov_id in known and each.class_id in classes:
            of_fov[each.fov_id].append(each)
    matched: dict[ClassId, list[float]] = {}
    free: list[FoundObject] = []
    for fov_id, own in of_fov.items():
        marks = annotations.get(fov_id, ())
        is_free, is_matched = _hold_against(own, marks, classes, known[fov_id].um_per_px, limits)
        free += [each for each, is_one in zip(own, is_free, strict=True) if is_one]
        for each, is_one in zip(own, is_matched, strict=True):
            if is_one:
                matched.setdefault(each.class_id, []).append(each.score)
    least = {
        class_id: float(np.quantile(scores, limits.surer_than))
        for class_id, scores in matched.items()
        if len(scores) >= LEAST_MATCHED
    }
    for each in sorted(free, key=lambda each: -each.score):
        if each.score >= least.get(each.class_id, np.inf):
            yield _finding(known[each.fov_id], each, classes[each.class_id].name, by=by)


def _hold_against(
    objects: Sequence[FoundObject],
    marks: Sequence[Annotation],
    classes: Mapping[ClassId, ObjectClass],
    um_per_px: float | None,
    limits: MissingLimits,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each object `(N,)`: no mark covers it; a mark of its class is the same object."""
    sizes = {class_id: each.size_in(um_per_px) or 0.0 for class_id, each in classes.items()}
    own = boxes_to_array([each.box for each in objects])
    others = boxes_to_array([mark.extent(sizes.get(mark.class_id, 0.0)) for mark in marks])
    if not len(own) or not len(others):
        return np.ones(len(own), np.bool_), np.zeros(len(own), np.bool_)
    shared = box_intersections(own, others)
    areas, other_areas = box_areas(own)[:, None], box_areas(others)[None]
    ious = shared / np.maximum(areas + other_areas - shared, 1e-9)
    # A part of a marked object, and a group with a marked one in it, are no objects that were forgotten.
    covered = np.maximum(shared / np.maximum(areas, 1e-9), shared / np.maximum(other_areas, 1e-9))
    same_class = np.array([[a.class_id == b.class_id for b in marks] for a in objects], np.bool_)
    is_free = np.asarray((ious.max(axis=1) < limits.overlap) & (covered.max(axis=1) < 2 * limits.overlap))
    return is_free, np.asarray(((ious >= SAME_OBJECT_IOU) & same_class).any(axis=1))


def _finding(fov: FieldOfView, item: FoundObject, class_name: str, *, by: str) -> Finding:
    place = FoundPlace.of_box(item.box)
    return found(
        "label-missing",
        f"Looks like {class_name}, but nobody has marked it: found by {by} with a score of {item.score:.2f}.",
        images=[FoundImage.of(fov)],
        places=[place],
        class_name=class_name,
        score=round(item.score, 4),
    )
