"""An edit of annotations with its inverse, and the undo command around it.

The edit is committed before its command is put on the stack: an edit that fails leaves no trace on the stack.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QUndoCommand
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Annotation, AnnotationState, Changes, ObjectClass, changes
from synthstudio.domain.suggestions import Suggestion
from synthstudio.gui.undoing import CommittedCommand
from synthstudio.project import Project
from synthstudio.project.snapshots import MANY

NUDGE_ID = 1
FIRST_GESTURE_ID = 100
"""Each gesture of the wheel has a number of its own from here on: its edits, and no others, become one step."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A suggestion before and after it was accepted or rejected."""

    before: Suggestion
    after: Suggestion

    @property
    def inverse(self) -> Judgement:
        return Judgement(self.after, self.before)


@dataclass(frozen=True, slots=True)
class AnnotationEdit:
    """Annotations of one FOV before and after: what is only before is removed, only after added, in both changed.

    Attributes:
        states: The annotation state that the edit found and the one that it leaves; None where it changes none.
        judged: Suggestions that the edit accepts or rejects. Those that are accepted without an annotation yet
            become the ones that the edit adds, in their order.
    """

    fov_id: FovId
    before: tuple[Annotation, ...] = ()
    after: tuple[Annotation, ...] = ()
    states: tuple[AnnotationState, AnnotationState] | None = None
    judged: tuple[Judgement, ...] = ()

    @property
    def inverse(self) -> AnnotationEdit:
        states = self.states[::-1] if self.states else None
        return AnnotationEdit(self.fov_id, self.after, self.before, states, tuple(each.inverse for each in self.judged))

    @property
    def removed(self) -> tuple[Annotation, ...]:
        kept = {annotation.id for annotation in self.after}
        return tuple(annotation for annotation in self.before if annotation.id not in kept)

    @property
    def added(self) -> tuple[Annotation, ...]:
        known = {annotation.id for annotation in self.before}
        return tuple(annotation for annotation in self.after if annotation.id not in known)

    @property
    def changed(self) -> tuple[Annotation, ...]:
        known = {annotation.id for annotation in self.before}
        return tuple(annotation for annotation in self.after if annotation.id in known)

    @property
    def n_reclassed(self) -> int:
        """How many get another class."""
        former = {annotation.id: annotation.class_id for annotation in self.before}
        return sum(former.get(annotation.id, annotation.class_id) != annotation.class_id for annotation in self.after)


UNKNOWN_YET = AnnotationId(0)
"""In place of the id that an annotation gets when it is stored."""

BEGUN = (AnnotationState.NONE, AnnotationState.PARTIAL)
"""What the first annotation makes of an FOV."""


def commit_edit(project: Project, edit: AnnotationEdit) -> tuple[AnnotationEdit, Changes]:
    """Write an edit in one transaction; the first annotation of an FOV makes it partly annotated.

    Returns:
        The edit with the ids that new annotations got and the states, and what changed.

    Raises:
        UserError: The project is read-only, or its disk cannot be written.
    """
    added, changed = edit.added, edit.changed
    n_lost = len(edit.removed) + edit.n_reclassed
    with project.transaction(before="change of many annotations" if n_lost >= MANY else ""):
        told = changes("annotations", fov_ids=frozenset({edit.fov_id}))
        if edit.removed:
            told |= project.annotations.remove(edit.removed)
        if changed:
            told |= project.annotations.update(changed)
        stored: list[Annotation] = []
        if added:
            stored, news = project.annotations.add(added)
            told |= news
        state = project.fovs.get(edit.fov_id).state
        states = edit.states or (BEGUN if added and state is AnnotationState.NONE else None)
        if states is not None and state is states[0]:  # else a person has said something since
            told |= project.fovs.set_state(edit.fov_id, states[1])
        judged = _linked(edit.judged, stored)
        if judged:
            told |= project.suggestions.update([each.after for each in judged])
    return dataclasses.replace(edit, after=(*changed, *stored), states=states, judged=judged), told


def _linked(judged: Sequence[Judgement], added: Sequence[Annotation]) -> tuple[Judgement, ...]:
    """Name the annotations that accepted suggestions have become."""
    ids = iter([each.id for each in added])
    return tuple(
        dataclasses.replace(each, after=dataclasses.replace(each.after, annotation_id=next(ids)))
        if each.after.annotation_id == UNKNOWN_YET
        else each
        for each in judged
    )


class EditCommand(CommittedCommand):
    """An edit that has been committed.

    Args:
        apply: Commits an edit, shows it, and gives it back with its ids.
        failed, merge_id: See `CommittedCommand`. Edits of the same id that follow one another on the same annotations
            become one step.
    """

    def __init__(
        self,
        edit: AnnotationEdit,
        text: str,
        *,
        apply: Callable[[AnnotationEdit], AnnotationEdit],
        failed: Callable[[UserError], None],
        merge_id: int = -1,
    ) -> None:
        super().__init__(text, failed=failed, merge_id=merge_id)
        self.edit = edit
        self._apply = apply

    @override
    def write(self, *, is_undo: bool) -> None:
        self._apply(self.edit.inverse if is_undo else self.edit)

    @override
    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, EditCommand) or _ids(other.edit) != _ids(self.edit):
            return False
        self.edit = dataclasses.replace(self.edit, after=other.edit.after)
        return True


def _ids(edit: AnnotationEdit) -> frozenset[AnnotationId]:
    return frozenset(annotation.id for annotation in edit.after)


class ClassCommand(CommittedCommand):
    """A change of a class that has been committed."""

    def __init__(
        self,
        before: ObjectClass,
        after: ObjectClass,
        *,
        apply: Callable[[ObjectClass], None],
        failed: Callable[[UserError], None],
        merge_id: int = -1,
    ) -> None:
        super().__init__(f"edit class {after.name}", failed=failed, merge_id=merge_id)
        self._before, self._after = before, after
        self._apply = apply

    @override
    def write(self, *, is_undo: bool) -> None:
        self._apply(self._before if is_undo else self._after)

    @override
    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, ClassCommand) or other._after.id != self._after.id:
            return False
        self._after = other._after
        return True


class ClassAddedCommand(CommittedCommand):
    """A class that has been added; undo removes it while nothing uses it."""

    def __init__(
        self,
        added: ObjectClass,
        *,
        restore: Callable[[ObjectClass], None],
        remove: Callable[[ObjectClass], None],
        failed: Callable[[UserError], None],
    ) -> None:
        super().__init__(f"add class {added.name}", failed=failed)
        self._added, self._restore, self._remove = added, restore, remove

    @override
    def write(self, *, is_undo: bool) -> None:
        (self._remove if is_undo else self._restore)(self._added)
