"""One training: its settings, its curves, and what it makes of the same requests as it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.export.report.charts import series_color
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, RunStatus
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.trainings.facts import SettingsT, TrainingFacts, read_warnings
from synthstudio.gui.pages.generate.trainings.offer import NOTHING, Effort, Offer
from synthstudio.gui.pages.generate.trainings.sample_strip import SampleStrip
from synthstudio.gui.pages.generate.trainings.side import TrainingSide
from synthstudio.gui.pages.generate.trainings.specs import training_specs
from synthstudio.gui.pages.generate.trainings.words import TrainingWords, state_words, waiting_words
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.metric_plots import MetricPlots, Points
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, MetricLogged, Progress, StageChanged, WarningRaised

SIDE_WIDTH_PX = 356
PLOTS_HEIGHT_PX = 180
REREAD_MS = 1000
"""A training logs many values a second; new samples are looked for once for all of them."""
MAX_WARNINGS = 4


class _PanelSignals(QWidget):
    """Signals cannot be declared in a generic class."""

    run_started = Signal(object)
    settings_changed = Signal(object)
    actions_outdated = Signal()
    page_requested = Signal(str)


class TrainingPanel(_PanelSignals, Generic[SettingsT]):
    """One training at a time, live while it runs; the form of a new one beside it.

    Signals:
        run_started: (run id) A training was put into the queue here.
        settings_changed: (the settings) The form holds others.
        actions_outdated: Other actions may be possible now.
        page_requested: (what) What would help.

    Args:
        workspace: Whose project's trainings.
        parent: Where it stands.
        words: What is said of them.
        titles: Of the groups of curves.
        samples: What is made on the way.
        records: Kinds of records that its form offers.
    """

    def __init__(
        self,
        workspace: Workspace,
        parent: QWidget | None,
        *,
        words: TrainingWords,
        titles: Mapping[str, str],
        samples: SampleStrip,
        records: frozenset[str],
    ) -> None:
        super().__init__(parent)
        self._workspace, self._words, self._records = workspace, words, records
        self._facts: TrainingFacts[SettingsT] | None = None
        self._run_id: RunId | None = None
        self._warnings: tuple[str, ...] = ()
        self._stage = self._progress = ""
        self._side: TrainingSide[SettingsT] | None = None
        self._offer = NOTHING
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self.content = QWidget(self.stack)
        self.state = WrappedLabel("muted", self.content)
        self.stop = QPushButton("Stop early", self.content)
        self.stop.setToolTip("Ends after the present step. What it has learned stays, and it can be gone on with")
        self.resume = QPushButton("Resume", self.content)
        self.resume.setToolTip("Go on from the last checkpoint")
        self.trouble = WrappedLabel("danger", self.content)
        self.remarks = WrappedLabel("warning", self.content)
        self.samples = samples
        self.plots = MetricPlots(
            titles, lambda _name, number: series_color(number), orientation=Qt.Orientation.Horizontal
        )
        self.foot = QSplitter(Qt.Orientation.Horizontal, self.content)
        """The curves, and what a kind of training shows beside them."""
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
        self.foot.setChildrenCollapsible(False)
        self.foot.addWidget(self.plots)
        self._build_beside()
        self.foot.setMinimumHeight(PLOTS_HEIGHT_PX)
        splitter = QSplitter(Qt.Orientation.Vertical, self.content)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.samples)
        splitter.addWidget(self.foot)
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([600, 380])
        column = QVBoxLayout(self.content)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addWidget(self.trouble)
        column.addWidget(self.remarks)
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
        self.empty.button_clicked.connect(self._on_empty_button_clicked)
        self.stop.clicked.connect(self.stop_early)
        self.resume.clicked.connect(self.resume_training)

    # What each kind of training says for itself

    def _build_beside(self) -> None:
        """Add to the foot what stands beside the curves."""

    def _make_side(self, parent: QWidget) -> TrainingSide[SettingsT]:
        raise NotImplementedError(type(self))

    def _read_offer(self, project: Project) -> Offer:
        """What the form offers of a project; not on the GUI thread."""
        raise NotImplementedError(type(self))

    def _estimate(self, project: Project, settings: SettingsT) -> Effort:
        """What a training would take; not on the GUI thread."""
        raise NotImplementedError(type(self))

    # The form

    @property
    def side(self) -> TrainingSide[SettingsT]:
        """Presets and form; made when they are first wanted."""
        if self._side is None:
            self._side = self._make_side(self.side_holder)
            self._side_layout.addWidget(self._side)
            self._side.start_requested.connect(self.start)
            self._side.settings_changed.connect(self._refresh_effort)
            self._side.settings_changed.connect(self.settings_changed)
            self._side.validity_changed.connect(self.actions_outdated)
            self._fit_side()
        return self._side

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.side.show()
        self._show_run()

    @Slot()
    def _fit_side(self) -> None:
        """Read anew what the project has for the form."""
        project = self._workspace.project
        if self._side is None:
            return
        if project is None:
            self._take_offer(NOTHING)
            return

        def read(_tick: Tick) -> Offer:
            return self._read_offer(project)

        def take(offer: Offer) -> None:
            if project is self._workspace.project:
                self._take_offer(offer)

        self._workspace.background.run(read, done=take, owner=self)

    def _take_offer(self, offer: Offer) -> None:
        self._offer = offer
        self.side.fit(offer.choices, can_start=self._workspace.is_writable and offer.missing is None)
        self._refresh_effort()
        self._show_empty()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & self._records:
            self._fit_side()

    @Slot()
    def _refresh_effort(self) -> None:
        """Say what the training of the form would take."""
        project, settings, side = self._workspace.project, self.side.find_settings(), self.side
        if project is None or settings is None:
            side.show_effort("")
            return

        def read(_tick: Tick) -> Effort:
            return self._estimate(project, settings)

        def show(effort: Effort) -> None:
            if settings == side.find_settings():
                side.show_effort(effort.text, effort.warning)

        self._workspace.background.run(read, done=show, owner=side.effort)

    # The training that is shown

    def set_facts(self, facts: TrainingFacts[SettingsT] | None) -> None:
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
        facts, project = self._facts, self._workspace.project
        self.stack.setCurrentWidget(self.content if facts is not None else self.empty)
        self._show_empty()
        self._show_state()
        if facts is None or project is None:
            self.samples.set_folder(None, "")
            return
        folder, run_id = project.run_folder(facts.run.id), facts.run.id
        self.samples.set_folder(folder, waiting_words(facts))
        if not self.isVisible():
            return  # read when it is shown

        def read(_tick: Tick) -> tuple[Mapping[str, Points], tuple[str, ...]]:
            return project.runs.metrics(run_id), read_warnings(folder)

        self._workspace.background.run(read, done=lambda found: self._merge(run_id, *found), owner=self)

    def _show_empty(self) -> None:
        missing = self._offer.missing
        if self._workspace.project is None:
            self.empty.show_step(self._words.nothing, "Open a project, or make a new one.")
        elif missing is not None:
            self.empty.show_step(missing.title, missing.text, missing.button)
        else:
            self.empty.show_step(self._words.nothing, self._words.advice)

    @Slot()
    def _on_empty_button_clicked(self) -> None:
        if self._offer.missing is not None:
            self.page_requested.emit(self._offer.missing.target)

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
        for label, said in ((self.trouble, failure), (self.remarks, "\n".join(self._warnings[-MAX_WARNINGS:]))):
            label.setText(said)
            label.setVisible(bool(said))
        self.actions_outdated.emit()

    def _show_stage(self) -> None:
        self.state.setText(state_words(self._facts, f"{self._stage}{self._progress}".removeprefix(", ")))

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

    # Starting and stopping

    @Slot()
    def start(self) -> None:
        """Queue a training with the settings of the form, and show it."""
        settings = self.side.find_settings()
        if settings is not None:
            self._submit(settings)

    @Slot()
    def stop_early(self) -> None:
        """End the training that is shown; its checkpoint stays."""
        if self._facts is not None and self._facts.is_open:
            self._workspace.gpu_worker.cancel(self._facts.run.id)

    @Slot()
    def resume_training(self) -> None:
        """Go on with the training that is shown from its last checkpoint."""
        facts = self._facts
        if facts is not None and facts.can_resume and facts.settings is not None:
            self._submit(facts.settings, title=facts.run.title, resume_run=facts.run.id)

    def _submit(self, settings: SettingsT, *, title: str = "", resume_run: RunId | None = None) -> None:
        try:
            run_id = self._workspace.submit(settings, title=title, resume_run=resume_run)
        except UserError as error:
            report(error, parent=self)
            return
        self.run_started.emit(run_id)

    @property
    def can_start(self) -> bool:
        """Whether the form can be started."""
        return self._side is not None and self._side.start.isEnabled()

    @property
    def can_stop(self) -> bool:
        """Whether the shown training waits or runs."""
        return self._facts is not None and self._facts.is_open

    @property
    def can_resume(self) -> bool:
        """Whether the shown training can be gone on with."""
        return self._facts is not None and self._facts.can_resume and self._workspace.is_writable

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return training_specs(self, self._words)
