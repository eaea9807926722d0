"""The Generate workspace: three ways to make images, of which compositing is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.compositing import CompositingView
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace

SEGMENTS_WIDTH_PX = 360
WAYS = {"import": "file.import", "annotations": "go.annotate", "classes": "go.annotate"}
"""Ids of the window's actions that meet a need."""
LATER = {
    "GAN": (
        "Semantic-map GAN",
        "Training a GAN on photographs with a condition and a skin tone, and painting maps for it, comes in a later "
        "version of SynthStudio. Compositing works today.",
    ),
    "Diffusion": (
        "Diffusion from a handful of images",
        "Fine-tuning a local Stable Diffusion on ten guide images comes in a later version of SynthStudio. "
        "Compositing works today.",
    ),
}


class GeneratePage(QWidget):
    """Compositing, GAN, Diffusion."""

    title = "Generate"
    icon = "mdi6.image-multiple-outline"

    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.segments = Segments([(name, name, "") for name in ("Compositing", *LATER)], self)
        self.segments.set_value("Compositing")
        self.stack = QStackedWidget(self)
        self.compositing = CompositingView(workspace, self.stack)
        self.stack.addWidget(self.compositing)
        for title, text in LATER.values():
            self.stack.addWidget(NextStep(title, text))
        self.segments.setFixedWidth(scaled_px(SEGMENTS_WIDTH_PX))
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 0)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)
        self.segments.chosen.connect(self.choose)
        self.compositing.page_requested.connect(self._on_compositing_page_requested)

    @Slot(str)
    def _on_compositing_page_requested(self, need: str) -> None:
        """Go where the need can be met, by the window's own action: a page knows no other page."""
        self.page_requested.emit(need)
        action = self.window().findChild(QAction, WAYS.get(need, ""))
        if action is not None:
            action.trigger()

    @Slot(str)
    def choose(self, generator: str) -> None:
        """Show one of the three ways: "Compositing", "GAN" or "Diffusion"."""
        self.segments.set_value(generator)
        self.stack.setCurrentIndex(("Compositing", *LATER).index(generator))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        view = self.compositing
        return (
            ActionSpec(
                "generate.write",
                "Write set",
                view.write_set,
                shortcut="Ctrl+Return",
                icon="mdi6.content-save-outline",
                menu="Generate",
                enabled_when=view.writer.button.isEnabled,
            ),
            ActionSpec(
                "generate.seed",
                "Another seed",
                view.draw_another_seed,
                shortcut="Ctrl+R",
                icon="mdi6.dice-multiple-outline",
                menu="Generate",
                enabled_when=lambda: view.loader.bank is not None,
            ),
            ActionSpec(
                "generate.boxes",
                "Boxes in the preview",
                view.preview.boxes.toggle,
                shortcut="B",
                icon="mdi6.vector-square",
                menu="Generate",
                checked_when=view.preview.boxes.isChecked,
            ),
            *(
                ActionSpec(f"generate.{word.lower()}", f"Show {word.lower()}", _shower(view, number), menu="Generate")
                for number, word in enumerate(("Preview", "Patches", "Sets"))
            ),
        )


def _shower(view: CompositingView, number: int) -> Callable[[], None]:
    return lambda: view.tabs.setCurrentIndex(number)
