"""Changes of fields, samples and splits: committed first, then put on the undo stack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Changes
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.field_facts import FieldFacts, read_field_facts, write_field_facts
from synthstudio.project.sampling import SampleAssignment, assign_samples, present_assignment

NOTE_ID = 2
"""What is typed into a note in one go is one step of undo."""

Facts = Mapping[FovId, FieldFacts]


def change_samples(workspace: Workspace, wanted: SampleAssignment, text: str, *, window: QWidget) -> None:
    """Make an assignment of samples and put it on the undo stack.

    Raises:
        UserError: It is impossible, or the project is read-only; nothing has changed then.
    """
    project = workspace.require_writable_project()
    only_splits = not wanted.sample_of
    before = present_assignment(project, only_splits=only_splits)
    workspace.announce(assign_samples(project, wanted))
    after = present_assignment(project, only_splits=only_splits)
    if after != before:
        workspace.undo_stack.push(_SamplesCommand(workspace, text, before=before, after=after, window=window))


def change_fields(
    workspace: Workspace,
    fov_ids: Collection[FovId],
    change: Callable[[Project], Changes],
    text: str,
    *,
    window: QWidget,
    merge_id: int = -1,
) -> None:
    """Change state, note, flag or calibration of FOVs and put it on the undo stack.

    Args:
        change: Does it; all of it happens or nothing.
        text: What it is called in the menu.
        window: Where an undo that fails is reported.
        merge_id: Changes of the same id that follow one another on the same FOVs become one step.

    Raises:
        UserError: It is impossible, or the project is read-only; nothing has changed then.
    """
    project = workspace.require_writable_project()
    before = read_field_facts(project, fov_ids)
    with project.transaction():
        told = change(project)
    after = read_field_facts(project, fov_ids)
    workspace.announce(told)
    if after != before:
        command = _FieldsCommand(workspace, text, before=before, after=after, window=window, merge_id=merge_id)
        workspace.undo_stack.push(command)


class _SamplesCommand(ProjectCommand):
    def __init__(
        self, workspace: Workspace, text: str, *, before: SampleAssignment, after: SampleAssignment, window: QWidget
    ) -> None:
        super().__init__(workspace, text, window=window)
        self._before, self._after = before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return assign_samples(project, self._before if is_undo else self._after)


class _FieldsCommand(ProjectCommand):
    def __init__(
        self, workspace: Workspace, text: str, *, before: Facts, after: Facts, window: QWidget, merge_id: int
    ) -> None:
        super().__init__(workspace, text, window=window, merge_id=merge_id)
        self.before, self.after = before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        told = write_field_facts(project, self.before if is_undo else self.after)
        if len(self.before) == 1:  # what is undone is seen, as with annotations
            self.workspace.set_current_fov(next(iter(self.before)))
        return told

    @override
    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _FieldsCommand) or other.after.keys() != self.after.keys():
            return False
        self.after = other.after
        return True
