"""Steps that can be undone. What is shown is what is stored: a step is committed before it comes to the stack."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand
from typing_extensions import override

from synthstudio.domain.errors import UserError


class CommittedCommand(QUndoCommand):
    """A change that has been committed.

    Args:
        text: What it is called in the menu.
        failed: Told where undo or redo could not be written; the command then leaves the stack.
        merge_id: Subclasses may merge commands of the same id that follow one another; -1 for none.
    """

    def __init__(self, text: str, *, failed: Callable[[UserError], None], merge_id: int = -1) -> None:
        super().__init__(text)
        self._failed = failed
        self._merge_id = merge_id
        self._is_committed = True

    def write(self, *, is_undo: bool) -> None:
        """Commit the state before the change, or after it, and show it. Raises UserError where that fails."""
        raise NotImplementedError

    @override
    def redo(self) -> None:
        if self._is_committed:  # QUndoStack.push calls redo
            self._is_committed = False
            return
        self._try(is_undo=False)

    @override
    def undo(self) -> None:
        self._try(is_undo=True)

    def _try(self, *, is_undo: bool) -> None:
        try:
            self.write(is_undo=is_undo)
        except UserError as error:
            self.setObsolete(True)
            self._failed(error)

    @override
    def id(self) -> int:
        return self._merge_id
