"""How annotations are drawn."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.pages.annotate.looking import Look
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.segments import Segments

STYLES = (
    (MarkStyle.OUTLINE.value, "Outline", "Boxes and circles of the class's size"),
    (MarkStyle.DOT.value, "Dot", "Only the middle of each object"),
    (MarkStyle.LABEL.value, "Label", "Outlines with the class's name"),
)

MAX_ALONG = 100
"""Columns, and rows, of tiles at most."""


class DisplayPanel(QWidget):
    """Signals: style_chosen (str), marks_toggled (bool), scale_bar_toggled (bool), look_chosen (`Look`),
    snapping_chosen (bool)."""

    style_chosen = Signal(str)
    marks_toggled = Signal(bool)
    scale_bar_toggled = Signal(bool)
    look_chosen = Signal(object)
    snapping_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.style_choice = Segments(STYLES)
        self.style_choice.set_value(MarkStyle.OUTLINE.value)
        self.style_choice.chosen.connect(self.style_chosen)
        self.marks = QCheckBox("Show annotations (H)")
        self.marks.setChecked(True)
        self.marks.clicked.connect(self.marks_toggled)
        self.scale_bar = QCheckBox("Show scale bar")
        self.scale_bar.setChecked(True)
        self.scale_bar.clicked.connect(self.scale_bar_toggled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(8)
        for widget in (self.style_choice, self.marks, self.scale_bar):
            layout.addWidget(widget)
        self._add_look(layout)
        self.set_look(Look())

    def _add_look(self, layout: QVBoxLayout) -> None:
        self.dims_others, self.shows_one = QCheckBox("Dim other classes"), QCheckBox("Only the current class")
        self.snaps = QCheckBox("Snap clicks to objects")
        self.snaps.setToolTip("A new centre goes to the middle of the object under it, at most half its class's size")
        self.crosshair, self.loupe, self.grid = QCheckBox("Crosshair"), QCheckBox("Loupe"), QCheckBox("Grid")
        self.loupe_power = _number(2, 8, suffix=" ×", name="Power of the loupe")
        self._add_tiles()
        for check in (self.dims_others, self.shows_one, self.snaps, self.crosshair):
            layout.addWidget(check)
        for check, widget in ((self.loupe, self.loupe_power), (self.grid, self.tiling)):
            row = QHBoxLayout()
            row.addWidget(check, 1)
            row.addWidget(widget)
            layout.addLayout(row)
        layout.addWidget(self.tiles)
        for number in (self.loupe_power, self.tile_px, self.n_columns, self.n_rows):
            number.valueChanged.connect(self._tell_look)
        self.tiling.activated.connect(self._tell_look)
        for check in (self.dims_others, self.shows_one, self.crosshair, self.loupe, self.grid):
            check.clicked.connect(self._tell_look)
        self.snaps.clicked.connect(self.snapping_chosen)

    def _add_tiles(self) -> None:
        """How the image is divided for reading: by the side of the tiles, or by their number."""
        self.tiling = QComboBox()
        self.tiling.addItem("by size", False)
        self.tiling.addItem("by count", True)
        self.tiling.setAccessibleName("How the grid divides the image")
        self.tiling.setMinimumWidth(scaled_px(72))
        self.tiling.setToolTip("Tiles of one size in every field, or so many columns and rows")
        self.tile_px = _number(32, 9999, suffix=" px", name="Side of the tiles for reading")
        self.tile_px.setSingleStep(64)
        self.n_columns = _number(1, MAX_ALONG, suffix="", name="Columns of tiles")
        self.n_rows = _number(1, MAX_ALONG, suffix="", name="Rows of tiles")
        for number in (self.n_columns, self.n_rows):
            number.setMinimumWidth(scaled_px(56))
        self.tiles = QWidget()
        row = QHBoxLayout(self.tiles)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.times = QLabel("×")
        for widget in (self.tile_px, self.n_columns, self.times, self.n_rows):
            row.addWidget(widget, 0 if widget is self.times else 1)

    @Slot()
    def _tell_look(self) -> None:
        look = Look(
            dims_others=self.dims_others.isChecked(),
            shows_one=self.shows_one.isChecked(),
            crosshair=self.crosshair.isChecked(),
            loupe=self.loupe.isChecked(),
            loupe_power=self.loupe_power.value(),
            grid=self.grid.isChecked(),
            counts_tiles=bool(self.tiling.currentData()),
            tile_px=self.tile_px.value(),
            n_columns=self.n_columns.value(),
            n_rows=self.n_rows.value(),
        )
        self.look_chosen.emit(look)

    def set_look(self, look: Look) -> None:
        """Follow the shortcuts."""
        self.dims_others.setChecked(look.dims_others)
        self.shows_one.setChecked(look.shows_one)
        self.crosshair.setChecked(look.crosshair)
        self.loupe.setChecked(look.loupe)
        self.grid.setChecked(look.grid)
        self.tiling.setCurrentIndex(self.tiling.findData(look.counts_tiles))
        self.tile_px.setVisible(not look.counts_tiles)
        for widget in (self.n_columns, self.times, self.n_rows):
            widget.setVisible(look.counts_tiles)
        for number, value in (
            (self.loupe_power, look.loupe_power),
            (self.tile_px, look.tile_px),
            (self.n_columns, look.n_columns),
            (self.n_rows, look.n_rows),
        ):
            with QSignalBlocker(number):
                number.setValue(value)

    def set_snapping(self, *, snaps: bool) -> None:
        """Follow the shortcut."""
        self.snaps.setChecked(snaps)

    def set_marks_shown(self, *, shown: bool) -> None:
        """Follow the shortcut."""
        self.marks.setChecked(shown)


def _number(lowest: int, highest: int, *, suffix: str, name: str) -> QSpinBox:
    number = QSpinBox()
    inset_number(number)
    number.setRange(lowest, highest)
    number.setSuffix(suffix)
    number.setMinimumWidth(scaled_px(72))  # beside its check box in a narrow panel; its arrows give way first
    number.setKeyboardTracking(False)
    number.setAccessibleName(name)
    number.setToolTip(f"{name}, {lowest:,} to {highest:,}{suffix}")
    return number
