"""Removing fields and classes, on the undo stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Changes
from synthstudio.gui.errors import Notice, Severity, post
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.removal import RemovedRows, put_back, remove_class, remove_fovs


def remove_fields_undoably(workspace: Workspace, fov_ids: tuple[FovId, ...], *, window: QWidget) -> None:
    """Remove FOVs with their annotations, as one step that can be undone.

    Raises:
        UserError: The project cannot be written; nothing has changed then.
    """
    removed = _remove(workspace, "remove fields", partial(remove_fovs, fov_ids=fov_ids), window)
    n_marks = removed.count("annotation")
    fields = f"{len(fov_ids):,} fields were" if len(fov_ids) != 1 else "A field was"
    hint = "Undo brings them back. The image files stay where they are."
    post(
        Notice(f"{fields} removed from the project, with {n_marks:,} annotations.", hint, Severity.INFO), parent=window
    )


def remove_class_undoably(workspace: Workspace, class_id: ClassId, *, window: QWidget) -> None:
    """Remove a class that no annotation uses, as one step that can be undone.

    Raises:
        UserError: An annotation uses it, or the project cannot be written; nothing has changed then.
    """
    name = workspace.require_project().classes.get(class_id).name
    _remove(workspace, f"remove class {name}", partial(remove_class, class_id=class_id), window)
    post(Notice(f"The class {name} was removed.", "Undo brings it back.", Severity.INFO), parent=window)


def _remove(workspace: Workspace, text: str, remove: Callable[[Project], RemovedRows], window: QWidget) -> RemovedRows:
    removed = remove(workspace.require_writable_project())
    workspace.announce(removed.told)
    workspace.undo_stack.push(_RemovalCommand(workspace, text, removed, remove=remove, window=window))
    return removed


class _RemovalCommand(ProjectCommand):
    def __init__(
        self,
        workspace: Workspace,
        text: str,
        removed: RemovedRows,
        *,
        remove: Callable[[Project], RemovedRows],
        window: QWidget,
    ) -> None:
        super().__init__(workspace, text, window=window)
        self._removed, self._remove = removed, remove

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        if is_undo:
            return put_back(project, self._removed)
        self._removed = self._remove(project)
        return self._removed.told
