"""The Train workspace: trainings, their curves and scores, and where they look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, RunStatus, Split
from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.errors import Notice, Severity, post
from synthstudio.gui.forms import PresetBar, SettingsForm, list_presets
from synthstudio.gui.pages.train.batches import Batches
from synthstudio.gui.pages.train.cam_panel import CamPanel, CamWish
from synthstudio.gui.pages.train.curves_panel import CurvesPanel
from synthstudio.gui.pages.train.detectors import Detectors
from synthstudio.gui.pages.train.experiments import Experiments
from synthstudio.gui.pages.train.recipe_search import RecipeSearch
from synthstudio.gui.pages.train.results_actions import results_actions
from synthstudio.gui.pages.train.results_panel import ResultsPanel
from synthstudio.gui.pages.train.rounds import Rounds
from synthstudio.gui.pages.train.run_facts import TrainingFacts, read_splits, read_trainings
from synthstudio.gui.pages.train.run_header import RunHeader
from synthstudio.gui.pages.train.runs_panel import RunsPanel
from synthstudio.gui.pages.train.training_jobs import TrainingJobs
from synthstudio.gui.run_tab import NOTHING_TO_LEARN, can_learn, set_choices
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.page_tabs import PageTabs
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import AnyEvent, JobFinished, MetricLogged, Progress
from synthstudio.protocol.results import ExportOnnxResult
from synthstudio.settings.explain import CamMethod
from synthstudio.settings.train_classifier import TrainClassifierSettings

FORM_WIDTH_PX, CONTROLS_WIDTH_PX = 320, 232
TABS = ("Curves", "Results", "CAM", "Detectors", "Recipes", "Experiment", "Rounds", "Batches")
WAYS = {"annotations": "go.annotate"}
"""Ids of the window's actions that lead to what a tab asks for."""


