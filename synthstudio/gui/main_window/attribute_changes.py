"""Taking back what a table of attributes brought."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Changes
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.attributes import AttributeOutcome, write_attributes


class AttributesCommand(ProjectCommand):
    """A table that has been committed."""

    def __init__(self, workspace: Workspace, outcome: AttributeOutcome, window: QWidget) -> None:
        super().__init__(workspace, "import of attributes", window=window)
        self._before, self._after = outcome.before, outcome.after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return write_attributes(project, self._before if is_undo else self._after)
