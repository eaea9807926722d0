"""Rejecting patches and taking that back, on the undo stack. What is pushed has been committed before."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Changes
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


def judge_patches(workspace: Workspace, ids: Collection[AnnotationId], *, rejected: bool, window: QWidget) -> None:
    """Reject the patches of annotations, or restore them, as one step that can be undone.

    Raises:
        UserError: The project is read-only; nothing has changed then.
    """
    project = workspace.require_writable_project()
    known = project.patch_verdicts.rejected()
    changed = frozenset(ids) - known if rejected else frozenset(ids) & known
    if changed:
        workspace.announce(_write(project, changed, rejected=rejected))
        workspace.undo_stack.push(PatchVerdictCommand(workspace, changed, rejected=rejected, window=window))


def _write(project: Project, ids: frozenset[AnnotationId], *, rejected: bool) -> Changes:
    return project.patch_verdicts.reject(ids) if rejected else project.patch_verdicts.restore(ids)


class PatchVerdictCommand(ProjectCommand):
    """A verdict that has been committed."""

    def __init__(self, workspace: Workspace, ids: frozenset[AnnotationId], *, rejected: bool, window: QWidget) -> None:
        n_patches = "a patch" if len(ids) == 1 else f"{len(ids):,} patches"
        super().__init__(workspace, f"{'reject' if rejected else 'restore'} {n_patches}", window=window)
        self._ids, self._rejected = ids, rejected

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return _write(project, self._ids, rejected=self._rejected is not is_undo)
