"""Studies of GANs in the window: joins their board, their form and the driver that fills the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.gan_study import GanStudyPlan, estimate_study, read_study
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.gan.study_side import StudySide
from synthstudio.gui.plan_driver import PlanDriver, course_specs
from synthstudio.gui.run_tab import REREAD_MS, RunTab
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

if TYPE_CHECKING:
    from synthstudio.gui.pages.generate.gan.study_board import StudyBoard
    from synthstudio.gui.pages.generate.gan.study_facts import StudyFacts

SIDE_WIDTH_PX = 356
MENU = "Generate"
RECORDS = frozenset({"runs", "classes", "experiments"})


class StudyPanel(RunTab[StudySide, "list[StudyFacts]"]):
    """Ablations and grids over the weights of the losses."""

    actions_outdated = Signal()
    """Other actions may be possible now."""
    training_offered = Signal(object)
    """`TrainGanSettings` of a variant, for the form of the training."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        self._content = QWidget()
        self._board: StudyBoard | None = None
        super().__init__(workspace, self._content, parent)
        self.driver = PlanDriver(workspace, self)
        self.side.setProperty("panel", True)
        self.side.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        self.side.hide()
        self._row = QHBoxLayout(self._content)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.side)
        self._estimate = QTimer(self)
        self._estimate.setSingleShot(True)
        self._estimate.setInterval(REREAD_MS)
        self._estimate.timeout.connect(self._refresh_effort)
        workspace.project_changed.connect(self.refresh)
        workspace.records_changed.connect(self._on_workspace_records_changed)
        self.driver.changed.connect(self._on_driver_changed)

    @property
    def board(self) -> StudyBoard:
        """Table and chart; made when they are first seen."""
        if self._board is None:
            from synthstudio.gui.pages.generate.gan.study_board import StudyBoard  # noqa: PLC0415 - brings the plots, 0.4 s that the start need not wait for

            board = self._board = StudyBoard(self._content)
            self._row.insertWidget(0, board, 1)
            board.new_requested.connect(self.open_form)
            board.continue_requested.connect(self.go_on)
            board.stop_requested.connect(self.driver.stop)
            board.use_requested.connect(self.use_for_training)
            board.selection_changed.connect(self.actions_outdated)
        return self._board

    @override
    def _make_form(self) -> StudySide:
        form = StudySide(self.side)
        form.start_requested.connect(self.start)
        form.settings_changed.connect(self._estimate.start)
        return form

    @override
    def _fit_form(self, form: StudySide) -> None:
        can_start = self._workspace.is_writable and not self.driver.active
        form.fit(classes=self._class_names(), taken=self.board.names, can_start=can_start)
        self._estimate.start()

    @override
    def _read_facts(self, project: Project) -> list[StudyFacts]:
        from synthstudio.gui.pages.generate.gan.study_facts import read_studies  # noqa: PLC0415 - as in `board`

        return read_studies(project)

    @override
    def _show_facts(self, facts: list[StudyFacts] | None) -> None:
        self.board.show_studies(facts or [], can_write=self._workspace.is_writable)
        self.board.show_active(self.driver.active, self.driver.job_title)
        self.actions_outdated.emit()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & RECORDS and not self._reread.isActive():
            self._reread.start()

    @Slot()
    def _on_driver_changed(self) -> None:
        if self._board is not None:
            self._board.show_active(self.driver.active, self.driver.job_title)
        self.refresh()

    @Slot()
    def _refresh_effort(self) -> None:
        """Say how much the form's plan is, and how long it takes."""
        project = self._workspace.project
        settings = self._form.find_settings() if self._form is not None else None
        if self._form is None or project is None or settings is None:
            return
        form = self._form

        def read(_tick: Tick) -> str:
            states = read_study(project, settings)
            n_done, n_jobs = sum(each.n_done for each in states), sum(len(each.stages) for each in states)
            done = f", {n_done} of them done" if n_done else ""
            words = estimate_study(project, settings, states).words
            return f"{len(states)} trainings, {n_jobs} jobs{done}; {words}."

        self._workspace.background.run(read, done=form.show_effort, owner=form)

    @Slot()
    def open_form(self) -> None:
        """Show the settings of a study beside the table, under a name that is free."""
        self._fit_form(self.form)
        self.form.offer_name()
        self.side.show()
        self.form.form.setFocus()

    @Slot()
    def start(self) -> None:
        """Begin a study with the settings of the form."""
        settings = self.form.find_settings()
        if settings is not None:
            self.side.hide()
            self.driver.start(GanStudyPlan(settings))

    @Slot()
    def go_on(self) -> None:
        """Do what is left of the study that is shown."""
        chosen = self.board.chosen
        if chosen is not None and chosen.settings is not None and self.board.can_continue:
            self.driver.start(GanStudyPlan(chosen.settings))

    @Slot()
    def use_for_training(self) -> None:
        """Put the settings of the selected variant into the form of the training."""
        found = self.board.variant
        if found is not None:
            settings, variant = found
            self.training_offered.emit(settings.train(variant, seed=settings.seed))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "gan.new_study",
                "New study of GANs…",
                self.open_form,
                icon="mdi6.flask-outline",
                menu=MENU,
                enabled_when=lambda: self._workspace.is_writable and not self.driver.active,
                tip="What each part of the GAN is good for, or which weights of its losses are best",
            ),
            ActionSpec(
                "gan.use_variant",
                "Use the variant for training",
                self.use_for_training,
                menu=MENU,
                enabled_when=lambda: self._board is not None and self._board.variant is not None,
            ),
            *course_specs(
                self.driver,
                "study",
                group="gan",
                menu=MENU,
                go_on=self.go_on,
                can_continue=lambda: self._board is not None and self._board.can_continue,
            ),
        )
