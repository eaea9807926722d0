"""Tones of fields: their scale, suggestions from the pixels, and tables of attributes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.domain.tones import FITZPATRICK
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.field_edits import change_fields
from synthstudio.gui.main_window.fov_panel import FovPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project.tones import find_tone_scale

if TYPE_CHECKING:
    from synthstudio.core.fields.skin_tone import SkinTone
    from synthstudio.project.attributes import AttributeOutcome


class ToneActions(QObject):
    """What the window's actions do with tones.

    Args:
        workspace: Has the project.
        fov_panel: Which fields are selected.
        window: The window.
    """

    def __init__(self, workspace: Workspace, fov_panel: FovPanel, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._fov_panel, self._window = workspace, fov_panel, window
        self._has_skin_tones = False
        workspace.project_changed.connect(self._read_scale)
        workspace.records_changed.connect(self._on_records_changed)
        self._read_scale()

    @Slot()
    def _read_scale(self) -> None:
        project = self._workspace.project
        self._has_skin_tones = project is not None and find_tone_scale(project) == FITZPATRICK

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if "tones" in told.kinds:
            self._read_scale()

    def open_scale(self) -> None:
        """Choose the tone scale of the project."""
        from synthstudio.gui.main_window.tone_scale_dialog import ToneScaleDialog  # noqa: PLC0415 - loaded when needed

        ToneScaleDialog(self._workspace, self._window).open()

    def can_suggest(self) -> bool:
        """Whether there are fields whose skin tone could be suggested."""
        return self._workspace.is_writable and self._has_skin_tones

    def suggest(self) -> None:
        """Suggest the skin tone of the selected fields from their pixels; as one step that can be undone."""
        project, fov_ids = self._workspace.require_project(), self._fov_panel.selected
        fovs = [project.fovs.get(fov_id) for fov_id in fov_ids]
        marked = {fov.id: [mark.box for mark in project.annotations.list(fov.id) if mark.box] for fov in fovs}

        def work(tick: Tick) -> dict[FovId, SkinTone | None]:
            from synthstudio.core.fields.skin_tone import suggest_tone  # noqa: PLC0415 - loaded when it is needed

            found: dict[FovId, SkinTone | None] = {}
            for done, fov in enumerate(fovs):
                tick(done, len(fovs))
                found[fov.id] = suggest_tone(fov, marked[fov.id])
            return found

        self._workspace.background.run(
            work, done=self._on_suggested, owner=self, title="Suggesting skin tones", reads_images=True
        )

    def _on_suggested(self, found: dict[FovId, SkinTone | None]) -> None:
        tones: dict[FovId, int | None] = {fov_id: each.tone for fov_id, each in found.items() if each is not None}
        try:
            if tones:
                change_fields(
                    self._workspace,
                    list(tones),
                    lambda project: project.fovs.set_tones(tones),
                    "suggested skin tones",
                    window=self._window,
                )
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        n_without = len(found) - len(tones)
        text = f"A skin tone was suggested for {len(tones):,} of {len(found):,} fields."
        hint = "Look at each: light and white balance go into it. Undo takes them back."
        if n_without:
            hint = f"{n_without:,} show too little unmarked skin. {hint}"
        errors.post(Notice(text, hint, Severity.INFO), parent=self._window)

    def import_attributes(self) -> None:
        """Choose a table of attributes, and bring it to the fields."""
        try:
            start = self._workspace.require_writable_project().folder.parent
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        errors.ask.file(
            self._window,
            title="Import attributes",
            start=start,
            name_filter="Tables (*.csv *.tsv *.txt)",
            answered=self.read_table,
        )

    def read_table(self, path: Path) -> None:
        """Bring a table of attributes to the fields, as one step that can be undone."""
        project = self._workspace.require_project()

        def work(_tick: Tick) -> AttributeOutcome:
            from synthstudio.core.annotations.attributes import read_attributes  # noqa: PLC0415 - loaded when needed
            from synthstudio.project.attributes import apply_attributes  # noqa: PLC0415

            return apply_attributes(project, read_attributes(path))

        self._workspace.background.run(work, done=self._on_table_read, owner=self, title=f"Reading {path.name}")

    def _on_table_read(self, outcome: AttributeOutcome) -> None:
        from synthstudio.gui.main_window.attribute_changes import AttributesCommand  # noqa: PLC0415 - loaded when needed

        self._workspace.announce(outcome.changes)
        self._workspace.undo_stack.push(AttributesCommand(self._workspace, outcome, self._window))
        text = (
            f"The table speaks of {outcome.n_rows:,} fields: {outcome.n_tones:,} tones,"
            f" {outcome.n_conditions:,} conditions."
        )
        problems = [str(problem) for problem in outcome.problems]
        hint = f"{len(problems):,} rows could not be followed, the first one: {problems[0]}" if problems else ""
        errors.post(Notice(text, hint, Severity.WARNING if problems else Severity.INFO), parent=self._window)
