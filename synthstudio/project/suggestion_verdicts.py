"""Judging suggestions: accepted ones become annotations, rejected ones may become artifact candidates."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from synthstudio.core.suggestions.answered import count_answers
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.records import Annotation, AnnotationState, Changes, Role
from synthstudio.domain.suggestions import Suggestion, SuggestionState
from synthstudio.project.clock import now
from synthstudio.project.guard import read_guard
from synthstudio.project.project import Project
from synthstudio.project.recorded_searches import class_sizes, extents
from synthstudio.project.snapshots import MANY


def accept(
    project: Project,
    ids: Collection[SuggestionId],
    *,
    author: str,
    as_class: Mapping[SuggestionId, ClassId] | None = None,
) -> tuple[list[Annotation], Changes]:
    """Make annotations of open suggestions; those that are judged already stay as they are.

    Args:
        project: Where they are.
        ids: Which ones.
        author: Who accepts.
        as_class: Those in which the expert sees another class than the model.

    Returns:
        The annotations, and what changed.

    Raises:
        UserError: One is on an FOV that is to be annotated without suggestions, or the project cannot be written.
    """
    with project.transaction(before="taking many suggestions" if len(ids) >= MANY else ""):
        chosen = [each for each in project.suggestions.get(ids) if each.is_open]
        _refuse_guarded(project, {each.fov_id for each in chosen})
        wanted = as_class or {}
        stored, told = project.annotations.add(
            [each.to_annotation(class_id=wanted.get(each.id), author=author) for each in chosen]
        )
        moment = now()
        after = [
            each.accepted(annotation.id, by=author, at=moment) for each, annotation in zip(chosen, stored, strict=True)
        ]
        told |= project.suggestions.update(after)
        told |= _begin(project, chosen)
    return stored, told


def reject(project: Project, ids: Collection[SuggestionId], *, author: str) -> Changes:
    """Say of open suggestions that there is no such object; those that are judged already stay as they are."""
    with project.transaction():
        chosen = [each for each in project.suggestions.get(ids) if each.is_open]
        moment = now()
        return project.suggestions.update([each.rejected(by=author, at=moment) for each in chosen])


def list_counting(project: Project, run_id: RunId, fov_id: FovId) -> list[Suggestion]:
    """Return the open suggestions of a model on an FOV at the present thresholds that no annotation answers yet."""
    thresholds = project.suggestions.thresholds(run_id)
    chosen = [
        each
        for each in project.suggestions.list(fov_id, run_id)
        if each.is_open and each.score >= thresholds.get(each.class_id, 1.0)
    ]
    sizes_px = class_sizes(project, project.fovs.get(fov_id))
    marks = project.annotations.list(fov_id)
    answers = count_answers(extents(chosen, sizes_px), extents(marks, sizes_px))
    return [each for each, n_answers in zip(chosen, answers.tolist(), strict=True) if not n_answers]


def accept_all(
    project: Project, run_id: RunId, fov_ids: Iterable[FovId], *, author: str
) -> tuple[list[Annotation], Changes]:
    """Accept what counts on FOVs: see `list_counting`.

    Raises:
        UserError: An FOV is to be annotated without suggestions, or the project cannot be written.
    """
    with project.transaction():
        ids = [each.id for fov_id in fov_ids for each in list_counting(project, run_id, fov_id)]
        return accept(project, ids, author=author)


def make_artifacts(
    project: Project, rejected: Sequence[Suggestion], class_id: ClassId, *, author: str
) -> tuple[list[Annotation], Changes]:
    """Annotate rejected suggestions as artifacts: what a model takes for an object is what it must learn to leave.

    The suggestions stay rejected: the annotations say what is there instead. Where an annotation stands already, none
    is added, so that doing it twice adds nothing.

    Args:
        project: Where they are.
        rejected: Those of them that are rejected are taken.
        class_id: A class of artifacts.
        author: Who asks for it.

    Raises:
        UserError: The class is one of objects, or the project cannot be written.
    """
    known = project.classes.get(class_id)
    if known.role is not Role.ARTIFACT:
        raise UserError(
            f"{known.name} is a class of objects; what was rejected shows none.",
            "Choose a class whose role is artifact, or add one.",
        )
    by_fov: dict[FovId, list[Suggestion]] = defaultdict(list)
    for each in rejected:
        if each.state is SuggestionState.REJECTED:
            by_fov[each.fov_id].append(each)
    added: list[Annotation] = []
    with project.transaction():
        for fov_id, marks in by_fov.items():
            fov = project.fovs.get(fov_id)
            sizes_px = class_sizes(project, fov)
            there = extents(project.annotations.list(fov_id), sizes_px)
            answers = count_answers(extents(marks, sizes_px), there)
            for mark, n_answers in zip(marks, answers.tolist(), strict=True):
                if not n_answers:
                    added.append(_artifact(mark, class_id, author=author, side_px=sizes_px.get(mark.class_id, 0.0)))
        stored, told = project.annotations.add(added)
        told |= _begin(project, rejected)
    return stored, told


def _artifact(mark: Suggestion, class_id: ClassId, *, author: str, side_px: float) -> Annotation:
    """The annotation of an artifact where a centre was suggested as large as the object that it was taken for."""
    made = mark.to_annotation(class_id=class_id, author=author)
    return made if made.box is not None or made.size_px or not side_px else dataclasses.replace(made, size_px=side_px)


def _refuse_guarded(project: Project, fov_ids: Collection[FovId]) -> None:
    guard = read_guard(project)
    for fov_id in sorted(fov_ids):
        fov = project.fovs.get(fov_id)
        if guard.hides(fov):
            raise UserError(
                f"{fov.name} is to be annotated without suggestions, so that their influence can be told.",
                "Annotate all on it and mark it as complete, or change the share of such fields.",
            )


def _begin(project: Project, marks: Iterable[Suggestion]) -> Changes:
    """The first annotation makes an FOV partly annotated."""
    told = Changes(frozenset())
    for fov_id in dict.fromkeys(each.fov_id for each in marks):
        if project.fovs.get(fov_id).state is AnnotationState.NONE:
            told |= project.fovs.set_state(fov_id, AnnotationState.PARTIAL)
    return told
