"""The Generate workspace: three ways to make images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.pages.generate.compositing import CompositingView
from synthstudio.gui.pages.generate.diffusion import DiffusionView
from synthstudio.gui.pages.generate.gan import GanView
from synthstudio.gui.pages.generate.specs import generate_specs
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace

SEGMENTS_WIDTH_PX = 360
WAYS = {
    "import": "file.import",
    "annotations": "go.annotate",
    "classes": "go.annotate",
    "export": "file.export",
}
"""Ids of the window's actions that meet a need."""
COMPOSITING, GAN, DIFFUSION = "Compositing", "GAN", "Diffusion"


class GeneratePage(QWidget):
    """Compositing, GAN, Diffusion.

    Signals:
        page_requested: (what) What would help.
        actions_outdated: Other actions may be possible now.
        actions_added: (sequence of `ActionSpec`) A part of the page was made, and this can be done in it.
    """

    title = "Generate"
    icon = "mdi6.image-multiple-outline"

    page_requested = Signal(str)
    actions_outdated = Signal()
    actions_added = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ways = (COMPOSITING, GAN, DIFFUSION)
        self.segments = Segments([(name, name, "") for name in self._ways], self)
        self.segments.set_value(COMPOSITING)
        self.stack = QStackedWidget(self)
        self.compositing = CompositingView(workspace, self.stack)
        self.gan = GanView(workspace, self.stack)
        self.diffusion = DiffusionView(workspace, self.stack)
        for way in (self.compositing, self.gan, self.diffusion):
            self.stack.addWidget(way)
        self.segments.setFixedWidth(scaled_px(SEGMENTS_WIDTH_PX))
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 0)
        bar.addWidget(self.segments)
        self._headers: dict[str, QWidget] = {GAN: self.gan.header, DIFFUSION: self.diffusion.header}
        for header in self._headers.values():
            header.hide()
            bar.addWidget(header, 4)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)
        self.segments.chosen.connect(self.choose)
        self.compositing.page_requested.connect(self._on_way_page_requested)
        workspace.recipe_offered.connect(self._on_workspace_recipe_offered)
        self.compositing.patches.selection_changed.connect(self.actions_outdated)
        self.compositing.tabs.currentChanged.connect(self.actions_outdated)
        self.compositing.preview.first_changed.connect(self.actions_outdated)
        for view in (self.gan, self.diffusion):
            view.actions_outdated.connect(self.actions_outdated)
            view.actions_added.connect(self.actions_added)
            view.page_requested.connect(self._on_way_page_requested)

    @Slot()
    def _on_workspace_recipe_offered(self) -> None:
        self.choose(COMPOSITING)

    @Slot(str)
    def _on_way_page_requested(self, need: str) -> None:
        """Go where the need can be met, by the window's own action: a page knows no other page."""
        self.page_requested.emit(need)
        trigger_action(WAYS.get(need, ""), self)

    @Slot(str)
    def choose(self, generator: str) -> None:
        """Show one of the three ways: "Compositing", "GAN" or "Diffusion"."""
        self.segments.set_value(generator)
        self.stack.setCurrentIndex(self._ways.index(generator))
        for way, header in self._headers.items():
            header.setVisible(way == generator)
        self.actions_outdated.emit()

    def build_next(self) -> bool:
        """Make one of the parts that nobody has wanted yet; False where all are there."""
        return self.gan.tabs.build_next() or self.diffusion.tabs.build_next()

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            *generate_specs(self.compositing, show=partial(self.choose, COMPOSITING)),
            *self.gan.actions(show=partial(self.choose, GAN)),
            *self.diffusion.actions(show=partial(self.choose, DIFFUSION)),
        )
