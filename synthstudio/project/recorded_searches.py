"""Entering what a search has found on an FOV into the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import boxes_to_array, build_square
from synthstudio.core.patches.windows import mean_class_sizes, sizes_on_fov
from synthstudio.core.suggestions.answered import count_answers
from synthstudio.core.suggestions.searched import FovSearch
from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.records import Annotation, Changes, FieldOfView, ObjectClass
from synthstudio.domain.suggestions import Suggestion
from synthstudio.project.project import Project
from synthstudio.project.suggestions import Search

BoxColumns = NDArray[np.float64]
NO_CHANGES = Changes(frozenset())


def record_search(project: Project, found: FovSearch, *, job_id: RunId) -> Changes:
    """Put what a model has found on an FOV in place of what it suggested there before.

    What somebody has judged stays, and is not suggested a second time by the same model. Nothing happens where the FOV
    is gone, or its pixels are others by now; classes that are gone are left out.

    Args:
        project: Where to.
        found: Of one FOV.
        job_id: The run of the suggest job.

    Raises:
        UserError: The project cannot be written.
    """
    while (known := _read_known(project, found)) is not None:
        # Compared before the transaction, so that no click has to wait; where something changed meanwhile, once more.
        ids = {each.name: each.id for each in known.classes}
        fresh = _without_judged(_to_suggestions(found, ids), known.judged, class_sizes(project, known.fov))
        tuned = {ids[each.name]: each.threshold for each in found.classes if each.name in ids}
        search = Search(RunId(found.run), known.fov.id, job_id, found.min_score)
        with project.transaction():
            if _read_known(project, found) == known:
                return project.suggestions.replace(search, fresh, tuned=tuned)
    return NO_CHANGES


@dataclass(frozen=True, slots=True)
class _Known:
    """What a search is entered beside."""

    fov: FieldOfView
    classes: list[ObjectClass]
    judged: list[Suggestion]


def _read_known(project: Project, found: FovSearch) -> _Known | None:
    """None where the FOV is gone, or its pixels are others than those that were searched."""
    try:
        fov = project.fovs.get(FovId(found.fov_id))
    except NotFound:
        return None
    if fov.content_key != found.content_key:
        return None
    return _Known(fov, project.classes.list(), project.suggestions.judged(fov.id, RunId(found.run)))


def _to_suggestions(found: FovSearch, ids: Mapping[str, ClassId]) -> list[Suggestion]:
    """Open suggestions without ids; classes that are gone are left out."""
    return [
        Suggestion(
            id=SuggestionId(0),
            fov_id=FovId(found.fov_id),
            run_id=RunId(found.run),
            class_id=ids[each.name],
            x=mark.x,
            y=mark.y,
            score=mark.score,
            box=mark.box,
        )
        for each in found.classes
        if each.name in ids
        for mark in each.marks
    ]


def class_sizes(project: Project, fov: FieldOfView) -> dict[ClassId, float]:
    """Mean side of each class in px of an FOV: as stated, else that of its boxes there, else 0."""
    measured = mean_class_sizes(project.annotations.list(fov.id))
    return sizes_on_fov(project.classes.list(), fov.um_per_px, measured)


def extents(marks: Sequence[Suggestion] | Sequence[Annotation], sizes_px: Mapping[ClassId, float]) -> BoxColumns:
    """Extents `(4, N)` x0, y0, x1, y1 in px of the FOV: boxes, or squares of the mark's or the class's size."""
    boxes = [
        mark.box or build_square(mark.x, mark.y, mark.size_px or sizes_px.get(mark.class_id, 0.0)) for mark in marks
    ]
    return boxes_to_array(boxes).T


def _without_judged(
    marks: list[Suggestion], judged: list[Suggestion], sizes_px: Mapping[ClassId, float]
) -> list[Suggestion]:
    """Leave out what stands where the same model suggested the same class before, and was judged."""
    kept: list[Suggestion] = []
    for class_id in dict.fromkeys(mark.class_id for mark in marks):
        own = [mark for mark in marks if mark.class_id == class_id]
        old = [mark for mark in judged if mark.class_id == class_id]
        answers = count_answers(extents(own, sizes_px), extents(old, sizes_px))
        kept += [mark for mark, n_answers in zip(own, answers.tolist(), strict=True) if not n_answers]
    return kept
