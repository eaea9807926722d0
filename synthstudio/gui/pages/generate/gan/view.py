"""The semantic-map GAN: its trainings, and what is done with them, one tab each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.gan.batch_panel import BatchPanel
from synthstudio.gui.pages.generate.gan.crops_panel import GanCropsPanel
from synthstudio.gui.pages.generate.gan.editor_panel import MapEditorPanel
from synthstudio.gui.pages.generate.gan.measure_panel import MeasurePanel
from synthstudio.gui.pages.generate.gan.run_facts import GanFacts, read_gans
from synthstudio.gui.pages.generate.gan.study_panel import StudyPanel
from synthstudio.gui.pages.generate.gan.sweep_panel import SweepPanel
from synthstudio.gui.pages.generate.gan.training_panel import GanTrainingPanel
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.page_tabs import PageTabs
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.train_gan import TrainGanSettings

REREAD_MS = 300
"""A running job tells several things at once; its records are read once for all of them."""
MENU = "Generate"
NO_GAN = "No GAN has been trained yet"


class GanUser(Protocol):
    """A panel that makes images with a trained GAN; it has `actions` besides, as pages have."""

    def set_run(self, run: Run | None) -> None:
        """Use this trained GAN; None where there is none that could make images."""


class GanView(QWidget):
    """The choice of a GAN above, the panels that use it below."""

    actions_outdated = Signal()
    """Other actions may be possible now."""
    page_requested = Signal(str)
    """What would help: "annotations"."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._gans: list[GanFacts] = []
        self._awaited: RunId | None = None  # to be chosen as soon as it is among the runs
        self._given: Run | None = None  # what the panels use
        self._is_stale = True
        self.choice = RunChoice("GAN", self, follows_newest=False)
        self.tabs = PageTabs(self)
        self.crops = GanCropsPanel(workspace, self)
        self.training = GanTrainingPanel(workspace, self)
        self.editor = MapEditorPanel(workspace, self)
        self.sweep = SweepPanel(workspace, self)
        self.batches = BatchPanel(workspace, self)
        self.measure = MeasurePanel(workspace, self)
        self.study = StudyPanel(workspace, self)
        self._users: tuple[GanUser, ...] = (self.crops, self.editor, self.sweep, self.batches, self.measure)
        self._panels: dict[str, QWidget] = {
            "Crops": self.crops,
            "Training": self.training,
            "Editor": self.editor,
            "Sweep": self.sweep,
            "Batches": self.batches,
            "Measure": self.measure,
            "Study": self.study,
        }
        for title, panel in self._panels.items():
            self.tabs.addTab(panel, title)
        self._lay_out()
        self._reread = QTimer(self)
        self._reread.setSingleShot(True)
        self._reread.setInterval(REREAD_MS)
        self._connect()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        label = QLabel("GAN", self)
        label.setBuddy(self.choice)
        bar.addWidget(label)
        bar.addWidget(self.choice, 1)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._workspace.gpu_worker.job_started.connect(self._on_worker_job_started)
        self._reread.timeout.connect(self.refresh)
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.tabs.currentChanged.connect(self.actions_outdated)
        self.training.run_started.connect(self.await_run)
        for panel in (self.crops, self.training, self.editor, self.sweep, self.batches, self.measure, self.study):
            panel.actions_outdated.connect(self.actions_outdated)
        self.sweep.set_base_source(self._find_drawn_map)
        self.crops.settings_changed.connect(self.training.take_crops)
        self.training.settings_changed.connect(self.crops.take_settings)
        self.study.training_offered.connect(self._on_study_training_offered)
        self.crops.page_requested.connect(self.page_requested)

    @property
    def chosen(self) -> GanFacts | None:
        """The training that is shown."""
        run_id = self.choice.currentData()
        return next((each for each in self._gans if each.run.id == run_id), None)

    def _find_drawn_map(self) -> MapRequest | None:
        """The map that is drawn in the editor."""
        editing = self.editor.editing
        state, gan = editing.present_state(), editing.gan
        return state.request(gan.names) if state is not None and gan is not None else None

    @Slot(object)
    def await_run(self, run_id: RunId) -> None:
        """Choose a run as soon as it is among the project's."""
        self._awaited = run_id
        self.refresh()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the trainings anew, off the GUI thread, where the view is seen."""
        self._is_stale = not self.isVisible()
        project = self._workspace.project
        if self._is_stale:
            return
        if project is None:
            self._show([])
            return

        def read(_tick: Tick) -> list[GanFacts]:
            return read_gans(project)

        self._workspace.background.run(read, done=self._show, owner=self)

    def _show(self, gans: list[GanFacts]) -> None:
        self._gans = gans
        self.choice.show_runs([(each.line, each.run.id) for each in gans])
        self.choice.setEnabled(bool(gans))
        self.choice.setPlaceholderText(NO_GAN)
        place = self.choice.findData(self._awaited) if self._awaited is not None else -1
        if place >= 0:
            self._awaited = None
            self.choice.blockSignals(True)
            self.choice.setCurrentIndex(place)
            self.choice.blockSignals(False)
        self._show_chosen()

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        self.choice.setToolTip(chosen.line if chosen is not None else NO_GAN)
        self.training.set_facts(chosen)
        usable = chosen.run if chosen is not None and chosen.has_generator else None
        if usable != self._given:
            self._given = usable
            for panel in self._users:
                panel.set_run(usable)
        self.actions_outdated.emit()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._awaited = None
        self._gans = []
        self._show([])
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if "runs" in changed.kinds:
            self._reread.start()

    @Slot(object)
    def _on_study_training_offered(self, settings: TrainGanSettings) -> None:
        self.training.side.form.set_settings(settings)
        self.show_tab("Training")

    @Slot(str)
    def _on_worker_job_started(self, _run_id: str) -> None:
        self._reread.start()  # what waited runs now

    def show_tab(self, title: str) -> None:
        """Show one of the tabs, by its title."""
        self.tabs.setCurrentWidget(self._panels[title])

    def actions(self, show: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here; a panel's actions rest while another one is shown.

        Args:
            show: Shows this view in place of the other ways to make images.
        """

        def show_tab(title: str) -> None:
            show()
            self.show_tab(title)

        own = [
            replace(spec, enabled_when=partial(_can_do, panel, spec.enabled_when), area=panel)
            for panel in self._panels.values()
            for spec in _specs_of(panel)
        ]
        tabs = [
            ActionSpec(
                f"gan.show_{title.lower()}", f"Show {title.lower()} of the GAN", partial(show_tab, title), menu=MENU
            )
            for title in self._panels
        ]
        return (*own, *tabs)


def _specs_of(panel: QWidget) -> Sequence[ActionSpec]:
    return panel.actions()  # type: ignore[return-value]  # the pages' word, see `GanUser`


def _can_do(panel: QWidget, condition: Callable[[], bool]) -> bool:
    return panel.isVisible() and condition()
