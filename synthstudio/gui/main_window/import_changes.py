"""Taking back what an import brought to fields that were there before."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Changes
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.merging import Merged, redo_merge, undo_merge


class MergeCommand(ProjectCommand):
    """Marks of an import that has been committed; new fields stay, they are removed from their list."""

    def __init__(self, workspace: Workspace, merged: Merged, *, window: QWidget) -> None:
        super().__init__(workspace, "import of marks", window=window)
        self._merged = merged

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return undo_merge(project, self._merged) if is_undo else redo_merge(project, self._merged)
