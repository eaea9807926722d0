"""Changes of the project on the undo stack."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.undoing import CommittedCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class ProjectCommand(CommittedCommand):
    """A change that has been committed; undo and redo write one of two states of the project and tell of it.

    Args:
        text: What it is called in the menu.
        window: Where it is reported if one of them fails.
        merge_id: See `CommittedCommand`.
    """

    def __init__(self, workspace: Workspace, text: str, *, window: QWidget, merge_id: int = -1) -> None:
        super().__init__(text, failed=partial(errors.report, parent=window), merge_id=merge_id)
        self.workspace = workspace

    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        """Write the state before the change, or after it. Raises UserError where that fails."""
        raise NotImplementedError

    @override
    def write(self, *, is_undo: bool) -> None:
        self.workspace.announce(self.write_to(self.workspace.require_writable_project(), is_undo=is_undo))
