"""An expert who knows the truth, answers when asked, and counts every action of the hand.

The truth is hidden from the project: objects of an FOV come into it only when the expert works on that FOV. Going to
another FOV is an action, an object marked (one drag, a box around it) is one, and so is calling an FOV complete.

- By hand (`mark_all`) each object of an FOV is marked, and the FOV is called complete.
- To begin (`mark_handful`) a few objects of each class are marked, from which composites are made: the expert pages
  through the FOVs and marks on each no more than `MOST_ON_FOV` of a class and `HANDFUL` in all, until every class was
  met and `FEWEST_FOVS` were looked at.
- With suggestions (`judge`) each wrong one that is shown is rejected with one action, one of the wrong class is
  accepted with the key of the right class, the others are accepted all at once with one action; each object that is
  missed then costs an action, and calling the FOV complete one more. A suggestion is right where it overlaps an object
  that no better one has taken by an IoU of one half; its box stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthstudio.core.geometry import box_ious, boxes_to_array
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, RunId
from synthstudio.domain.records import Annotation, AnnotationState, Box
from synthstudio.domain.suggestions import Suggestion
from synthstudio.project import Project
from synthstudio.project.suggestion_verdicts import accept, list_counting, reject

AUTHOR = "simulated expert"
SAME_IOU = 0.5
HANDFUL, MOST_ON_FOV, FEWEST_FOVS = 8, 3, 4


@dataclass(frozen=True, slots=True)
class TrueObject:
    """What lies on an FOV."""

    class_id: ClassId
    box: Box


Truth = Mapping[FovId, Sequence[TrueObject]]


def mark_all(project: Project, fov_id: FovId, truth: Truth) -> int:
    """Annotate an FOV by hand; return the number of actions."""
    return 1 + _mark(project, fov_id, truth[fov_id]) + _complete(project, fov_id)


def mark_handful(project: Project, order: Sequence[FovId], truth: Truth) -> int:
    """Page through FOVs and mark a few objects of each class, until every one was met; return the number of actions."""
    marked, n_actions = Counter[ClassId](), 0
    wanted = {each.id for each in project.classes.list()}
    for n_seen, fov_id in enumerate(order, start=1):
        n_actions += 1
        chosen: list[TrueObject] = []
        for class_id in sorted(wanted):
            count = min(MOST_ON_FOV, HANDFUL - marked[class_id])
            chosen += [each for each in truth[fov_id] if each.class_id == class_id][:count]
        marked.update(each.class_id for each in chosen)
        if chosen:
            n_actions += _mark(project, fov_id, chosen)
            project.fovs.set_state(fov_id, AnnotationState.PARTIAL)
        if wanted <= set(marked) and n_seen >= FEWEST_FOVS:
            break
    return n_actions


def judge(project: Project, run_id: RunId, fov_id: FovId, truth: Truth) -> int:
    """Annotate an FOV with the suggestions of a model; return the number of actions."""
    known = {each.box for each in project.annotations.list(fov_id)}
    objects = [each for each in truth[fov_id] if each.box not in known]
    shown = list_counting(project, run_id, fov_id)
    answers = _match(shown, objects)
    wrong = [each.id for each, answer in zip(shown, answers, strict=True) if answer is None]
    found = [(each, objects[answer]) for each, answer in zip(shown, answers, strict=True) if answer is not None]
    renamed = {each.id: true.class_id for each, true in found if each.class_id != true.class_id}
    right = [each.id for each, _ in found if each.id not in renamed]
    reject(project, wrong, author=AUTHOR)
    accept(project, list(renamed), author=AUTHOR, as_class=renamed)
    accept(project, right, author=AUTHOR)
    n_actions = 1 + len(wrong) + len(renamed) + bool(right)
    taken = {answer for answer in answers if answer is not None}
    n_actions += _mark(project, fov_id, [true for number, true in enumerate(objects) if number not in taken])
    return n_actions + _complete(project, fov_id)


def _match(shown: Sequence[Suggestion], objects: Sequence[TrueObject]) -> list[int | None]:
    """Number of the object that each suggestion has found, the best-scored first, whatever their classes."""
    answers: list[int | None] = [None] * len(shown)
    if not shown or not objects:
        return answers
    boxes = [each.box for each in shown if each.box is not None]
    ious = box_ious(boxes_to_array(boxes), boxes_to_array([each.box for each in objects]))
    for number in sorted(range(len(shown)), key=lambda place: -shown[place].score):
        best = int(np.argmax(ious[number]))
        if ious[number, best] >= SAME_IOU:
            answers[number] = best
            ious[:, best] = 0.0
    return answers


def _mark(project: Project, fov_id: FovId, objects: Sequence[TrueObject]) -> int:
    marks = [Annotation(AnnotationId(0), fov_id, each.class_id, 0.0, 0.0, author=AUTHOR) for each in objects]
    project.annotations.add([mark.with_box(each.box) for mark, each in zip(marks, objects, strict=True)])
    return len(objects)


def _complete(project: Project, fov_id: FovId) -> int:
    project.fovs.set_state(fov_id, AnnotationState.EXHAUSTIVE)
    return 1
