"""Rounds in the Train workspace: joins their panel, their form and the driver, and begins rounds by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.round_times import estimate_round
from synthstudio.client.rounds import RoundPlan, next_round
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.train.round_facts import RoundsFacts, read_round_facts
from synthstudio.gui.pages.train.round_panel import RoundPanel
from synthstudio.gui.pages.train.round_side import RoundSide
from synthstudio.gui.plan_driver import PlanDriver, course_specs
from synthstudio.gui.run_tab import REREAD_MS, RunTab, set_choices
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.round import RoundSettings

LOOK_MS = 2000
"""After the last click, how long until it is asked whether enough is new for the next round."""


class Rounds(RunTab[RoundSide, RoundsFacts]):
    """Annotate, train, score, suggest, and again.

    Rounds by themselves need no hand and no look at this tab: what the expert clicks elsewhere sets them off.
    """

    side_wanted = Signal()
    """`wants_side` has changed."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self.panel = RoundPanel()
        super().__init__(workspace, self.panel, parent)
        self.wants_side = False
        self.n_automatic = 0
        """Rounds that began by themselves since that was wished for."""
        self.driver = PlanDriver(workspace, self)
        self._estimate = _timer(self, REREAD_MS, self._refresh_effort)
        self._look = _timer(self, LOOK_MS, self._look_for_news)
        self.panel.next_requested.connect(self.start)
        self.panel.continue_requested.connect(self.go_on)
        self.panel.stop_requested.connect(self.stop)
        self.panel.settings_requested.connect(self.toggle_form)
        self.panel.automatic_changed.connect(self._on_panel_automatic_changed)
        self.driver.changed.connect(self._on_driver_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        workspace.project_changed.connect(self._on_workspace_project_changed)

    @override
    def _make_form(self) -> RoundSide:
        form = RoundSide(self.side)
        form.start_requested.connect(self.start)
        form.settings_changed.connect(self._estimate.start)
        newest = self.panel.facts.newest if self.panel.facts is not None else None
        if newest is not None and newest.settings is not None:
            form.form.set_settings(_unnamed(newest.settings))
        return form

    @override
    def _fit_form(self, form: RoundSide) -> None:
        form.offer_sets(set_choices(self._workspace.project))
        form.fit(classes=self._class_names(), taken=(), can_start=self.panel.can_begin)
        self._estimate.start()

    @override
    def _read_facts(self, project: Project) -> RoundsFacts:
        return read_round_facts(project)

    @override
    def _show_facts(self, facts: RoundsFacts | None) -> None:
        self.panel.show_rounds(facts, can_write=self._workspace.is_writable)
        self.panel.show_active(self.driver.active, self.driver.job_title)

    @property
    def chosen(self) -> RoundSettings | None:
        """Settings of the next round: those of the form, else of the newest round, else the defaults."""
        if self._form is not None:
            return self._form.find_settings()
        newest = self.panel.facts.newest if self.panel.facts is not None else None
        return _unnamed(newest.settings) if newest is not None and newest.settings is not None else RoundSettings()

    @Slot()
    def _on_driver_changed(self) -> None:
        self.panel.show_active(self.driver.active, self.driver.job_title)
        self.refresh()
        if self.driver.failed:
            self.panel.automatic.setChecked(False)  # the same would be told again and again
        if not self.driver.active:
            self._look.start()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "annotations" in changed.kinds:
            self._look.start()
            self._reread.start()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.panel.automatic.setChecked(False)  # was wished for another project

    @Slot()
    def _on_panel_automatic_changed(self) -> None:
        self.n_automatic = 0
        self._look.start()

    @Slot()
    def _look_for_news(self) -> None:
        """Begin the next round where it is wished for and enough is new."""
        project, panel = self._workspace.project, self.panel
        is_wished = panel.automatic.isChecked() and self.n_automatic < panel.at_most.value()
        if project is None or not is_wished or self.driver.active or not self._workspace.is_writable:
            return
        wanted = panel.after.value()

        def is_due(_tick: Tick) -> bool:
            facts = read_round_facts(project)
            is_over = facts.newest is None or facts.newest.is_complete
            return is_over and facts.n_new >= wanted

        def begin(due: object) -> None:
            if due and panel.automatic.isChecked() and not self.driver.active:
                self.n_automatic += 1
                self.start()

        self._workspace.background.run(is_due, done=begin, owner=self)

    @Slot()
    def _refresh_effort(self) -> None:
        """Say how long a round with the form's settings takes."""
        project, form = self._workspace.project, self._form
        settings = form.find_settings() if form is not None else None
        if form is None or project is None or settings is None:
            return

        def read(_tick: Tick) -> str:
            return f"One round: {estimate_round(project, next_round(project, settings)).words}."

        self._workspace.background.run(read, done=form.show_effort, owner=self)

    @Slot()
    def open_form(self) -> None:
        """Show the settings of the next round beside the curve."""
        self._fit_form(self.form)
        self._want_side(wanted=True)

    @Slot()
    def toggle_form(self) -> None:
        """Show the settings, or put them away."""
        if self.wants_side:
            self._want_side(wanted=False)
        else:
            self.open_form()

    def _want_side(self, *, wanted: bool) -> None:
        self.wants_side = wanted
        self.side_wanted.emit()

    @Slot()
    def start(self) -> None:
        """Begin the next round."""
        project, settings = self._workspace.project, self.chosen
        if project is None or settings is None or self.driver.active:
            return

        def plan(_tick: Tick) -> RoundPlan:
            return next_round(project, settings)

        self._workspace.background.run(plan, done=self.driver.start, owner=self)

    @Slot()
    def go_on(self) -> None:
        """Do what is left of the newest round."""
        newest = self.panel.facts.newest if self.panel.facts is not None else None
        if newest is not None and newest.settings is not None and self.panel.can_continue:
            self.driver.start(RoundPlan(newest.settings))

    @Slot()
    def stop(self) -> None:
        """Cancel the round that is under way, and begin none by itself; what is finished stays."""
        self.panel.automatic.setChecked(False)
        self.driver.stop()

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "train.next_round",
                "Next round",
                self.start,
                icon="mdi6.autorenew",
                menu="Train",
                enabled_when=lambda: self._workspace.is_writable and not self.driver.active,
                tip="Train on the annotations so far, score on the test images, suggest what is missing",
            ),
            *course_specs(
                self.driver,
                "round",
                group="train",
                menu="Train",
                go_on=self.go_on,
                can_continue=lambda: self.panel.can_continue,
                stop=self.stop,
            ),
        )


def _unnamed(settings: RoundSettings) -> RoundSettings:
    return settings.model_copy(update={"name": "", "begins_with": ""})


def _timer(parent: Rounds, interval_ms: int, called: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(called)
    return timer
