"""Hard negatives: what was rejected of a model's suggestions becomes artifacts, as one step that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, Changes, ObjectClass, Role
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.project_command import ProjectCommand
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

Made = tuple[Sequence[Annotation], Changes]


class HardNegatives(QObject):
    """Makes artifacts, off the GUI thread.

    Args:
        window: Where notices are shown.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window

    def make(self, run_id: RunId) -> None:
        """Annotate what was rejected of the suggestions of a model, on all fields, as artifacts."""
        project, author = self._workspace.require_writable_project(), self._workspace.preferences.author_name
        try:
            chosen = choose_class(project, self._workspace.current_class_id)
        except UserError as error:
            errors.report(error, parent=self._window)
            return

        def work(_tick: Tick) -> Made:
            from synthstudio.project.suggestion_verdicts import (  # noqa: PLC0415 - pydantic: the first paint need not wait
                make_artifacts,
            )

            return make_artifacts(project, project.suggestions.rejected(run_id), chosen.id, author=author)

        self._workspace.background.run(
            work,
            done=partial(self._tell, chosen),
            failed=partial(errors.report, parent=self._window),
            owner=self,
            title="Making artifacts of rejected suggestions",
        )

    def _tell(self, chosen: ObjectClass, made: Made) -> None:
        added, told = made
        if not added:
            words = "Nothing was rejected of what this model suggests, or marks stand there already."
            errors.post(Notice(words, severity=Severity.INFO), parent=self._window)
            return
        self._workspace.announce(told)
        self._workspace.undo_stack.push(_ArtifactsCommand(self._workspace, added, window=self._window))
        words = "One rejected suggestion is" if len(added) == 1 else f"{len(added):,} rejected suggestions are"
        hint = "Composites show them beside the objects: the next training learns to leave them. Undo takes it back."
        errors.post(Notice(f"{words} annotated as {chosen.name} now.", hint, Severity.INFO), parent=self._window)


class _ArtifactsCommand(ProjectCommand):
    """Artifacts that have been added."""

    def __init__(self, workspace: Workspace, added: Sequence[Annotation], *, window: QWidget) -> None:
        super().__init__(workspace, "annotate rejected suggestions as artifacts", window=window)
        self._added = added

    @override
    def write_to(self, project: Project, *, is_undo: bool) -> Changes:
        return project.annotations.remove(self._added) if is_undo else project.annotations.add(self._added)[1]


def choose_class(project: Project, current: ClassId | None) -> ObjectClass:
    """Return the class of artifacts that is meant: the current one, or the only one. Raises UserError."""
    artifacts = [each for each in project.classes.list() if each.role is Role.ARTIFACT]
    if not artifacts:
        raise UserError("There is no class of artifacts yet.", "Add one under Classes, with the role Artifact.")
    meant = [each for each in artifacts if each.id == current] or artifacts
    if len(meant) > 1:
        raise UserError("There are several classes of artifacts.", "Select the one that is meant under Classes.")
    return meant[0]
