"""The semantic-map GAN: its trainings, and what is done with them, one tab each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.gan.batch_panel import BatchPanel
from synthstudio.gui.pages.generate.gan.crops_panel import GanCropsPanel
from synthstudio.gui.pages.generate.gan.editor_panel import MapEditorPanel
from synthstudio.gui.pages.generate.gan.measure_panel import MeasurePanel
from synthstudio.gui.pages.generate.gan.run_facts import GanFacts, read_gans
from synthstudio.gui.pages.generate.gan.study_panel import StudyPanel
from synthstudio.gui.pages.generate.gan.sweep_panel import SweepPanel
from synthstudio.gui.pages.generate.gan.training_panel import GanTrainingPanel
from synthstudio.gui.pages.generate.trainings.run_bar import RunBar
from synthstudio.gui.widgets.lazy_tabs import LazyTabs
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.train_gan import TrainGanSettings

MENU = "Generate"
CROPS, TRAINING, EDITOR, SWEEP, BATCHES, MEASURE, STUDY = (
    "Crops",
    "Training",
    "Editor",
    "Sweep",
    "Batches",
    "Measure",
    "Study",
)


class GanUser(Protocol):
    """A panel that makes images with a trained GAN."""

    def set_run(self, run: Run | None) -> None:
        """Use this trained GAN; None where there is none that could make images."""


class GanView(QWidget):
    """The panels that use a GAN; as a header the choice of one.

    Signals:
        actions_outdated: Other actions may be possible now.
        actions_added: (sequence of `ActionSpec`) A panel was made, and this can be done in it.
        page_requested: (what) What would help: "annotations".
    """

    actions_outdated = Signal()
    actions_added = Signal(object)
    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._shared: TrainGanSettings | None = None  # what decides about the crops, in whose form it was set
        self.runs = RunBar(workspace, read_gans, self, name="Trained GAN", nothing="No GAN has been trained yet")
        self.tabs = LazyTabs(self)
        for title, panel_class in {
            CROPS: GanCropsPanel,
            TRAINING: GanTrainingPanel,
            EDITOR: MapEditorPanel,
            SWEEP: SweepPanel,
            BATCHES: BatchPanel,
            MEASURE: MeasurePanel,
            STUDY: StudyPanel,
        }.items():
            self.tabs.add_panel(title, lambda holder, make=panel_class: make(workspace, holder))  # type: ignore[misc]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs, 1)
        self.runs.facts_shown.connect(self._on_runs_facts_shown)
        self.runs.run_given.connect(self._on_runs_run_given)
        self.tabs.panel_built.connect(self._on_tabs_panel_built)
        self.tabs.actions_outdated.connect(self.actions_outdated)
        self.tabs.actions_added.connect(self.actions_added)
        self.tabs.page_requested.connect(self.page_requested)

    # The panels, each made when it is first wanted

    @property
    def crops(self) -> GanCropsPanel:
        return cast("GanCropsPanel", self.tabs.panel(CROPS))

    @property
    def training(self) -> GanTrainingPanel:
        return cast("GanTrainingPanel", self.tabs.panel(TRAINING))

    @property
    def editor(self) -> MapEditorPanel:
        return cast("MapEditorPanel", self.tabs.panel(EDITOR))

    @property
    def sweep(self) -> SweepPanel:
        return cast("SweepPanel", self.tabs.panel(SWEEP))

    @property
    def batches(self) -> BatchPanel:
        return cast("BatchPanel", self.tabs.panel(BATCHES))

    @property
    def measure(self) -> MeasurePanel:
        return cast("MeasurePanel", self.tabs.panel(MEASURE))

    @property
    def study(self) -> StudyPanel:
        return cast("StudyPanel", self.tabs.panel(STUDY))

    @Slot(str, object)
    def _on_tabs_panel_built(self, _title: str, panel: QWidget) -> None:
        """Join a new panel with the runs, and with the panels that it works with."""
        match panel:
            case GanTrainingPanel():
                panel.run_started.connect(self.runs.await_run)
                if self._shared is not None:
                    panel.take_crops(self._shared)
                panel.settings_changed.connect(self._on_training_settings_changed)
                panel.set_facts(self.runs.chosen)
            case GanCropsPanel():
                if self._shared is not None:
                    panel.take_settings(self._shared)
                panel.settings_changed.connect(self._on_crops_settings_changed)
            case SweepPanel():
                panel.set_base_source(self._find_drawn_map)
            case StudyPanel():
                panel.training_offered.connect(self._on_study_training_offered)
            case _:
                pass
        if hasattr(panel, "set_run"):
            cast("GanUser", panel).set_run(self.runs.given)

    @property
    def choice(self) -> QComboBox:
        """The choice of a training."""
        return self.runs.choice

    @property
    def header(self) -> QWidget:
        """What stands above, beside the ways to make images."""
        return self.runs

    @property
    def chosen(self) -> GanFacts | None:
        """The training that is shown."""
        return self.runs.chosen

    def _find_drawn_map(self) -> MapRequest | None:
        """The map that is drawn in the editor."""
        editor = self.tabs.panels.get(EDITOR)
        if not isinstance(editor, MapEditorPanel):
            return None
        state, gan = editor.editing.present_state(), editor.editing.gan
        return state.request(gan.names) if state is not None and gan is not None else None

    @Slot(object)
    def await_run(self, run_id: RunId) -> None:
        """Choose a run as soon as it is among the project's."""
        self.runs.await_run(run_id)

    @Slot()
    def refresh(self) -> None:
        """Read the trainings anew, where the view is seen."""
        self.runs.refresh()

    @Slot(object)
    def _on_runs_facts_shown(self, facts: GanFacts | None) -> None:
        panel = self.tabs.panels.get(TRAINING)
        if isinstance(panel, GanTrainingPanel):
            panel.set_facts(facts)
        self.actions_outdated.emit()

    @Slot(object)
    def _on_runs_run_given(self, run: Run | None) -> None:
        for panel in self.tabs.panels.values():
            if hasattr(panel, "set_run"):
                cast("GanUser", panel).set_run(run)
        self.actions_outdated.emit()

    @Slot(object)
    def _on_crops_settings_changed(self, settings: TrainGanSettings) -> None:
        self._shared = settings
        panel = self.tabs.panels.get(TRAINING)
        if isinstance(panel, GanTrainingPanel):
            panel.take_crops(settings)

    @Slot(object)
    def _on_training_settings_changed(self, settings: TrainGanSettings) -> None:
        self._shared = settings
        panel = self.tabs.panels.get(CROPS)
        if isinstance(panel, GanCropsPanel):
            panel.take_settings(settings)

    @Slot(object)
    def _on_study_training_offered(self, settings: TrainGanSettings) -> None:
        self.training.side.form.set_settings(settings)
        self.show_tab(TRAINING)

    def show_tab(self, title: str) -> None:
        """Show one of the tabs, by its title."""
        self.tabs.show_tab(title)

    def actions(self, show: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here.

        Args:
            show: Shows this view in place of the other ways to make images.
        """
        tabs = self.tabs.tab_specs("gan", text="Show {} of the GAN", menu=MENU, show=show)
        return (*self.tabs.panel_specs(), *tabs)
