"""Working through the pages of a stack: marks of one page are taken over to the next."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from synthstudio.core.annotations.copying import copy_marks, find_next_page
from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.edits import AnnotationEdit
from synthstudio.gui.workspace import Workspace


class StackPages:
    """Copies the marks of the shown page of a stack.

    Args:
        workspace: Has the project.
        editor: Has the marks that are shown; commits the copies.
        view: Has the selection.
        window: Where notices are shown.
    """

    def __init__(self, workspace: Workspace, editor: Editor, view: FovView, window: QWidget) -> None:
        self._workspace, self._editor, self._view, self._window = workspace, editor, view, window

    @property
    def is_page(self) -> bool:
        """Whether a page of a stack is shown."""
        return self._editor.fov is not None and self._editor.fov.page is not None

    def copy_to_next(self) -> None:
        """Copy the selected annotations, or all where none is, to the next page of the stack, and show that."""
        fov = self._editor.fov
        if fov is None or not self.is_page:
            return
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        target = find_next_page(fov, project.fovs.list())
        chosen = self._view.selection
        marks = [each for each in self._editor.annotations.values() if not chosen or each.id in chosen]
        if target is None or not marks:
            text = f"{fov.name} has no annotations to copy." if target else f"{fov.name} is the last page of its stack."
            self._tell(text)
            return
        classes = {each.id: each for each in project.classes.list()}
        author = self._workspace.preferences.author_name
        copies = copy_marks(marks, project.annotations.list(target.id), target, classes=classes, author=author)
        if copies:
            self._editor.do(AnnotationEdit(target.id, after=tuple(copies)), f"copy to {target.name}")
        else:
            self._workspace.set_current_fov(target.id)
        n_there = len(marks) - len(copies)
        known = f" {n_there:,} were there already." if n_there else ""
        self._tell(f"{len(copies):,} of {len(marks):,} annotations were copied to {target.name}.{known}")

    def _tell(self, text: str) -> None:
        errors.post(Notice(text, severity=Severity.INFO), parent=self._window)


def stack_actions(pages: StackPages) -> list[ActionSpec]:
    """What can be done with the pages of a stack, as data."""
    return [
        ActionSpec(
            "annotate.copy_to_next_page",
            "Copy annotations to the next page of the stack",
            pages.copy_to_next,
            "Ctrl+D",
            "mdi6.page-next",
            "Edit",
            lambda: pages.is_page,
            tip="The selected ones, or all; what is there already is not doubled",
        )
    ]
