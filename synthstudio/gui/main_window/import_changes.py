"""Taking back what an import brought to fields that were there before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.imports import Merged, redo_merge, undo_merge


class MergeCommand(QUndoCommand):
    """Marks of an import that has been committed; new fields stay, they are removed from their list."""

    def __init__(self, workspace: Workspace, merged: Merged, window: QWidget | None) -> None:
        super().__init__("import of marks")
        self._workspace, self._merged, self._window = workspace, merged, window
        self._is_committed = True

    @override
    def redo(self) -> None:
        if self._is_committed:  # QUndoStack.push calls redo
            self._is_committed = False
            return
        self._try(redo_merge)

    @override
    def undo(self) -> None:
        self._try(undo_merge)

    def _try(self, change: Callable[[Project, Merged], Changes]) -> None:
        try:
            told = change(self._workspace.require_writable_project(), self._merged)
        except UserError as error:
            self.setObsolete(True)
            errors.report(error, parent=self._window)
            return
        self._workspace.announce(told)
