"""A confusion matrix, and the parts of images behind the cell that is chosen in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QMenu, QSplitter, QVBoxLayout, QWidget

from synthstudio.core.evaluation.confusion import Confusion
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.canvas.crop_tiles import CropItem, TileLook, draw_crop_tiles
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.confusion_matrix import ConfusionMatrix, MatrixCounts
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace

TILE_PX = 132
MATRIX_WIDTH_PX = 330


class MatrixGallery(QSplitter):
    """The matrix at the left; what is chosen in it is seen at the right.

    Signals:
        cell_chosen: (row, column) Answer with `show_items`.
        item_opened: (`CropItem`) Show it in the viewer.
    """

    cell_chosen = Signal(int, int)
    item_opened = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._workspace = workspace
        self._items: Mapping[int, CropItem] = {}
        self._fovs: Mapping[FovId, FieldOfView] = {}
        left, right = QWidget(self), QWidget(self)
        self.head = QHBoxLayout()
        self.normalized = QCheckBox("Shares of the truth", left)
        self.matrix = ConfusionMatrix("Confusion matrix", left)
        self.note = WrappedLabel("muted", left)
        self.export = ExportButton({"Confusion matrix": self.matrix}, left)
        self.facts = QLabel(right)
        self.grid = TileGrid(right)
        self.grid.setAccessibleName("What is behind the chosen cell")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        self._lay_out(left, right)
        self.normalized.toggled.connect(self.matrix.set_normalized)
        self.matrix.cell_chosen.connect(self.cell_chosen)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.activated.connect(self._on_grid_activated)
        self.grid.menu_requested.connect(self._on_grid_menu_requested)

    def _lay_out(self, left: QWidget, right: QWidget) -> None:
        options = QHBoxLayout()
        options.addWidget(self.normalized, 1)
        options.addWidget(self.export)
        column = QVBoxLayout(left)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(self.head)
        column.addLayout(options)
        column.addWidget(self.matrix, 1)
        column.addWidget(self.note)
        gallery = QVBoxLayout(right)
        gallery.setContentsMargins(GRID_PX, 2 * GRID_PX, 0, 0)
        gallery.setSpacing(GRID_PX)
        gallery.addWidget(self.facts)
        gallery.addWidget(self.grid, 1)
        self.addWidget(left)
        self.addWidget(right)
        self.setChildrenCollapsible(False)
        self.setSizes([scaled_px(MATRIX_WIDTH_PX), scaled_px(2 * MATRIX_WIDTH_PX)])
        self.setStretchFactor(1, 1)

    def show_matrix(self, confusion: Confusion, note: str, *, first: tuple[int, int]) -> None:
        """Show a matrix; `first` is the cell that is chosen where none is yet."""
        self.note.setText(note)
        self.matrix.set_matrix(_counts(confusion))
        self.matrix.choose(*(self.matrix.chosen or first))

    def show_items(
        self, items: Sequence[CropItem], fovs: Mapping[FovId, FieldOfView], *, n_all: int, words: str, order: str
    ) -> None:
        """Show what is behind the chosen cell, or the first of it.

        Args:
            n_all: How many there are.
            words: What they are, in the plural; stands after their number.
            order: What stands first, "the most doubtful".
        """
        self._items, self._fovs = dict(enumerate(items)), fovs
        text = f"{n_all:,} {words}"
        if n_all > len(items):
            text += f"; {len(items):,} of them, {order} first"
        elif n_all > 1:
            text += f"; {order} first"
        self.facts.setText(text)
        self.grid.set_placeholder("Nothing is in this cell.")
        self.grid.forget_tiles()
        self.grid.set_keys(list(self._items))

    @property
    def items(self) -> Sequence[CropItem]:
        """What is shown, in its order."""
        return tuple(self._items.values())

    @property
    def selected(self) -> CropItem | None:
        """The first that is selected."""
        return self._items[self.grid.selected[0]] if self.grid.selected else None

    @Slot()
    def open_selected(self) -> None:
        """Show the first that is selected in the viewer."""
        if self.selected is not None:
            self.item_opened.emit(self.selected)

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, keys: tuple[int, ...]) -> None:
        items, fovs = {key: self._items[key] for key in keys if key in self._items}, self._fovs
        look = TileLook(self.grid.picture_px, self.grid.devicePixelRatioF(), current_theme())

        def draw(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            return draw_crop_tiles(items, fovs, look, tick), {key: item.tip for key, item in items.items()}

        self._workspace.background.run(
            draw, done=lambda made: self.grid.put_tiles(generation, *made), owner=self, reads_images=True
        )

    @Slot(int)
    def _on_grid_activated(self, key: int) -> None:
        self.item_opened.emit(self._items[key])

    @Slot(QPoint)
    def _on_grid_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Open in the viewer").triggered.connect(self.open_selected)
        menu.popup(position)


def _counts(confusion: Confusion) -> MatrixCounts:
    counts = tuple(tuple(int(each) for each in row) for row in confusion.counts)
    return MatrixCounts(confusion.rows, confusion.columns, counts, tuple(int(each) for each in confusion.totals))
