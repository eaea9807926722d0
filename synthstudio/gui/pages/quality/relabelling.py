"""The class of an object that a check has doubted, changed in one step that can be undone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.review.findings import Finding
from synthstudio.domain.errors import NotFound
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, Changes, ObjectClass
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


@dataclass(frozen=True, slots=True)
class Relabelling:
    """What can be changed.

    Attributes:
        mark: As it is now.
        present: Its class.
        other: The class that it looks like.
    """

    mark: Annotation
    present: ObjectClass
    other: ObjectClass

    @property
    def is_done(self) -> bool:
        """Whether the mark has that class by now."""
        return self.present.id == self.other.id


def find_relabelling(project: Project, finding: Finding) -> Relabelling | None:
    """What a finding proposes; None where it proposes no class, or the mark or the class is gone since."""
    other = project.classes.find(finding.other_class) if finding.other_class else None
    if other is None or not finding.annotations:
        return None
    try:
        mark = project.annotations.get(AnnotationId(finding.annotations[0]))
        return Relabelling(mark, project.classes.get(mark.class_id), other)
    except NotFound:
        return None


def relabel(workspace: Workspace, wanted: Relabelling, *, window: QWidget) -> None:
    """Give a mark the class that it looks like, and put that on the undo stack.

    Args:
        window: Where an undo that fails is reported.

    Raises:
        NotFound: The mark is gone.
        UserError: The project is read-only; nothing has changed then.
    """
    project = workspace.require_writable_project()
    before = project.annotations.get(wanted.mark.id)  # a moment has passed since it was shown
    after = dataclasses.replace(before, class_id=wanted.other.id)
    workspace.announce(project.annotations.update([after]))
    workspace.undo_stack.push(_RelabelCommand(workspace, before, after, name=wanted.other.name, window=window))


class _RelabelCommand(ProjectCommand):
    """A mark that has got another class."""

    def __init__(
        self, workspace: Workspace, before: Annotation, after: Annotation, *, name: str, window: QWidget
    ) -> None:
        super().__init__(workspace, f"change class to {name}", window=window)
        self._before, self._after = before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return project.annotations.update([self._before if is_undo else self._after])
