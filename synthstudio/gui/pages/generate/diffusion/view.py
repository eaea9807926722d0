"""Diffusion models: bringing them in, tuning them, and making images with them, one tab each."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.diffusion.run_facts import read_from_scratch, read_tuned
from synthstudio.gui.pages.generate.diffusion.upscaler_facts import read_upscalers
from synthstudio.gui.pages.generate.trainings.run_bar import AnyRunBar, RunBar
from synthstudio.gui.widgets.lazy_tabs import LazyTabs
from synthstudio.gui.workspace import Workspace

MENU = "Generate"


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """Where a panel comes from. Its module is loaded when the panel is first shown."""

    title: str
    module: str
    class_name: str

    def build(self, workspace: Workspace, parent: QWidget) -> QWidget:
        """Load and make the panel."""
        module = importlib.import_module(f"synthstudio.gui.pages.generate.diffusion.{self.module}")
        panel_class: type[QWidget] = getattr(module, self.class_name)
        return panel_class(workspace, parent)  # type: ignore[arg-type]  # every panel takes both


PANELS: tuple[PanelEntry, ...] = (
    PanelEntry("Models", "models_panel", "ModelsPanel"),
    PanelEntry("Guides", "guides_panel", "GuidesPanel"),
    PanelEntry("Training", "training_panel", "TunedTrainingPanel"),
    PanelEntry("From scratch", "scratch_panel", "ScratchPanel"),
    PanelEntry("Images", "prompts_panel", "PromptsPanel"),
    PanelEntry("Patches", "patches_panel", "PatchesPanel"),
    PanelEntry("Upscaling", "upscaling_panel", "UpscalingPanel"),
)
"""The tabs from left to right: Models, Guides, Training, From scratch, Images, Patches, Upscaling."""
TUNED, FROM_SCRATCH, UPSCALING = ("Training", "Images"), ("From scratch", "Patches"), ("Upscaling",)
"""Tabs that work with one and the same model."""


class DiffusionView(QWidget):
    """The panels; as a header the choice of a trained model, where the shown one works with one.

    A panel gets the run that it can make images with by `set_run`, and what is known of the chosen training by
    `set_facts`, where it has them.

    Signals:
        actions_outdated: Other actions may be possible now.
        actions_added: (sequence of `ActionSpec`) A panel was made, and this can be done in it.
        page_requested: (what) What would help: "import" or "annotations".
    """

    actions_outdated = Signal()
    actions_added = Signal(object)
    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = QWidget(self)
        """What stands above, beside the ways to make images."""
        self.tuned = RunBar(
            workspace, read_tuned, self.header, name="Fine-tuned model", nothing="None has been trained yet"
        )
        self.scratch = RunBar(
            workspace, read_from_scratch, self.header, name="Model from scratch", nothing="None has been trained yet"
        )
        self.upscalers = RunBar(
            workspace, read_upscalers, self.header, name="Upscaler", nothing="None has been trained yet"
        )
        self._bars = ((self.tuned, TUNED), (self.scratch, FROM_SCRATCH), (self.upscalers, UPSCALING))
        self.tabs = LazyTabs(self)
        for entry in PANELS:
            self.tabs.add_panel(entry.title, lambda holder, entry=entry: entry.build(workspace, holder))  # type: ignore[misc]
        row = QHBoxLayout(self.header)
        row.setContentsMargins(0, 0, 0, 0)
        for each, _ in self._bars:
            row.addWidget(each)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs, 1)
        for bar, titles in self._bars:
            bar.facts_shown.connect(lambda facts, titles=titles: self._tell(titles, "set_facts", facts))
            bar.run_given.connect(lambda run, titles=titles: self._tell(titles, "set_run", run))
        self.tabs.panel_built.connect(self._on_tabs_panel_built)
        self.tabs.currentChanged.connect(self._show_bar)
        self.tabs.actions_outdated.connect(self.actions_outdated)
        self.tabs.actions_added.connect(self.actions_added)
        self.tabs.page_requested.connect(self._on_tabs_page_requested)
        self._show_bar()

    def _bar_of(self, title: str) -> AnyRunBar | None:
        return next((bar for bar, titles in self._bars if title in titles), None)

    @Slot(str, object)
    def _on_tabs_panel_built(self, title: str, panel: QWidget) -> None:
        """Join a new panel with the runs that it works with."""
        bar = self._bar_of(title)
        if bar is None:
            return
        run_started = getattr(panel, "run_started", None)
        if run_started is not None:
            run_started.connect(bar.await_run)
        checkpoints = getattr(panel, "checkpoints", None)
        if checkpoints is not None:
            checkpoints.use_requested.connect(self._on_checkpoints_use_requested)
        _tell(panel, "set_facts", bar.chosen)
        _tell(panel, "set_run", bar.given)

    @Slot(int)
    def _on_checkpoints_use_requested(self, step: int) -> None:
        """Make images with a checkpoint of the chosen model."""
        self.show_tab("Images")
        _tell(self.panel("Images"), "set_checkpoint", step)

    def _tell(self, titles: Sequence[str], what: str, value: object) -> None:
        panels = self.tabs.panels
        for title in titles:
            if title in panels:
                _tell(panels[title], what, value)
        self.actions_outdated.emit()

    @Slot()
    def _show_bar(self) -> None:
        shown = self._bar_of(self.tabs.tabText(self.tabs.currentIndex()))
        for bar, _ in self._bars:
            bar.setVisible(bar is shown)

    @Slot(str)
    def _on_tabs_page_requested(self, need: str) -> None:
        if need in self.tabs.titles:
            self.show_tab(need)
        else:
            self.page_requested.emit(need)

    def show_tab(self, title: str) -> None:
        """Show one of the tabs, by its title."""
        self.tabs.show_tab(title)

    def panel(self, title: str) -> QWidget:
        """A panel, by the title of its tab; made now where nobody has wanted it before."""
        return self.tabs.panel(title)

    def actions(self, show: Callable[[], None]) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here.

        Args:
            show: Shows this view in place of the other ways to make images.
        """
        tabs = self.tabs.tab_specs("diffusion", text="Show {} of diffusion", menu=MENU, show=show)
        return (*self.tabs.panel_specs(), *tabs)


def _tell(panel: QWidget, what: str, value: object) -> None:
    method = getattr(panel, what, None)
    if method is not None:
        method(value)
