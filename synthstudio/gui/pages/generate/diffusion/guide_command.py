"""Changes of guide sets on the undo stack. What is pushed has been committed before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.guides import GuideSet
from synthstudio.domain.records import Changes
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class GuideSetCommand(ProjectCommand):
    """One change of a set; None before it where it was made, after it where it was removed."""

    def __init__(
        self, workspace: Workspace, text: str, *, before: GuideSet | None, after: GuideSet | None, window: QWidget
    ) -> None:
        super().__init__(workspace, text, window=window)
        self._before, self._after = before, after

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        wanted, former = (self._before, self._after) if is_undo else (self._after, self._before)
        if wanted is not None:
            return project.guides.put(wanted)
        assert former is not None  # one of them is a set
        return project.guides.remove(former.name)


def change_guides(
    workspace: Workspace, name: str, text: str, change: Callable[[Project], Changes], *, window: QWidget
) -> None:
    """Change a guide set as one step that can be undone.

    Args:
        workspace: Of the open project.
        name: Of the set, which may come or go by the change.
        text: What the step is called in the menu.
        change: Does it.
        window: Where it is reported if undo or redo fails.

    Raises:
        UserError: The project is read-only or cannot be written, or the change is impossible; nothing has changed then.
    """
    project = workspace.require_writable_project()
    with project.transaction():
        before = project.guides.find(name)
        told = change(project)
        after = project.guides.find(name)
    if before != after:
        workspace.announce(told)
        workspace.undo_stack.push(GuideSetCommand(workspace, text, before=before, after=after, window=window))
