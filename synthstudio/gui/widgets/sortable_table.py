"""A table of figures that is sorted by a click on a column, of which several rows can be selected."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QGuiApplication, QIcon, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTableView, QWidget
from typing_extensions import override

from synthstudio.gui.widgets.column_widths import fitted_widths
from synthstudio.gui.widgets.saving import save_bytes

_ROOT = QModelIndex()
PRECISE_ROWS = 40
"""Rows beyond those in sight that a column is made wide enough for."""
MAX_COLUMN_EM = 34
"""A column is never wider than this many letters: a long path must not push the figures out of sight."""
BESIDE_FILLING_EM = 28
"""The same where a column of sentences takes the room that the others leave."""
LEAST_FILLING_EM = 16
HEAD_PADDING_PX = 26
"""On both sides of a heading, whose letters are smaller than those of the cells; the arrow fits in, too."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its head, what it means, and whether its cells are figures, which stand at the right.

    Attributes:
        is_filling: It takes the room that the others leave; its cells are sentences, read in full in their tips.
    """

    title: str
    help: str = ""
    is_number: bool = True
    is_filling: bool = False


@dataclass(frozen=True, slots=True)
class TableCell:
    """What stands in a cell.

    Attributes:
        rank: What it is sorted by; None comes last whichever way the column is sorted.
        tip: Its tooltip; the help of the column where it is empty.
    """

    text: str
    rank: float | str | None = None
    tip: str = ""
    icon: QIcon | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row; `key` tells it from all others, so that it stays selected when the rows are read anew."""

    key: str
    cells: tuple[TableCell, ...]