class TrainPage(QWidget):
    """Joins the panels; the project's rows are the truth that all of them show."""

    title = "Train"
    icon = "mdi6.chart-line"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._jobs = TrainingJobs(workspace, self)
        self._awaited: RunId | None = None  # to be chosen as soon as it is among the runs
        self._trainings: list[TrainingFacts] = []
        self._explaining: dict[str, CamWish] = {}
        self._is_stale = self._can_learn = True
        self.runs = RunsPanel(self)
        self.header = RunHeader(self)
        self.curves = CurvesPanel(workspace, self)
        self.results = ResultsPanel(workspace, self)
        self.cam = CamPanel(workspace, self)
        self.detectors = Detectors(workspace, self)
        self.search = RecipeSearch(workspace, self)
        self.experiments = Experiments(workspace, self)
        self.rounds = Rounds(workspace, self)
        self.batches = Batches(workspace, self)
        self.tabs = PageTabs(self)
        self.side = QStackedWidget(self)
        self.form_side = QFrame(self.side)
        self.presets = PresetBar(
            list_presets("train-classifier"),
            TrainClassifierSettings(),
            find_settings=self._find_settings,
            parent=self.form_side,
        )
        choices = {"composition.classes": (), "set_name": set_choices(None)}
        self.form = SettingsForm(TrainClassifierSettings, choices=choices, parent=self.form_side)
        self.train = QPushButton("Train", self.form_side)
        self.train.setProperty("primary", True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        panels: tuple[QWidget, ...] = (
            self.curves,
            self.results,
            self.cam,
            self.detectors,
            self.search,
            self.experiments,
            self.rounds,
            self.batches,
        )
        for panel, title in zip(panels, TABS, strict=True):
            self.tabs.addTab(panel, title)
        middle = QVBoxLayout()
        middle.setSpacing(GRID_PX)
        middle.addWidget(self.header)
        middle.addWidget(self.tabs, 1)
        self._lay_out_form_side()
        self.side.addWidget(self.form_side)
        self.side.addWidget(self.cam.controls)
        self.side.addWidget(self.detectors.side)
        self.side.addWidget(self.search.side)
        self.side.addWidget(self.experiments.side)
        self.side.addWidget(self.rounds.side)
        self.side.setProperty("panel", True)
        self.side.setFixedWidth(scaled_px(FORM_WIDTH_PX))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.runs)
        layout.addLayout(middle, 1)
        layout.addWidget(self.side)

    def _lay_out_form_side(self) -> None:
        column = QVBoxLayout(self.form_side)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        column.addWidget(self.train)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)
        workspace.gpu_worker.job_ended.connect(self._on_worker_job_ended)
        self.runs.run_chosen.connect(self._on_runs_run_chosen)
        self.tabs.currentChanged.connect(self._on_tabs_current_changed)
        self.form.settings_changed.connect(self.presets.show_match)
        self.form.validity_changed.connect(self._refresh_train)
        self.presets.preset_chosen.connect(self.form.set_settings)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.train.clicked.connect(self._on_train_clicked)
        self.header.resume_requested.connect(self.resume)
        self.header.evaluate_requested.connect(self.evaluate)
        self.header.explain_requested.connect(self.explain)
        self.header.export_requested.connect(self.export_model)
        self.results.evaluate_requested.connect(self._on_results_evaluate_requested)
        self.results.run_chosen.connect(self.runs.choose)
        self.cam.explain_requested.connect(self._on_cam_explain_requested)
        self.search.side_wanted.connect(self._show_side)
        self.experiments.side_wanted.connect(self._show_side)
        self.rounds.side_wanted.connect(self._show_side)
        self.detectors.panel.view_chosen.connect(self._show_side)
        for part in (self.results, self.detectors):
            part.page_requested.connect(self._on_part_page_requested)
        self.search.training_offered.connect(self._on_search_training_offered)
        self.presets.show_match(TrainClassifierSettings())

    @property
    def chosen(self) -> TrainingFacts | None:
        """The run that is shown."""
        run_id = self.runs.chosen
        return next((each for each in self._trainings if each.run.id == run_id), None)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    def refresh(self) -> None:
        """Read the runs anew, off the GUI thread, where the page is seen."""
        project = self._workspace.project
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        self.detectors.refresh()
        self.search.refresh()
        self.experiments.refresh()
        self.rounds.refresh()
        self.batches.refresh()
        if project is None:
            self._show([], [])
            return

        def read(_tick: Tick) -> tuple[list[TrainingFacts], list[Split], bool]:
            return read_trainings(project), read_splits(project), can_learn(project)

        self._workspace.background.run(read, done=lambda found: self._show(*found), owner=self)

    def _show(self, trainings: list[TrainingFacts], splits: list[Split], has_data: bool = True) -> None:
        self._trainings, self._can_learn = trainings, has_data
        self.header.set_splits(splits)
        self.results.set_splits(splits)
        self.runs.set_trainings(trainings)
        if self._awaited is not None and any(each.run.id == self._awaited for each in trainings):
            self.runs.choose(self._awaited)
            self._awaited = None
        project = self._workspace.project
        names = [(item.name, item.name) for item in project.classes.list()] if project is not None else []
        self.form.set_choices("composition.classes", names)
        self.form.set_choices("set_name", set_choices(project))
        self._refresh_train()
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self.chosen
        self.header.show_run(chosen, can_write=self._workspace.is_writable)
        words = _curves_words(chosen, can_learn=self._can_learn)
        self.curves.show_run(chosen.run.id if chosen is not None else None, *words)
        self.results.show_runs(chosen, self._trainings)
        self.cam.show_runs(chosen, self._trainings, set(self._explaining.values()))

    @Slot()
    def _refresh_train(self) -> None:
        is_valid = self.form.find_settings() is not None
        self.train.setEnabled(self._workspace.is_writable and self._can_learn and is_valid)
        self.train.setToolTip("" if self._can_learn else NOTHING_TO_LEARN)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._explaining.clear()
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        may_learn_now = not self._can_learn and "annotations" in changed.kinds
        if changed.kinds & {"runs", "classes", "sets"} or may_learn_now:
            self.refresh()

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: str, event: AnyEvent) -> None:
        match event:
            case MetricLogged(name=name, step=step, value=value):
                self.curves.add_point(RunId(run_id), name, step, value)
            case Progress(done=done, total=total) if run_id == self.runs.chosen:
                self.header.show_progress(done, total)
            case _:
                if (chosen := self.chosen) and run_id == chosen.run.id and chosen.run.status is RunStatus.QUEUED:
                    self.refresh()

    @Slot(str, object)
    def _on_worker_job_ended(self, run_id: str, outcome: object) -> None:
        self._explaining.pop(run_id, None)
        match outcome:
            case JobFinished(result=ExportOnnxResult(path=path, difference=difference)):
                text = f"Its answers differ from those of the trained network by at most {difference:.1g}."
                post(Notice(f"The model was written to {path}.", text, Severity.INFO), parent=self)
        self.refresh()

    @Slot(object)
    def _on_runs_run_chosen(self, _run_id: RunId | None) -> None:
        self._show_chosen()

    @Slot(int)
    def _on_tabs_current_changed(self, _index: int) -> None:
        self._show_side()
        if self.tabs.currentWidget() is self.cam:
            self.cam.refresh()

    @Slot()
    def _show_side(self) -> None:
        """Map and tables want the room: beside the map stand its few controls instead of the form."""
        shown = self.tabs.currentWidget()
        others = (self.search, self.detectors, self.experiments, self.rounds, self.batches)
        speaks_of_classifiers = shown not in others
        self.header.setVisible(speaks_of_classifiers)
        self.runs.setVisible(speaks_of_classifiers and shown is not self.results)  # that has a table of them
        if shown is self.detectors:
            self.detectors.form.show()
        wants: dict[QWidget, bool] = {part: part.wants_side for part in (self.search, self.experiments, self.rounds)}
        wants |= {self.detectors: not self.detectors.panel.is_on_errors, self.batches: False}
        self.side.setVisible(shown is not self.results and wants.get(shown, True))
        parts = (self.detectors, self.search, self.experiments, self.rounds)
        sides: dict[QWidget, QWidget] = {part: part.side for part in parts}
        sides[self.cam] = self.cam.controls
        self.side.setCurrentWidget(sides.get(shown, self.form_side))
        self.side.setFixedWidth(scaled_px(CONTROLS_WIDTH_PX if shown is self.cam else FORM_WIDTH_PX))

    @Slot(str)
    def _on_part_page_requested(self, need: str) -> None:
        """Go where the need can be met, by the window's own action: a page knows no other page."""
        trigger_action(WAYS.get(need, ""), self)

    @Slot(object)
    def _on_search_training_offered(self, settings: TrainClassifierSettings) -> None:
        self.form.set_settings(settings)
        self.tabs.setCurrentWidget(self.curves)

    def _open_search(self) -> None:
        self.tabs.setCurrentWidget(self.search)
        self.search.open_form()

    def _open_experiment(self) -> None:
        self.tabs.setCurrentWidget(self.experiments)
        self.experiments.open_form()

    @Slot()
    def _on_train_clicked(self) -> None:
        self.start_training()

    def _find_settings(self) -> TrainClassifierSettings | None:
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def start_training(self) -> None:
        """Queue a training with the settings of the form, and show it."""
        settings = self.form.find_settings()
        if settings is None:
            return
        self._awaited = self._jobs.submit(settings, title="")
        if self._awaited is not None:
            self.tabs.setCurrentWidget(self.curves)
            self.refresh()

    @Slot()
    def resume(self) -> None:
        """Go on with the chosen run from its last checkpoint."""
        if self.chosen is not None and self.chosen.can_resume:
            self._jobs.resume(self.chosen)

    @Slot(object)
    def evaluate(self, split: Split) -> None:
        """Queue the scoring of the chosen run."""
        if self.chosen is not None:
            self._jobs.evaluate(self.chosen, split)

    def _evaluate_chosen(self) -> None:
        if self.header.split.currentData() is not None:
            self.evaluate(Split(self.header.split.currentData()))

    @Slot(object)
    def explain(self, split: Split) -> None:
        """Queue the maps of the chosen run on all images of a split."""
        if self.chosen is not None:
            self._jobs.explain(self.chosen, split, self.cam.controls.chosen_method)

    @Slot()
    def export_model(self) -> None:
        """Ask where to, and queue the writing of the chosen run as an ONNX file."""
        if self.chosen is not None:
            self._jobs.export(self.chosen)

    @Slot(object, object)
    def _on_results_evaluate_requested(self, run_ids: list[RunId], split: Split) -> None:
        for training in self._trainings:
            if training.run.id in run_ids:
                self._jobs.evaluate(training, split)

    @Slot(object, object, str)
    def _on_cam_explain_requested(self, run_id: RunId, fov_id: FovId, method: CamMethod) -> None:
        job = self._jobs.explain_field(run_id, fov_id, method)
        if job is not None:
            self._explaining[job] = (run_id, fov_id, method)
            self._show_chosen()

    def explain_current(self) -> None:
        """Queue the map of the chosen run on the current field."""
        chosen, fov_id = self.chosen, self._workspace.current_fov_id
        if chosen is not None and fov_id is not None:
            self._on_cam_explain_requested(chosen.run.id, fov_id, self.cam.controls.chosen_method)

    def _is_finished(self) -> bool:
        chosen = self.chosen
        return chosen is not None and chosen.run.status is RunStatus.FINISHED and self._workspace.is_writable

    def _shower(self, index: int) -> Callable[[], None]:
        return lambda: self.tabs.setCurrentIndex(index)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "train.start",
                "Train",
                self.start_training,
                shortcut="Ctrl+Return",
                icon="mdi6.play",
                menu="Train",
                enabled_when=self.train.isEnabled,
            ),
            ActionSpec(
                "train.resume",
                "Resume the training",
                self.resume,
                icon="mdi6.play-pause",
                menu="Train",
                enabled_when=lambda: (chosen := self.chosen) is not None and chosen.can_resume,
            ),
            ActionSpec(
                "train.evaluate",
                "Evaluate the training",
                self._evaluate_chosen,
                shortcut="Ctrl+Shift+E",
                icon="mdi6.scale-balance",
                menu="Train",
                enabled_when=self._is_finished,
            ),
            ActionSpec(
                "train.export",
                "Export the model (ONNX)…",
                self.export_model,
                icon="mdi6.export-variant",
                menu="Train",
                enabled_when=self._is_finished,
            ),
            ActionSpec(
                "train.explain_field",
                "Compute CAM for this field",
                self.explain_current,
                icon="mdi6.fire",
                menu="Train",
                enabled_when=self._is_finished,
            ),
            *results_actions(self.results, lambda: self.tabs.setCurrentWidget(self.results)),
            *self.cam.actions(),
            *self.detectors.actions(lambda: self.tabs.setCurrentWidget(self.detectors)),
            *self.search.actions(self._open_search),
            *self.experiments.actions(self._open_experiment),
            *self.rounds.actions(),
            *self.batches.actions(),
            *(
                ActionSpec(
                    f"train.{name.lower()}",
                    f"Show {name if name == 'CAM' else name.lower()}",
                    self._shower(index),
                    shortcut=f"Ctrl+Alt+{index + 1}",
                    menu="Train",
                )
                for index, name in enumerate(TABS)
            ),
        )


def _curves_words(chosen: TrainingFacts | None, *, can_learn: bool) -> tuple[str, str]:
    """What the empty curves say."""
    if chosen is None and not can_learn:
        return "Nothing has been trained yet.", NOTHING_TO_LEARN
    if chosen is None:
        return "Nothing has been trained yet.", "Choose a preset on the right and press “Train”."
    if chosen.run.status is RunStatus.QUEUED:
        return "This training waits for its turn.", "Its curves appear as soon as it runs."
    if chosen.run.status is RunStatus.RUNNING:
        return "The training has begun.", "The first values appear after a few steps."
    return "This run logged no values.", chosen.run.message
