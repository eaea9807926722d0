"""A change of samples and splits that has been committed, on the undo stack."""

from __future__ import annotations

from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.workspace import Workspace
from synthstudio.project.sampling import SampleAssignment, assign_samples, present_assignment


def change_samples(workspace: Workspace, wanted: SampleAssignment, text: str, *, window: QWidget) -> None:
    """Make an assignment of samples and put it on the undo stack.

    Raises:
        UserError: It is impossible, or the project is read-only; nothing has changed then.
    """
    project = workspace.require_writable_project()
    before = present_assignment(project)
    workspace.announce(assign_samples(project, wanted))
    workspace.undo_stack.push(_SamplesCommand(workspace, before, present_assignment(project), text, window))


class _SamplesCommand(QUndoCommand):
    def __init__(
        self, workspace: Workspace, before: SampleAssignment, after: SampleAssignment, text: str, window: QWidget
    ) -> None:
        super().__init__(text)
        self._workspace, self._before, self._after, self._window = workspace, before, after, window
        self._is_committed = True

    @override
    def redo(self) -> None:
        if self._is_committed:  # QUndoStack.push calls redo; it was committed before
            self._is_committed = False
            return
        self._try(self._after)

    @override
    def undo(self) -> None:
        self._try(self._before)

    def _try(self, wanted: SampleAssignment) -> None:
        try:
            told = assign_samples(self._workspace.require_writable_project(), wanted)
        except UserError as error:
            self.setObsolete(True)
            errors.report(error, parent=self._window)
            return
        self._workspace.announce(told)