class RowsModel(QAbstractTableModel):
    """Rows in the order of the column that they are sorted by."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns: tuple[TableColumn, ...] = ()
        self.rows: list[TableRow] = []
        self.rows_given: list[TableRow] = []  # in the order in which they came

    def set_table(self, columns: Sequence[TableColumn], rows: Sequence[TableRow]) -> None:
        """Show another table."""
        self.beginResetModel()
        self.columns, self.rows, self.rows_given = tuple(columns), list(rows), list(rows)
        self.endResetModel()

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell, column = self.rows[index.row()].cells[index.column()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell.text
            case Qt.ItemDataRole.ToolTipRole:
                return cell.tip or column.help or None
            case Qt.ItemDataRole.DecorationRole:
                return cell.icon
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
        return None

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.help or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
        return None

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= column < len(self.columns):
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = [self.rows[index.row()].key for index in before]
        self.rows = _sorted(self.rows, column, is_falling=order is Qt.SortOrder.DescendingOrder)
        places = {row.key: place for place, row in enumerate(self.rows)}
        self.changePersistentIndexList(
            before, [self.index(places[key], index.column()) for key, index in zip(keys, before, strict=True)]
        )
        self.layoutChanged.emit()


class SortableTable(QTableView):
    """Read-only. Ctrl and Shift select several rows; the context menu copies and saves.

    Signals:
        selection_changed: Other rows are selected, or another one is current; not while rows are read anew.
    """

    selection_changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._is_filling = False
        self._wanted: list[int] = []  # widths of the columns, as long as no hand has changed them
        self._is_fitting = False
        self.rows_model = RowsModel(self)
        self.setModel(self.rows_model)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leads on; the arrow keys walk the rows
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setResizeContentsPrecision(PRECISE_ROWS)
        header.setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)
        header.sectionResized.connect(self._on_header_section_resized)
        self.selectionModel().selectionChanged.connect(self._on_selection_model_changed)
        self.selectionModel().currentRowChanged.connect(self._on_selection_model_changed)

    def set_table(self, columns: Sequence[TableColumn], rows: Sequence[TableRow]) -> None:
        """Show another table: what was selected stays so, and it stays sorted by the column of the same name."""
        if list(rows) == self.rows_model.rows_given and tuple(columns) == self.rows_model.columns:
            return
        chosen, current = self.selected, self.current
        header = self.horizontalHeader()
        sorted_by = header.sortIndicatorSection()
        title = self.rows_model.columns[sorted_by].title if 0 <= sorted_by < len(self.rows_model.columns) else ""
        order = header.sortIndicatorOrder()
        self._is_filling = True
        self.rows_model.set_table(columns, rows)
        places = [place for place, column in enumerate(columns) if title and column.title == title]
        self.sortByColumn(places[0] if places else -1, order)
        self._fit_columns()
        self._restore(chosen, current)
        self._is_filling = False

    @property
    def content_px(self) -> int:
        """Width at which no cell is cut, beside a scroll bar; 0 where a hand has changed the columns."""
        rest = self.verticalScrollBar().sizeHint().width() + 2 * self.frameWidth()
        return sum(self._wanted) + rest if self._wanted else 0

    def _fit_columns(self) -> None:
        columns = self.rows_model.columns
        has_filling = any(column.is_filling for column in columns)
        widest = self._em_px * (BESIDE_FILLING_EM if has_filling else MAX_COLUMN_EM)
        self._wanted = [
            natural if columns[number].is_filling else min(natural, widest)
            for number in range(len(columns))
            for natural in (max(self.sizeHintForColumn(number), self._head_px(number)),)
        ]
        self._share_room()

    def _head_px(self, column: int) -> int:
        """What a heading needs. Qt keeps room for an arrow in each, as wide as some columns; one at most has it."""
        hint = self.horizontalHeader().sectionSizeHint(column)
        title = self.rows_model.columns[column].title
        return min(hint, self.fontMetrics().horizontalAdvance(title) + HEAD_PADDING_PX)

    @property
    def _em_px(self) -> int:
        return QFontMetrics(self.font()).averageCharWidth()

    def _share_room(self) -> None:
        if not self._wanted:
            return
        filling = [number for number, column in enumerate(self.rows_model.columns) if column.is_filling]
        widths = fitted_widths(
            self._wanted,
            self.viewport().width(),
            filling=filling[0] if filling else None,
            least=LEAST_FILLING_EM * self._em_px,
        )
        self._is_fitting = True
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)
        self._is_fitting = False

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    @Slot()
    def _on_header_section_resized(self) -> None:
        if not self._is_fitting:
            self._wanted = []

    def show_all_rows(self, *, at_least: int) -> None:
        """As high as the rows are; where there is too little room they are scrolled, but for `at_least` of them."""
        heights = [self.rowHeight(row) for row in range(len(self.rows_model.rows))]
        rest = self.horizontalHeader().sizeHint().height() + self.horizontalScrollBar().sizeHint().height() + 4
        self.setMinimumHeight(rest + sum(heights[:at_least]))
        self.setMaximumHeight(rest + sum(heights))

    @property
    def keys(self) -> list[str]:
        """Keys of the rows from top to bottom."""
        return [row.key for row in self.rows_model.rows]

    @property
    def selected(self) -> list[str]:
        """Keys of the selected rows from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.rows_model.rows[row].key for row in rows]

    @property
    def current(self) -> str | None:
        """Key of the row that the keyboard is on."""
        row = self.currentIndex().row()
        return self.rows_model.rows[row].key if 0 <= row < len(self.rows_model.rows) else None

    def select(self, keys: Collection[str], *, current: str | None = None) -> None:
        """Select rows; tells nobody."""
        self._is_filling = True
        self._restore(list(keys), current)
        self._is_filling = False

    def _restore(self, chosen: Sequence[str], current: str | None) -> None:
        places = {row.key: place for place, row in enumerate(self.rows_model.rows)}
        chooser, last = self.selectionModel(), len(self.rows_model.columns) - 1
        if current in places:
            chooser.setCurrentIndex(
                self.rows_model.index(places[current], 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        wanted = QItemSelection()
        for key in chosen:
            if key in places:
                wanted.select(self.rows_model.index(places[key], 0), self.rows_model.index(places[key], last))
        chooser.select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    @Slot()
    def _on_selection_model_changed(self) -> None:
        if not self._is_filling:
            self.selection_changed.emit()

    def texts(self) -> list[list[str]]:
        """Head and rows as they are shown."""
        head = [column.title for column in self.rows_model.columns]
        return [head, *([cell.text for cell in row.cells] for row in self.rows_model.rows)]

    def to_csv(self) -> bytes:
        """The table as CSV."""
        text = io.StringIO()
        csv.writer(text).writerows(self.texts())
        return text.getvalue().encode()

    def copy(self) -> None:
        """Put the table on the clipboard, with tabs between the cells."""
        QGuiApplication.clipboard().setText("\n".join("\t".join(row) for row in self.texts()))

    def save(self) -> None:
        """Ask where to, and save the table as CSV."""
        save_bytes(self, f"{self._name.lower().replace(' ', '-')}.csv", "CSV (*.csv)", self.to_csv)

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy table").triggered.connect(self.copy)
        menu.addAction("Save as CSV…").triggered.connect(self.save)
        menu.popup(event.globalPos())


def _sorted(rows: Sequence[TableRow], column: int, *, is_falling: bool) -> list[TableRow]:
    def rank(row: TableRow) -> tuple[bool, float, str]:
        """Figures before words, as a column may hold both."""
        value = row.cells[column].rank
        return (isinstance(value, str), 0.0, value) if isinstance(value, str) else (False, float(value or 0), "")

    known = [row for row in rows if row.cells[column].rank is not None]
    return [*sorted(known, key=rank, reverse=is_falling), *(row for row in rows if row.cells[column].rank is None)]


def _alignment(column: TableColumn) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
