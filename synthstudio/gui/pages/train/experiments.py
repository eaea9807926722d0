"""Experiments in the Train workspace: joins their panel, their form and the driver that fills the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.experiment import ExperimentPlan, read_trials
from synthstudio.client.experiment_times import estimate
from synthstudio.client.reporting.experiment import build_experiment_report
from synthstudio.core.export.report.document import Document
from synthstudio.domain.progress import Tick
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.train.experiment_facts import ExperimentFacts, read_experiments
from synthstudio.gui.pages.train.experiment_panel import ExperimentPanel
from synthstudio.gui.pages.train.experiment_side import ExperimentSide
from synthstudio.gui.plan_driver import PlanDriver, course_specs
from synthstudio.gui.report_writing import ask_where_to
from synthstudio.gui.run_tab import REREAD_MS, RunTab
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class Experiments(RunTab[ExperimentSide, list[ExperimentFacts]]):
    """Comparisons of kinds of training data, over night."""

    side_wanted = Signal()
    """`wants_side` has changed."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self.panel = ExperimentPanel()
        super().__init__(workspace, self.panel, parent)
        self.wants_side = False
        self.driver = PlanDriver(workspace, self)
        self._estimate = QTimer(self)
        self._estimate.setSingleShot(True)
        self._estimate.setInterval(REREAD_MS)
        self._estimate.timeout.connect(self._refresh_effort)
        self.panel.new_requested.connect(self.open_form)
        self.panel.continue_requested.connect(self.go_on)
        self.panel.stop_requested.connect(self.stop)
        self.panel.report_requested.connect(self.write_report)
        self.driver.changed.connect(self._on_driver_changed)

    @override
    def _make_form(self) -> ExperimentSide:
        form = ExperimentSide(self.side)
        form.start_requested.connect(self.start)
        form.settings_changed.connect(self._estimate.start)
        return form

    @override
    def _fit_form(self, form: ExperimentSide) -> None:
        can_start = self._workspace.is_writable and not self.driver.active
        form.fit(classes=self._class_names(), taken=self.panel.names, can_start=can_start)
        self._estimate.start()

    @override
    def _read_facts(self, project: Project) -> list[ExperimentFacts]:
        return read_experiments(project)

    @override
    def _show_facts(self, facts: list[ExperimentFacts] | None) -> None:
        self.panel.show_experiments(facts or [], can_write=self._workspace.is_writable)
        self.panel.show_active(self.driver.active, self.driver.job_title)

    @Slot()
    def _on_driver_changed(self) -> None:
        self.panel.show_active(self.driver.active, self.driver.job_title)
        self.refresh()

    @Slot()
    def _refresh_effort(self) -> None:
        """Say how much the form's plan is, and how long it takes."""
        project = self._workspace.project
        settings = self._form.form.find_settings() if self._form is not None else None
        if self._form is None or project is None or settings is None:
            return
        form = self._form

        def read(_tick: Tick) -> str:
            states = read_trials(project, settings)
            n_done, n_jobs = sum(each.n_done for each in states), sum(len(each.stages) for each in states)
            done = f", {n_done} of them done" if n_done else ""
            time_left = estimate(project, settings, states).words
            return f"{len(states)} trainings, {n_jobs} jobs{done}; {time_left}."

        self._workspace.background.run(read, done=form.show_effort, owner=self)

    @Slot()
    def open_form(self) -> None:
        """Show the settings of an experiment beside the table, under a name that is free."""
        self._fit_form(self.form)
        self.form.offer_name()
        self.form.form.setFocus()
        self._want_side(wanted=True)

    def _want_side(self, *, wanted: bool) -> None:
        self.wants_side = wanted
        self.side_wanted.emit()

    @Slot()
    def start(self) -> None:
        """Begin an experiment with the settings of the form."""
        settings = self.form.form.find_settings()
        if settings is not None:
            self.driver.start(ExperimentPlan(settings))
            self._want_side(wanted=False)

    @Slot()
    def go_on(self) -> None:
        """Do what is left of the experiment that is shown."""
        chosen = self.panel.chosen
        if chosen is not None and chosen.settings is not None and self.panel.can_continue:
            self.driver.start(ExperimentPlan(chosen.settings))

    @Slot()
    def stop(self) -> None:
        """Cancel the experiment that is under way; what is finished stays."""
        self.driver.stop()

    @Slot()
    def write_report(self) -> None:
        """Ask where to, and write the report of the experiment that is shown."""
        project, chosen = self._workspace.project, self.panel.chosen
        if project is None or chosen is None or not self.panel.has_scores:
            return
        name = chosen.name

        def build(tick: Tick) -> Document:
            return build_experiment_report(project, name, tick=tick)

        ask_where_to(self._workspace, build, name=name.replace(" ", "-"), parent=self)

    def actions(self, open_experiment: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word
        """What can be done here; `open_experiment` shows this panel with its form."""
        return (
            ActionSpec(
                "train.new_experiment",
                "New experiment…",
                open_experiment,
                icon="mdi6.flask-outline",
                menu="Train",
                enabled_when=lambda: self._workspace.is_writable and not self.driver.active,
                tip="Compare what is learnt from real images, synthetic ones and both, on the test images",
            ),
            ActionSpec(
                "train.report_experiment",
                "Report of the experiment…",
                self.write_report,
                icon="mdi6.file-document-outline",
                menu="Train",
                enabled_when=lambda: self.panel.has_scores,
            ),
            *course_specs(
                self.driver,
                "experiment",
                group="train",
                menu="Train",
                go_on=self.go_on,
                can_continue=lambda: self.panel.can_continue,
            ),
        )
