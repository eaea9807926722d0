"""Detectors in the Train workspace: joins their panel, the form of a training and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.progress import Tick
from synthstudio.domain.records import RunStatus, Split
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.pages.train.detector_facts import DETECTOR_KIND, DetectorFacts, read_detectors
from synthstudio.gui.pages.train.detector_panel import DetectorPanel
from synthstudio.gui.pages.train.run_facts import read_splits
from synthstudio.gui.pages.train.run_tab import RunTab
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import AnyEvent, Progress
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.train_detector import TrainDetectorSettings


class DetectorSide(QFrame):
    """The settings of a training, and the button that starts it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        no_names: list[Choice] = []
        # The form is made after the presets, so that Tab reaches it after them.
        self.presets = PresetBar(
            list_presets(DETECTOR_KIND),
            TrainDetectorSettings(),
            find_settings=self._find_settings,
            parent=self,
        )
        self.form = SettingsForm(TrainDetectorSettings, choices={"composition.classes": no_names}, parent=self)
        self.train = QPushButton("Train detector", self)
        self.train.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        column.addWidget(self.train)
        self.form.settings_changed.connect(self.presets.show_match)
        self.presets.preset_chosen.connect(self.form.set_settings)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.presets.show_match(TrainDetectorSettings())

    def _find_settings(self) -> TrainDetectorSettings | None:
        return self.form.find_settings()


class Detectors(RunTab[DetectorSide]):
    """Detectors: what there is, and the form of a new one."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self.panel = DetectorPanel()
        super().__init__(workspace, self.panel, parent)
        self.panel.resume_requested.connect(self.resume)
        self.panel.evaluate_requested.connect(self.evaluate)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)
        workspace.gpu_worker.job_started.connect(self._on_worker_job_started)

    @override
    def _make_form(self) -> DetectorSide:
        form = DetectorSide(self.side)
        form.train.clicked.connect(self.start)
        form.form.validity_changed.connect(lambda: self._fit_form(form))
        return form

    @override
    def _fit_form(self, form: DetectorSide) -> None:
        form.form.set_choices("composition.classes", self._class_names())
        form.train.setEnabled(self._workspace.is_writable and form.form.find_settings() is not None)

    @override
    def refresh(self) -> None:
        """Read the detectors anew, off the GUI thread."""
        project = self._workspace.project
        if project is None:
            self.panel.show_detectors([], splits=(), can_write=False)
            return

        def read(_tick: Tick) -> tuple[list[DetectorFacts], list[Split]]:
            return read_detectors(project), list(read_splits(project))

        self._workspace.background.run(read, done=self._show, owner=self)

    def _show(self, found: tuple[list[DetectorFacts], list[Split]]) -> None:
        detectors, splits = found
        self.panel.show_detectors(detectors, splits=splits, can_write=self._workspace.is_writable)
        if self._form is not None:
            self._fit_form(self._form)

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
        )
