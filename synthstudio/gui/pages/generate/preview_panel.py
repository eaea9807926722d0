"""The preview as it is seen: the grid, its few controls, and what is to be expected."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.records import ObjectClass, Role
from synthstudio.gui.pages.generate.preview import PlacementFacts, PreviewSlice
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import Chip, ClassChips
from synthstudio.gui.widgets.image_grid import MAX_ZOOM, GridImage, ImageGrid
from synthstudio.gui.widgets.inset import inset_number

DEFAULT_IMAGES, MAX_IMAGES = 6, 48
ZOOM_STEPS = 100
LAST_IMAGE = 9_999_999
FIRST_PX = 92


class PreviewPanel(QWidget):
    """Shows slices as they come; an image stays until its successor is there."""

    seed_requested = Signal()
    count_changed = Signal(int)
    first_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[GridImage] = []
        self.latency_s = 0.0
        """Time from the last wish to its first picture being handed to the grid."""
        self.grid = ImageGrid(self)
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.boxes.setToolTip("Show what the labels say: dotted boxes give no label (artifacts, hidden objects).")
        self.count = QSpinBox(self)
        inset_number(self.count)
        self.count.setRange(1, MAX_IMAGES)
        self.count.setValue(DEFAULT_IMAGES)
        self.count.setAccessibleName("Images in the preview")
        self.first = QSpinBox(self)
        inset_number(self.first)
        self.first.setRange(0, LAST_IMAGE)
        self.first.setKeyboardTracking(False)
        self.first.setFixedWidth(scaled_px(FIRST_PX))
        self.first.setAccessibleName("First image in the preview")
        self.first.setToolTip("Image 500 is the same here and in every set of these settings and this seed.")
        self.back = self._arrow(Qt.ArrowType.LeftArrow, "Images before these", self.go_back)
        self.forth = self._arrow(Qt.ArrowType.RightArrow, "Images after these", self.go_forth)
        self.zoom = QSlider(Qt.Orientation.Horizontal, self)
        self.zoom.setRange(0, ZOOM_STEPS)
        self.zoom.setFixedWidth(120)
        self.zoom.setAccessibleName("Zoom")
        self.seed = QPushButton("Another seed", self)
        self.seed.setToolTip("Draw other images from the same settings")
        self.chips = ClassChips(self)
        self.facts = QLabel(self)
        for label in (self.chips, self.facts):
            label.setProperty("muted", True)
        self.back.setEnabled(False)
        self._lay_out()
        self.boxes.toggled.connect(self.grid.set_boxes_visible)
        self.count.valueChanged.connect(self.count_changed)
        self.first.valueChanged.connect(self._on_first_value_changed)
        self.zoom.valueChanged.connect(self._on_zoom_value_changed)
        self.grid.zoom_changed.connect(self._on_grid_zoom_changed)
        self.grid.image_activated.connect(self._on_grid_image_activated)
        self.seed.clicked.connect(self.seed_requested)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.boxes)
        bar.addSpacing(2 * GRID_PX)
        bar.addWidget(QLabel("Images", self))
        bar.addWidget(self.count)
        bar.addWidget(QLabel("from", self))
        bar.addWidget(self.back)
        bar.addWidget(self.first)
        bar.addWidget(self.forth)
        bar.addSpacing(2 * GRID_PX)
        bar.addWidget(QLabel("Zoom", self))
        bar.addWidget(self.zoom)
        bar.addStretch(1)
        bar.addWidget(self.seed)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        foot.setSpacing(2)
        foot.addWidget(self.facts)
        foot.addWidget(self.chips)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.grid, 1)
        layout.addLayout(foot)

    def _arrow(self, arrow: Qt.ArrowType, name: str, step: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(step)
        return button

    def go_back(self) -> None:
        """Show the images before these."""
        self.first.setValue(self.first.value() - self.count.value())

    def go_forth(self) -> None:
        """Show the images after these."""
        self.first.setValue(self.first.value() + self.count.value())

    @Slot(int)
    def _on_first_value_changed(self, first: int) -> None:
        self.back.setEnabled(first > 0)
        self.first_changed.emit(first)

    def clear(self, placeholder: str = "") -> None:
        """Show nothing, and say why."""
        self._images = []
        self.grid.set_images(())
        self.grid.set_placeholder(placeholder)
        self.facts.clear()

    def show_slice(self, made: PreviewSlice) -> None:
        """Put the images of a slice in their places."""
        if made.first == 0:
            self.latency_s = time.perf_counter() - made.wish.asked_at
        del self._images[made.wish.n_images :]
        for offset, image in enumerate(made.images):
            index = made.first + offset
            if index < len(self._images):
                self._images[index] = image
            else:
                self._images.append(image)
        self.grid.set_images(self._images)
        if made.facts is not None:
            self._show_facts(made.facts, made.wish.bank.classes)

    def _show_facts(self, facts: PlacementFacts, classes: Sequence[ObjectClass]) -> None:
        lost = 1 - facts.n_placed / facts.n_wanted if facts.n_wanted else 0.0
        text = f"About {facts.n_placed:.1f} objects on an image"
        if lost >= 0.005:
            text += f"; {lost:.0%} of those drawn find no place"
            self.facts.setToolTip("Enlarge the canvas, allow more overlap, or draw fewer objects.")
        self.facts.setText(text + ".")
        chips = []
        for item in classes:
            mean, share = facts.mean_by_class.get(item.id, 0.0), facts.presence_by_class.get(item.id, 0.0)
            role = "" if item.role is Role.OBJECT else ", unlabelled"
            chips.append(Chip(item.color, item.name, f"{mean:.1f} an image, on {share:.0%}{role}"))
        self.chips.set_chips(chips)

    @Slot(int)
    def _on_zoom_value_changed(self, position: int) -> None:
        self.grid.set_zoom(MAX_ZOOM ** (position / ZOOM_STEPS))

    @Slot(float)
    def _on_grid_zoom_changed(self, zoom: float) -> None:
        from_grid = round(ZOOM_STEPS * math.log(zoom) / math.log(MAX_ZOOM))
        self.zoom.blockSignals(True)
        self.zoom.setValue(from_grid)
        self.zoom.blockSignals(False)

    @Slot(int)
    def _on_grid_image_activated(self, index: int) -> None:
        """A double click enlarges to one image in the view, and back."""
        self.grid.set_zoom(1.0 if self.grid.zoom > 1.0 else MAX_ZOOM / 4)
        tile = self.grid.tile_rect(index)
        bar = self.grid.verticalScrollBar()
        bar.setValue(bar.value() + round(tile.center().y() - self.grid.viewport().height() / 2))
