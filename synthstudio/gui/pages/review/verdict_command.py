"""Verdicts on the undo stack. What is pushed has been committed before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Changes, Verdict
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """Verdicts that were given, and those about the same images that they replaced."""

    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]

    def written(self, *, is_undo: bool) -> tuple[Sequence[Verdict], Sequence[Verdict]]:
        """The verdicts that stand afterwards, and those that are gone."""
        return (self.before, self.after) if is_undo else (self.after, self.before)


Wrote = Callable[[VerdictChange, Changes, bool], None]
"""Told of what has just been written, before all views are: the change, its news, and whether it was undone."""


def write_change(project: Project, change: VerdictChange, *, is_undo: bool) -> Changes:
    """Write one of the two states of a change. Raises UserError where that fails; nothing has changed then."""
    new, gone = change.written(is_undo=is_undo)
    return project.verdicts.replace(new, gone=gone)


class VerdictCommand(ProjectCommand):
    """Verdicts that have been committed."""

    def __init__(
        self, workspace: Workspace, text: str, change: VerdictChange, *, wrote: Wrote, window: QWidget
    ) -> None:
        super().__init__(workspace, text, window=window)
        self._change, self._wrote = change, wrote

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        changed = write_change(project, self._change, is_undo=is_undo)
        self._wrote(self._change, changed, is_undo)
        return changed
