"""Many crops at once, as pictures, as maps, or both beside one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QSpinBox, QToolButton, QVBoxLayout, QWidget

from synthstudio.core.synthesis.region_crops import PlannedCrop
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.gui.pages.generate.gan.crop_reader import CutCrop
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.image_grid import MAX_ZOOM, GridBox, GridImage, ImageGrid
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.segments import Segments

Look = Literal["crop", "map", "both"]
LOOKS: tuple[tuple[Look, str, str], ...] = (
    ("crop", "Crops", "What the GAN learns to make"),
    ("map", "Maps", "What it is given: red is the tone, green and blue the condition"),
    ("both", "Both", "Crop and map beside one another"),
)
DEFAULT_CROPS, MAX_CROPS = 24, 100
COUNT_PX, FIRST_PX, ZOOM_PX, ZOOM_STEPS = 72, 92, 100, 100
GAP_PX = 2


class CropPictures(QWidget):
    """The grid and its few controls. A crop stays until its successor is there.

    Signals:
        range_changed: Other crops are to be seen: `first` and `count` tell which.
        seed_requested: Windows of another seed are wanted.
    """

    range_changed = Signal()
    seed_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planned: Sequence[PlannedCrop] = ()
        self._cut: dict[int, CutCrop] = {}
        self._colors: Mapping[str, str] = {}
        self._tone_levels: Sequence[str] = ()
        self.look: Look = "crop"
        self.grid = ImageGrid(self)
        self.looks = Segments(LOOKS, self)
        self.looks.set_value(self.look)
        self.looks.fit_texts()
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.count = self._number("Crops in the preview", 1, MAX_CROPS)
        self.count.setValue(DEFAULT_CROPS)
        self.count.setFixedWidth(scaled_px(COUNT_PX))
        self.first = self._number("First crop in the preview", 0, 0)
        self.first.setFixedWidth(scaled_px(FIRST_PX))
        self.back = self._arrow(Qt.ArrowType.LeftArrow, "Crops before these", self.go_back)
        self.forth = self._arrow(Qt.ArrowType.RightArrow, "Crops after these", self.go_forth)
        self.zoom = QSlider(Qt.Orientation.Horizontal, self)
        self.zoom.setRange(0, ZOOM_STEPS)
        self.zoom.setFixedWidth(scaled_px(ZOOM_PX))
        self.zoom.setAccessibleName("Zoom")
        self.seed = QToolButton(self)
        self.seed.setText("Another seed")
        self.seed.setToolTip("Draw other windows from the same settings")
        self._lay_out()
        self._connect()

    def _number(self, name: str, lowest: int, highest: int) -> QSpinBox:
        box = QSpinBox(self)
        inset_number(box)
        box.setRange(lowest, highest)
        box.setKeyboardTracking(False)
        box.setAccessibleName(name)
        return box

    def _arrow(self, arrow: Qt.ArrowType, name: str, step: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(step)
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.looks)
        bar.addWidget(self.boxes)
        bar.addSpacing(2 * GRID_PX)
        bar.addWidget(self.count)
        for widget in (QLabel("from", self), self.back, self.first, self.forth):
            bar.addWidget(widget)
        bar.addSpacing(2 * GRID_PX)
        bar.addWidget(QLabel("Zoom", self))
        bar.addWidget(self.zoom)
        bar.addStretch(1)
        bar.addWidget(self.seed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.grid, 1)

    def _connect(self) -> None:
        self.looks.chosen.connect(self._on_looks_chosen)
        self.boxes.toggled.connect(self._show)
        self.count.valueChanged.connect(self._on_range_changed)
        self.first.valueChanged.connect(self._on_range_changed)
        self.zoom.valueChanged.connect(lambda position: self.grid.set_zoom(MAX_ZOOM ** (position / ZOOM_STEPS)))
        self.grid.zoom_changed.connect(self._on_grid_zoom_changed)
        self.grid.image_activated.connect(self._on_grid_image_activated)
        self.seed.clicked.connect(self.seed_requested)

    def set_total(self, n_crops: int) -> None:
        """There are so many crops; the first one that is shown stays among them."""
        self.first.blockSignals(True)
        self.first.setRange(0, max(0, n_crops - 1))
        self.first.blockSignals(False)
        self._enable_arrows()

    def expect(self, planned: Sequence[PlannedCrop], colors: Mapping[str, str], tone_levels: Sequence[str]) -> None:
        """These crops will be cut now; until each is, its former picture stays."""
        self._planned, self._colors, self._tone_levels = planned, colors, tone_levels
        self._cut = {place: cut for place, cut in self._cut.items() if place < len(planned)}
        self._show()

    def show_crop(self, place: int, cut: CutCrop) -> None:
        """Put a crop in its place."""
        self._cut[place] = cut
        images = list(self.grid.images)
        images[place] = self._picture(place, cut.plan)
        self.grid.set_images(images)

    def clear(self) -> None:
        """Show nothing."""
        self._planned, self._cut = (), {}
        self._show()

    @property
    def is_complete(self) -> bool:
        """Whether each crop that is expected is shown."""
        return all(place in self._cut and self._cut[place].plan is crop for place, crop in enumerate(self._planned))

    @Slot()
    def go_back(self) -> None:
        """Show the crops before these."""
        self.first.setValue(self.first.value() - self.count.value())

    @Slot()
    def go_forth(self) -> None:
        """Show the crops after these."""
        if self.forth.isEnabled():
            self.first.setValue(self.first.value() + self.count.value())

    def show_next_look(self) -> None:
        """Crops, maps, both, and round again."""
        looks = [look for look, _, _ in LOOKS]
        self._on_looks_chosen(looks[(looks.index(self.look) + 1) % len(looks)])

    @Slot(str)
    def _on_looks_chosen(self, look: Look) -> None:
        self.look = look
        self.looks.set_value(look)
        self.grid.set_aspect(2.0 if look == "both" else 1.0)
        self._show()

    @Slot()
    def _on_range_changed(self) -> None:
        self._enable_arrows()
        self.range_changed.emit()

    def _enable_arrows(self) -> None:
        self.back.setEnabled(self.first.value() > 0)
        self.forth.setEnabled(self.first.value() + self.count.value() <= self.first.maximum())

    @Slot(float)
    def _on_grid_zoom_changed(self, zoom: float) -> None:
        self.zoom.blockSignals(True)
        self.zoom.setValue(round(ZOOM_STEPS * math.log(zoom) / math.log(MAX_ZOOM)))
        self.zoom.blockSignals(False)

    @Slot(int)
    def _on_grid_image_activated(self, index: int) -> None:
        """A double click enlarges one crop, and back."""
        self.grid.set_zoom(1.0 if self.grid.zoom > 1.0 else MAX_ZOOM / 4)
        tile, bar = self.grid.tile_rect(index), self.grid.verticalScrollBar()
        bar.setValue(bar.value() + round(tile.center().y() - self.grid.viewport().height() / 2))

    @Slot()
    def _show(self) -> None:
        self.grid.set_images([self._picture(place, each) for place, each in enumerate(self._planned)])

    def _picture(self, place: int, planned: PlannedCrop) -> GridImage:
        cut = self._cut.get(place)
        if cut is None:
            side = planned.request.side
            empty = QImage(side, side, QImage.Format.Format_RGB32)
            empty.fill(QColor(current_theme().panel))
            return GridImage(empty, caption=planned.fov_name)
        picture = cut.map if self.look == "map" else cut.picture
        if self.look == "both":
            picture = _beside(cut.picture, cut.map)
        return GridImage(picture, self._boxes(cut) if self.boxes.isChecked() else (), self._caption(cut))

    def _boxes(self, cut: CutCrop) -> tuple[GridBox, ...]:
        return tuple(
            GridBox(each.box.x0, each.box.y0, each.box.x1, each.box.y1, self._colors.get(each.class_name, "#ffffff"))
            for each in cut.plan.request.regions
        )

    def _caption(self, cut: CutCrop) -> str:
        plan, request = cut.plan, cut.plan.request
        conditions = ", ".join(dict.fromkeys(each.class_name for each in request.regions))
        known = request.tone != UNKNOWN_TONE and request.tone <= len(self._tone_levels)
        tone = f", tone {self._tone_levels[request.tone - 1]}" if known else ""
        return f"{plan.fov_name}: {conditions}{tone}\n{plan.window.side} px of the image, × {plan.scale:.2g}"


def _beside(left: QImage, right: QImage) -> QImage:
    both = QImage(left.width() + GAP_PX + right.width(), left.height(), QImage.Format.Format_RGB32)
    both.fill(0)
    painter = QPainter(both)
    painter.drawImage(0, 0, left)
    painter.drawImage(left.width() + GAP_PX, 0, right)
    painter.end()
    return both
