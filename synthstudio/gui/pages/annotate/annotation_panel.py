"""The annotations of the FOV as a table whose selection is that of the viewer."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLineEdit, QTableView, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId
from synthstudio.gui.item_models.annotation_rows import AUTHOR, CLASS, PLACE, SIZE, AnnotationRowsModel
from synthstudio.gui.pages.annotate.author_layers import AuthorLayers

ROW_PX = 24
WIDEST_TEXTS = {PLACE: "8888, 8888", SIZE: "888×888", AUTHOR: "authorname"}
CELL_PADDING_PX, CHIP_PX, SCROLL_BAR_PX = 16, 18, 14
MAX_LINKED = 2000
"""A larger selection is not shown row by row: selecting 100 000 rows takes Qt seconds."""


class AnnotationPanel(QWidget):
    """The table.

    Signals:
        selection_chosen: (tuple of `AnnotationId`) Rows were selected by the user.
        reveal_requested: (`AnnotationId`) A row was made current by the user: bring it into view.
    """

    selection_chosen = Signal(object)
    reveal_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = AnnotationRowsModel(self)
        self.table = QTableView()
        self.table.setAccessibleName("Annotations of this field")
        self.table.setModel(self.model)
        self.table.setIconSize(QSize(10, 10))
        self.table.setShowGrid(False)
        self.table.setProperty("dense", True)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(CLASS, QHeaderView.ResizeMode.Stretch)
        for column in WIDEST_TEXTS:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)  # a third click gives back the order of the ids
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSortingEnabled(True)
        self.model.modelReset.connect(self._on_reset)
        self.table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._filter_row())
        layout.addWidget(self.table)
        self._is_following = False
        self._selected: frozenset[AnnotationId] = frozenset()

    def _filter_row(self) -> QHBoxLayout:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter annotations")
        self.filter.setToolTip("List annotations whose class, author, source or note has these words; or: flagged")
        self.filter.textChanged.connect(self.model.set_filter)
        self.authors = AuthorLayers()
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        row.addWidget(self.filter, 1)
        row.addWidget(self.authors)
        return row

    @Slot()
    def _on_reset(self) -> None:
        """Other rows: what is selected in the viewer stays selected here."""
        self._share_room()
        self.set_selection(self._selected)

    def set_selection(self, ids: Collection[AnnotationId]) -> None:
        """Select the rows of these annotations, as the viewer has them."""
        self._selected = frozenset(ids)
        selection = QItemSelection()
        last = self.model.columnCount() - 1
        rows = [self.model.row_of(each) for each in ids] if len(ids) <= MAX_LINKED else []
        known = [row for row in rows if row is not None]
        for row in known:
            selection.select(self.model.index(row, 0), self.model.index(row, last))
        self._is_following = True
        self.table.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(known) == 1:
            self.table.scrollTo(self.model.index(known[0], 0))
        self._is_following = False

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "table"):
            self._share_room()

    @Slot()
    def _share_room(self) -> None:
        """The class is told whole; size, then place, give way where the panel is too narrow for all."""
        metrics = self.table.fontMetrics()
        self.table.verticalHeader().setDefaultSectionSize(max(ROW_PX, metrics.height() + 8))
        room = self.width() - SCROLL_BAR_PX - CHIP_PX - CELL_PADDING_PX
        room -= metrics.horizontalAdvance(self.model.longest_class_name)
        for column, text in WIDEST_TEXTS.items():
            width = metrics.horizontalAdvance(text) + CELL_PADDING_PX
            self.table.setColumnWidth(column, width)
            room -= width
            self.table.setColumnHidden(column, room < 0)

    @Slot()
    def _on_selection_changed(self) -> None:
        if self._is_following:
            return
        rows = [index.row() for index in self.table.selectionModel().selectedRows()]
        ids = tuple(self.model.id_at(row) for row in rows)
        self._selected = frozenset(ids)
        self.selection_chosen.emit(ids)
        if len(ids) == 1:
            self.reveal_requested.emit(ids[0])
