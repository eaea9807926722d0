"""Super-resolution: training an upscaler, and enlarging a set with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from synthstudio.domain.records import Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.diffusion.enlarge_panel import EnlargePanel
from synthstudio.gui.pages.generate.diffusion.upscaler_facts import UpscalerFacts
from synthstudio.gui.pages.generate.diffusion.upscaler_training import UpscalerTrainingPanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace

TRAIN, ENLARGE = "train", "enlarge"
MENU = "Generate"
SWITCH_WIDTH_PX = 220


class UpscalingPanel(QWidget):
    """A switch between the two.

    Signals:
        actions_outdated: Other actions may be possible now.
        page_requested: (what) What would help.
        run_started: (run id) A training was put into the queue here.
    """

    actions_outdated = Signal()
    page_requested = Signal(str)
    run_started = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = Segments(
            (
                (TRAIN, "Train", "An upscaler, on patches of your own images"),
                (ENLARGE, "Enlarge", "A set, by a trained upscaler or a local model"),
            ),
            self,
        )
        self.switch.setFixedWidth(scaled_px(SWITCH_WIDTH_PX))
        self.training = UpscalerTrainingPanel(workspace, self)
        self.enlarging = EnlargePanel(workspace, self)
        self.stack = QStackedWidget(self)
        for panel in (self.training, self.enlarging):
            self.stack.addWidget(panel)
            panel.actions_outdated.connect(self.actions_outdated)
            panel.page_requested.connect(self.page_requested)
        row = QHBoxLayout()
        row.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 0)
        row.addWidget(self.switch)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row)
        layout.addWidget(self.stack, 1)
        self.training.run_started.connect(self.run_started)
        self.switch.chosen.connect(self.choose)
        self.choose(TRAIN)

    @Slot(str)
    def choose(self, part: str) -> None:
        """Show the training or the enlarging."""
        self.switch.set_value(part)
        self.stack.setCurrentWidget(self.enlarging if part == ENLARGE else self.training)
        self.actions_outdated.emit()

    def show_training(self) -> None:
        """Show the training of an upscaler."""
        self.choose(TRAIN)

    def show_enlarging(self) -> None:
        """Show the enlarging of a set."""
        self.choose(ENLARGE)

    def set_facts(self, facts: UpscalerFacts | None) -> None:
        """Show a training of an upscaler, or none."""
        self.training.set_facts(facts)

    def set_run(self, run: Run | None) -> None:
        """Enlarge by the upscaler of this run."""
        self.enlarging.set_run(run)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        switches = (
            ActionSpec("diffusion.show_upscaler", "Show the training of upscalers", self.show_training, menu=MENU),
            ActionSpec("diffusion.show_enlarging", "Show the enlarging of sets", self.show_enlarging, menu=MENU),
        )
        # Both use Ctrl+Return; each while it is the one that is shown.
        parts = [replace(spec, area=panel) for panel in (self.training, self.enlarging) for spec in panel.actions()]
        return (*parts, *switches)
