"""Training a GAN: its settings, its curves, and what it makes of the same maps as it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.gan_times import estimate_training
from synthstudio.core.export.report.charts import series_color
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Role, RunStatus
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.run_facts import GanFacts, read_warnings
from synthstudio.gui.pages.generate.gan.sample_strip import SampleStrip
from synthstudio.gui.pages.generate.gan.training_side import TrainingSide
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.metric_plots import MetricPlots, Points
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import AnyEvent, MetricLogged, Progress, StageChanged, WarningRaised
from synthstudio.settings.train_gan import TrainGanSettings

SIDE_WIDTH_PX = 356
PLOTS_HEIGHT_PX = 180
REREAD_MS = 1000
"""A training logs many values a second; new samples are looked for once for all of them."""
TITLES = {
    "loss": "Losses",
    "discriminator": "Judged right",
    "validation": "Grey levels off",
    "kid": "KID",
}
MENU = "Generate"
MAX_WARNINGS = 4


class GanTrainingPanel(QWidget):
    """One training at a time, live while it runs; the form of a new one beside it.

    Signals:
        run_started: (run id) A training was put into the queue here.
        settings_changed: (`TrainGanSettings`) The form holds others.
        actions_outdated: Other actions may be possible now.
    """

    run_started = Signal(object)
    settings_changed = Signal(object)
    actions_outdated = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._facts: GanFacts | None = None
        self._run_id: RunId | None = None
        self._warnings: tuple[str, ...] = ()
        self._stage = self._progress = ""
        self._side: TrainingSide | None = None
        self._crops: TrainGanSettings | None = None  # for the form that is not there yet
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self.content = QWidget(self.stack)
        self.state = WrappedLabel("muted", self.content)
        self.stop = QPushButton("Stop early", self.content)
        self.stop.setToolTip("Ends after the present step. What it has learned stays, and it can be gone on with")
        self.resume = QPushButton("Resume", self.content)
        self.resume.setToolTip("Go on from the last checkpoint")
        self.trouble = WrappedLabel("danger", self.content)
        self.samples = SampleStrip(workspace.background, self.content)
        self.plots = MetricPlots(
            TITLES, lambda _name, number: series_color(number), orientation=Qt.Orientation.Horizontal
        )
        self.side_holder = QFrame(self)
        self._side_layout = QVBoxLayout(self.side_holder)
        self._lay_out()
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(REREAD_MS)
        self._connect()
        self.set_facts(None)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.stop)
        head.addWidget(self.resume)
        splitter = QSplitter(Qt.Orientation.Vertical, self.content)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.samples)
        splitter.addWidget(self.plots)
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([600, 380])
        self.plots.setMinimumHeight(PLOTS_HEIGHT_PX)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addWidget(self.trouble)
        column.addWidget(splitter, 1)
        self.stack.addWidget(self.content)
        self.stack.addWidget(self.empty)
        self.side_holder.setProperty("panel", True)
        self.side_holder.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        self._side_layout.setContentsMargins(0, 0, 0, 0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.side_holder)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.project_changed.connect(self._fit_side)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        workspace.gpu_worker.event_received.connect(self._on_worker_event_received)
        self._reread.timeout.connect(self.samples.refresh)
        self.samples.samples_changed.connect(self.actions_outdated)
        self.stop.clicked.connect(self.stop_early)
        self.resume.clicked.connect(self.resume_training)

    @property
    def side(self) -> TrainingSide:
        """Presets and form; made when they are first wanted."""
        if self._side is None:
            self._side = TrainingSide(self.side_holder)
            self._side_layout.addWidget(self._side)
            self._side.start_requested.connect(self.start)
            self._side.settings_changed.connect(self._refresh_effort)
            self._side.settings_changed.connect(self.settings_changed)
            self._side.validity_changed.connect(self.actions_outdated)
            self._fit_side()
            if self._crops is not None:
                self._side.take_crops(self._crops)
        return self._side

    @Slot(object)
    def take_crops(self, settings: TrainGanSettings) -> None:
        """Take over what decides about the crops, from where they are looked at."""
        self._crops = settings
        if self._side is not None:
            self._side.take_crops(settings)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.side.show()
        self._show_run()

    @Slot()
    def _fit_side(self) -> None:
        if self._side is None:
            return
        project = self._workspace.project
        classes = project.classes.list() if project is not None else []
        names = [(item.name, item.name) for item in classes if item.role is not Role.ARTIFACT]
        self._side.fit(classes=names, can_start=self._workspace.is_writable)
        self._refresh_effort()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "classes" in changed.kinds:
            self._fit_side()

    @Slot()
    def _refresh_effort(self) -> None:
        """Say how long the training of the form would take."""
        project, settings = self._workspace.project, self.side.find_settings()
        if project is None or settings is None:
            self.side.show_effort("")
            return

        def read(_tick: Tick) -> str:
            return estimate_training(project.runs.list(kind=settings.kind), settings).words

        self._workspace.background.run(
            read, done=lambda words: self.side.show_effort(f"{words[:1].upper()}{words[1:]}."), owner=self.side.effort
        )

    def set_facts(self, facts: GanFacts | None) -> None:
        """Show a training, or none."""
        self._facts = facts
        run_id = facts.run.id if facts is not None else None
        if run_id != self._run_id:
            self._run_id, self._warnings = run_id, ()
            self.plots.clear()
        if facts is None or facts.run.status is not RunStatus.RUNNING:
            self._stage = self._progress = ""
        self._show_run()

    def _show_run(self) -> None:
        facts = self._facts
        project = self._workspace.project
        self.stack.setCurrentWidget(self.content if facts is not None else self.empty)
        self.empty.show_step(
            "No GAN has been trained yet.",
            "It learns from images with boxes around the conditions, and makes new ones from maps that say where which"
            " condition is, in which tone. Choose a preset on the right and press “Train the GAN”."
            if project is not None
            else "Open a project, or make a new one.",
        )
        self._show_state()
        if facts is None or project is None:
            self.samples.set_folder(None, "")
            return
        folder, run_id = project.run_folder(facts.run.id), facts.run.id
        self.samples.set_folder(folder, _waiting_words(facts))
        if not self.isVisible():
            return  # read when it is shown

        def read(_tick: Tick) -> tuple[Mapping[str, Points], tuple[str, ...]]:
            return project.runs.metrics(run_id), read_warnings(folder)

        self._workspace.background.run(read, done=lambda found: self._merge(run_id, *found), owner=self)

    def _merge(self, run_id: RunId, points: Mapping[str, Points], warnings: tuple[str, ...]) -> None:
        if run_id == self._run_id:
            self.plots.merge(points)
            self._warnings = tuple(dict.fromkeys((*warnings, *self._warnings)))
            self._show_state()

    def _show_state(self) -> None:
        facts = self._facts
        self._show_stage()
        self.stop.setVisible(facts is not None and facts.is_open)
        self.resume.setVisible(facts is not None and facts.can_resume)
        self.resume.setEnabled(self._workspace.is_writable)
        failure = f"{facts.run.message} {facts.run.hint}".strip() if facts is not None else ""
        said = [*([failure] if failure else []), *self._warnings[-MAX_WARNINGS:]]
        self.trouble.setText("\n".join(said))
        self.trouble.setVisible(bool(said))
        self.actions_outdated.emit()

    def _show_stage(self) -> None:
        self.state.setText(_state_words(self._facts, f"{self._stage}{self._progress}".removeprefix(", ")))

    @Slot(str, object)
    def _on_worker_event_received(self, run_id: str, event: AnyEvent) -> None:
        if run_id != self._run_id:
            return
        match event:
            case MetricLogged(name=name, step=step, value=value):
                self.plots.add_point(name, step, value)
                if not self._reread.isActive():
                    self._reread.start()
            case Progress(done=done, total=total):
                self._progress = f", {done:,} of {total:,}"
                self._show_stage()
            case StageChanged(text=text):
                self._stage, self._progress = text[:1].lower() + text[1:], ""
                self._show_stage()
            case WarningRaised(text=text):
                self._warnings = tuple(dict.fromkeys((*self._warnings, text)))
                self._show_state()
            case _:
                pass

    @Slot()
    def start(self) -> None:
        """Queue a training with the settings of the form, and show it."""
        settings = self.side.find_settings()
        if settings is None:
            return
        try:
            run_id = self._workspace.submit(settings)
        except UserError as error:
            report(error, parent=self)
            return
        self.run_started.emit(run_id)

    @Slot()
    def stop_early(self) -> None:
        """End the training that is shown; its checkpoint stays."""
        if self._facts is not None and self._facts.is_open:
            self._workspace.gpu_worker.cancel(self._facts.run.id)

    @Slot()
    def resume_training(self) -> None:
        """Go on with the training that is shown from its last checkpoint."""
        facts = self._facts
        if facts is None or not facts.can_resume or facts.settings is None:
            return
        try:
            run_id = self._workspace.submit(facts.settings, title=facts.run.title, resume_run=facts.run.id)
        except UserError as error:
            report(error, parent=self)
            return
        self.run_started.emit(run_id)

    def _can_start(self) -> bool:
        return self._side is not None and self._side.start.isEnabled()

    def _can_resume(self) -> bool:
        return self._facts is not None and self._facts.can_resume and self._workspace.is_writable

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        strip = self.samples

        def has_samples() -> bool:
            return bool(strip.steps)

        def is_open() -> bool:
            return self._facts is not None and self._facts.is_open

        return (
            ActionSpec("gan.train", "Train the GAN", self.start, "Ctrl+Return", "mdi6.play", MENU, self._can_start),
            ActionSpec("gan.stop", "Stop the GAN early", self.stop_early, "", "mdi6.stop", MENU, is_open),
            ActionSpec(
                "gan.resume", "Resume the GAN", self.resume_training, "", "mdi6.play-pause", MENU, self._can_resume
            ),
            ActionSpec(
                "gan.sample_back", "Samples before these", strip.go_back, "Left", "", MENU, has_samples, focus=strip
            ),
            ActionSpec(
                "gan.sample_forth", "Samples after these", strip.go_forth, "Right", "", MENU, has_samples, focus=strip
            ),
            ActionSpec("gan.sample_first", "First samples", strip.go_first, "Home", "", MENU, has_samples, focus=strip),
            ActionSpec(
                "gan.sample_latest", "Follow the newest samples", strip.follow_latest, "End", "", MENU, focus=strip
            ),
        )


def _waiting_words(facts: GanFacts) -> str:
    if facts.run.status is RunStatus.QUEUED:
        return "The training waits for its turn."
    if facts.is_open:
        return "The first samples come after a while; the settings say after how many steps."
    return "This training left no samples."


def _state_words(facts: GanFacts | None, stage: str) -> str:
    if facts is None:
        return ""
    match facts.run.status:
        case RunStatus.QUEUED:
            return "Waits for its turn."
        case RunStatus.RUNNING:
            return f"Running: {stage}." if stage else "Running."
        case RunStatus.CANCELLED:
            return "Stopped early. What it has learned so far can be used, and it can be gone on with."
        case RunStatus.FAILED:
            return "Failed." + (" It can be gone on with from its last checkpoint." if facts.can_resume else "")
    return "Finished."
