"""Rejecting patches and taking that back, on the undo stack. What is pushed has been committed before."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.gui import errors
from synthstudio.gui.workspace import Workspace


def judge_patches(workspace: Workspace, ids: Collection[AnnotationId], *, rejected: bool, window: QWidget) -> None:
    """Reject the patches of annotations, or restore them, as one step that can be undone.

    Raises:
        UserError: The project is read-only; nothing has changed then.
    """
    known = workspace.require_writable_project().patch_verdicts.rejected()
    changed = frozenset(ids) - known if rejected else frozenset(ids) & known
    if changed:
        _write(workspace, changed, rejected=rejected)
        workspace.undo_stack.push(PatchVerdictCommand(workspace, changed, rejected=rejected, window=window))


def _write(workspace: Workspace, ids: frozenset[AnnotationId], *, rejected: bool) -> None:
    verdicts = workspace.require_writable_project().patch_verdicts
    workspace.announce(verdicts.reject(ids) if rejected else verdicts.restore(ids))


class PatchVerdictCommand(QUndoCommand):
    """A verdict that has been committed."""

    def __init__(self, workspace: Workspace, ids: frozenset[AnnotationId], *, rejected: bool, window: QWidget) -> None:
        n_patches = "a patch" if len(ids) == 1 else f"{len(ids):,} patches"
        super().__init__(f"{'reject' if rejected else 'restore'} {n_patches}")
        self._workspace, self._ids, self._rejected, self._window = workspace, ids, rejected, window
        self._is_committed = True

    @override
    def redo(self) -> None:
        if self._is_committed:  # QUndoStack.push calls redo; it was committed before
            self._is_committed = False
            return
        self._try(rejected=self._rejected)

    @override
    def undo(self) -> None:
        self._try(rejected=not self._rejected)

    def _try(self, *, rejected: bool) -> None:
        try:
            _write(self._workspace, self._ids, rejected=rejected)
        except UserError as error:
            self.setObsolete(True)
            errors.report(error, parent=self._window)
