"""Detectors in the Train workspace: joins their panel, the form of a training and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.pages.train.detector_facts import DETECTOR_KIND, DetectorFacts, read_detectors
from synthstudio.gui.pages.train.detector_panel import FIELD, DetectorPanel
from synthstudio.gui.pages.train.run_facts import read_splits
from synthstudio.gui.run_tab import NOTHING_TO_LEARN, RunTab, can_learn, set_choices
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.saving import choose_file
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, Progress
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_detector import TrainDetectorSettings


class DetectorSide(QFrame):
    """The settings of a training, and the button that starts it; beside a field its thresholds instead."""

    def __init__(self, controls: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stack = QStackedWidget(self)
        self.training = QWidget(self.stack)
        self.controls = controls
        no_names: list[Choice] = []
        # The form is made after the presets, so that Tab reaches it after them.
        self.presets = PresetBar(
            list_presets(DETECTOR_KIND),
            TrainDetectorSettings(),
            find_settings=self._find_settings,
            parent=self.training,
        )
        choices = {"composition.classes": no_names, "set_name": no_names}
        self.form = SettingsForm(TrainDetectorSettings, choices=choices, parent=self.training)
        self.train = QPushButton("Train detector", self.training)
        self.train.setProperty("primary", True)
        self._lay_out()
        self.form.settings_changed.connect(self.presets.show_match)
        self.presets.preset_chosen.connect(self.form.set_settings)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.presets.show_match(TrainDetectorSettings())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self.training)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        column.addWidget(self.train)
        self.stack.addWidget(self.training)
        self.stack.addWidget(self.controls)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def show_controls(self, *, shown: bool) -> None:
        """Show what belongs to the field, or the form of a training."""
        self.stack.setCurrentWidget(self.controls if shown else self.training)

    def _find_settings(self) -> TrainDetectorSettings | None:
        return self.form.find_settings()


HOW_TO_TRAIN = "A detector draws boxes around the objects. Choose what it learns from on the right and press “Train”."

DetectorRecords = tuple[list[DetectorFacts], list[Split], bool]
"""All detectors, the splits that can be scored on, and whether there is anything to train on."""


class Detectors(RunTab[DetectorSide, DetectorRecords]):
    """Detectors: what there is, what they find, and the form of a new one."""

    page_requested = Signal(str)
    """What is wanted on another page: "annotations"."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self.panel = DetectorPanel(workspace)
        super().__init__(workspace, self.panel, parent)
        self._searching: dict[str, tuple[RunId, FovId]] = {}
        self._can_learn = True
        self.panel.resume_requested.connect(self.resume)
        self.panel.evaluate_requested.connect(self.evaluate)
        self.panel.export_requested.connect(self.export_detector)
        self.panel.view_chosen.connect(self._on_panel_view_chosen)
        self.panel.choice.currentIndexChanged.connect(self._show_pending)
        self.panel.field.detect_requested.connect(self.detect)
        self.panel.field.annotate_requested.connect(lambda: self.page_requested.emit("annotations"))
        self.panel.errors.page_requested.connect(self.page_requested)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)
        workspace.gpu_worker.job_started.connect(self._on_worker_job_started)
        workspace.gpu_worker.job_ended.connect(self._on_worker_job_ended)

    @override
    def _make_form(self) -> DetectorSide:
        form = DetectorSide(self.panel.field.controls, self.side)
        form.show_controls(shown=self.panel.is_on_field)
        form.train.clicked.connect(self.start)
        form.form.validity_changed.connect(lambda: self._fit_form(form))
        return form

    @override
    def _fit_form(self, form: DetectorSide) -> None:
        form.form.set_choices("composition.classes", self._class_names())
        form.form.set_choices("set_name", set_choices(self._workspace.project))
        is_valid = form.form.find_settings() is not None
        form.train.setEnabled(self._workspace.is_writable and self._can_learn and is_valid)
        form.train.setToolTip("" if self._can_learn else NOTHING_TO_LEARN)

    @override
    def _read_facts(self, project: Project) -> DetectorRecords:
        return read_detectors(project), read_splits(project), can_learn(project)

    @override
    def _show_facts(self, facts: DetectorRecords | None) -> None:
        detectors, splits, self._can_learn = facts if facts is not None else ([], [], True)
        self.panel.show_detectors(detectors, splits=splits, can_write=self._workspace.is_writable)
        self.panel.empty.show_step(
            "No detector has been trained yet.", HOW_TO_TRAIN if self._can_learn else NOTHING_TO_LEARN
        )

    @Slot()
    def _on_panel_view_chosen(self) -> None:
        if self._form is not None:
            self._form.show_controls(shown=self.panel.is_on_field)

    @Slot()
    def _show_pending(self) -> None:
        chosen = self.panel.chosen
        self.panel.set_pending(
            frozenset(fov for run_id, fov in self._searching.values() if chosen and run_id == chosen.run.id)
        )

    @Slot(str, object)
    def _on_worker_job_ended(self, run_id: str, _outcome: object) -> None:
        if self._searching.pop(run_id, None) is not None:
            self._show_pending()

    @Slot(str)
    def _on_worker_job_started(self, run_id: str) -> None:
        chosen = self.panel.chosen
        if chosen is not None and chosen.run.id == run_id:
            self._reread.start()  # the run is written down as running a moment later

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: str, event: AnyEvent) -> None:
        chosen = self.panel.chosen
        if chosen is None or chosen.run.id != run_id:
            return
        if chosen.run.status is RunStatus.QUEUED:
            self._reread.start()  # it waited; now it runs
        match event:
            case Progress(done=done, total=total):
                self.panel.show_progress(done, total)
            case _:
                pass

    @Slot()
    def start(self) -> None:
        """Queue a training with the settings of the form."""
        settings = self.form.form.find_settings()
        if settings is not None and self._submit(settings, title="Detector") is not None:
            self.refresh()

    @Slot()
    def resume(self) -> None:
        """Go on with the training that is shown."""
        chosen = self.panel.chosen
        if chosen is not None and chosen.can_resume and chosen.settings is not None:
            self._submit(chosen.settings, title=chosen.run.title, resume_run=chosen.run.id)

    @Slot(object)
    def evaluate(self, split: Split) -> None:
        """Queue the scoring of the detector that is shown."""
        chosen = self.panel.chosen
        if chosen is not None:
            self._submit(
                EvaluateDetectorSettings(run=chosen.run.id, split=split), title=f"Evaluate detector on {split.value}"
            )

    @Slot(object)
    def detect(self, fov_id: FovId | None) -> None:
        """Queue the search of one field, or of all of the split that is chosen."""
        chosen, split = self.panel.chosen, self.panel.chosen_split
        if chosen is None:
            return
        if fov_id is None:
            if split is not None:
                self._submit(DetectSettings(run=chosen.run.id, split=split), title=f"Detect on {split.value}")
            return
        name = self._workspace.require_project().fovs.get(fov_id).name
        job = self._submit(DetectSettings(run=chosen.run.id, fovs=(name,)), title=f"Detect on {name}")
        if job is not None:
            self._searching[job] = (chosen.run.id, fov_id)
            self._show_pending()

    @Slot()
    def export_detector(self) -> None:
        """Ask where to, and queue the writing of the detector that is shown as an ONNX file."""
        chosen = self.panel.chosen
        if chosen is None:
            return
        run_id = chosen.run.id
        folder = self._workspace.require_project().folder.parent

        def submit(path: Path) -> None:
            self._submit(ExportOnnxSettings(run=run_id, out=str(path)), title="Export detector")

        choose_file(self, str(folder / f"{run_id}.onnx"), "ONNX model (*.onnx)", submit)

    def _is_finished(self) -> bool:
        chosen = self.panel.chosen
        return chosen is not None and chosen.is_finished and self._workspace.is_writable

    def _step(self, open_panel: Callable[[], None], step: int) -> Callable[[], None]:
        def go() -> None:
            open_panel()
            self.panel.choose_view(FIELD)
            self.panel.field.step_error(step)

        return go

    def _detect_current(self) -> None:
        if self._workspace.current_fov_id is not None:
            self.detect(self._workspace.current_fov_id)

    def actions(self, open_panel: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word
        """What can be done here; `open_panel` shows this panel with its form."""
        return (
            ActionSpec(
                "train.detector",
                "Train a detector…",
                open_panel,
                icon="mdi6.crop-free",
                menu="Train",
                enabled_when=lambda: self._workspace.is_writable,
                tip="A detector draws boxes around the objects",
            ),
            ActionSpec(
                "train.detect_field",
                "Detect on this field",
                self._detect_current,
                icon="mdi6.crosshairs",
                menu="Train",
                enabled_when=self._is_finished,
            ),
            ActionSpec(
                "train.export_detector",
                "Export the detector (ONNX)…",
                self.export_detector,
                icon="mdi6.export-variant",
                menu="Train",
                enabled_when=self._is_finished,
            ),
            *(
                ActionSpec(
                    id_,
                    text,
                    self._step(open_panel, step),
                    shortcut=keys,
                    menu="Train",
                    enabled_when=lambda: (chosen := self.panel.chosen) is not None and bool(chosen.detections),
                )
                for id_, text, keys, step in (
                    ("train.next_wrong_detection", "Next wrong detection", "F7", 1),
                    ("train.previous_wrong_detection", "Previous wrong detection", "Shift+F7", -1),
                )
            ),
        )
