"""A small table of figures that can be copied and saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QIcon, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableWidget, QTableWidgetItem, QWidget
from typing_extensions import override

from synthstudio.gui.widgets.column_widths import fitted_widths
from synthstudio.gui.widgets.saving import save_bytes


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column: its head, what it means, and whether it holds words, which begin at the left, not figures."""

    title: str
    help: str
    is_text: bool = False

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        """Where its texts stand."""
        return Qt.AlignmentFlag.AlignLeft if self.is_text else Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A row: the name, the figures in words, and an icon where there is one."""

    name: str
    cells: tuple[str, ...]
    icon: QIcon | None = None
    tip: str = ""


class ScoreTable(QTableWidget):
    """Read-only; copies as tab-separated text, saves as CSV."""

    def __init__(self, columns: Sequence[ScoreColumn], *, first: str, parent: QWidget | None = None) -> None:
        super().__init__(0, 1 + len(columns), parent)
        self._columns = tuple(columns)
        for number, column in enumerate((ScoreColumn(first, "", is_text=True), *columns)):
            head = QTableWidgetItem(column.title)
            head.setToolTip(column.help)
            head.setTextAlignment(column.alignment | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(number, head)
        self._texts = [[first, *(column.title for column in columns)]]
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def set_dense(self) -> None:
        """Less room beside the texts, in a narrow panel."""
        self.setProperty("dense", True)
        header = self.horizontalHeader()
        header.style().unpolish(header)  # it was styled when it was made
        header.style().polish(header)

    def set_rows(self, rows: Sequence[ScoreRow]) -> None:
        """Show these rows; the table is as high as they are."""
        self.setRowCount(len(rows))
        self._texts = [self._texts[0], *([row.name, *row.cells] for row in rows)]
        for number, row in enumerate(rows):
            name = QTableWidgetItem(row.name)
            name.setToolTip(row.tip or row.name)
            if row.icon is not None:
                name.setIcon(row.icon)
            self.setItem(number, 0, name)
            for column, text in enumerate(row.cells, start=1):
                cell = QTableWidgetItem(text)
                cell.setTextAlignment(self._columns[column - 1].alignment | Qt.AlignmentFlag.AlignVCenter)
                cell.setToolTip(self._columns[column - 1].help)
                self.setItem(number, column, cell)
        self._share_room()
        height = self.horizontalHeader().sizeHint().height() + sum(self.rowHeight(row) for row in range(len(rows)))
        self.setFixedHeight(height + self.horizontalScrollBar().sizeHint().height() + 4)

    def _share_room(self) -> None:
        header = self.horizontalHeader()
        columns = range(self.columnCount())
        wanted = [max(self.sizeHintForColumn(column), header.sectionSizeHint(column)) for column in columns]
        for column, width in enumerate(fitted_widths(wanted, self.viewport().width())):
            self.setColumnWidth(column, width)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def texts(self) -> list[list[str]]:
        """Head and rows as they are shown."""
        return self._texts

    def to_csv(self) -> bytes:
        """The table as CSV."""
        text = io.StringIO()
        csv.writer(text).writerows(self.texts())
        return text.getvalue().encode()

    def copy(self) -> None:
        """Put the table on the clipboard, with tabs between the cells."""
        QGuiApplication.clipboard().setText("\n".join("\t".join(row) for row in self.texts()))

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy table").triggered.connect(self.copy)
        menu.addAction("Save as CSV…").triggered.connect(
            lambda: save_bytes(self, "scores.csv", "CSV (*.csv)", self.to_csv)
        )
        menu.popup(event.globalPos())
