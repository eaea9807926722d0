"""What is said about the shown FOV in its panel: committed at once, and undone like everything else."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, Changes, Split
from synthstudio.gui import errors
from synthstudio.gui.field_edits import NOTE_ID, change_fields, change_samples
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.field_panel import FieldPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.sampling import SampleAssignment
from synthstudio.project.tones import find_tone_scale


class FieldChanges(QObject):
    """Fulfils the wishes of the field's panel.

    Args:
        workspace: Has the project.
        editor: Knows which FOV is shown.
        panel: Shows the facts; it shows them again where a change fails.
        window: Where errors are shown.
    """

    def __init__(self, workspace: Workspace, editor: Editor, panel: FieldPanel, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._editor, self._panel, self._window = workspace, editor, panel, window
        self._project: Project | None = None
        panel.state_chosen.connect(lambda text: self.set_state(AnnotationState(text)))
        panel.split_chosen.connect(self._on_split_chosen)
        panel.calibration_chosen.connect(self._on_calibration_chosen)
        panel.note_chosen.connect(self._on_note_chosen)
        panel.flag_chosen.connect(self._on_flag_chosen)
        panel.tone_chosen.connect(self._on_tone_chosen)
        workspace.records_changed.connect(self._on_records_changed)

    def take_project(self, project: Project | None) -> None:
        """Take this for the project whose fields are shown from now on."""
        self._panel.forget()
        self._project = project
        self._panel.set_tone_scale(find_tone_scale(project) if project is not None else None)

    def _on_records_changed(self, told: Changes) -> None:
        if "tones" in told.kinds and self._project is not None:
            self._panel.set_tone_scale(find_tone_scale(self._project))

    def set_state(self, state: AnnotationState) -> None:
        """Record how far the annotation of the shown FOV has come."""
        fov = self._editor.fov
        if fov is not None:
            self._change(fov.id, lambda project: project.fovs.set_state(fov.id, state), f"state of {fov.name}")

    def _on_note_chosen(self, fov_id: FovId, note: str) -> None:
        # While a project is exchanged the line may lose the focus, and its note must not reach the other project.
        if self._workspace.project is not None and self._workspace.project is self._project:
            self._change(fov_id, lambda project: project.fovs.set_note(fov_id, note), "note", merge_id=NOTE_ID)

    def _on_flag_chosen(self, flagged: bool) -> None:
        fov = self._editor.fov
        if fov is not None:
            text = f"flag of {fov.name}"
            self._change(fov.id, lambda project: project.fovs.set_flagged([fov.id], flagged=flagged), text)

    def _on_tone_chosen(self, tone: int) -> None:
        fov = self._editor.fov
        if fov is not None:
            self._change(fov.id, lambda project: project.fovs.set_tones({fov.id: tone or None}), f"tone of {fov.name}")

    def _on_split_chosen(self, text: str) -> None:
        fov = self._editor.fov
        if fov is not None:
            wanted = SampleAssignment({}, {fov.sample_name: Split(text) if text else None})
            title = f"split of {fov.sample_name}"
            self._try(lambda: change_samples(self._workspace, wanted, title, window=self._window))

    def _on_calibration_chosen(self, um_per_px: float) -> None:
        fov = self._editor.fov
        if fov is not None:
            self._change(
                fov.id,
                lambda project: project.fovs.set_calibration([fov.id], um_per_px or None),
                f"calibration of {fov.name}",
            )

    def _change(self, fov_id: FovId, change: Callable[[Project], Changes], text: str, *, merge_id: int = -1) -> None:
        self._try(
            lambda: change_fields(self._workspace, [fov_id], change, text, window=self._window, merge_id=merge_id)
        )

    def _try(self, change: Callable[[], None]) -> None:
        try:
            change()
        except UserError as error:
            errors.report(error, parent=self._window)
            self._panel.set_fov(self._editor.fov)
