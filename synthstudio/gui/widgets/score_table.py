"""A small table of figures that can be copied and saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableWidget, QTableWidgetItem, QWidget
from typing_extensions import override

from synthstudio.gui.widgets.saving import save_bytes


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column: its head, and what it means."""

    title: str
    help: str


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
        for number, column in enumerate((ScoreColumn(first, ""), *columns)):
            head = QTableWidgetItem(column.title)
            head.setToolTip(column.help)
            head.setTextAlignment(Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft)
            self.setHorizontalHeaderItem(number, head)
        self._texts = [[first, *(column.title for column in columns)]]
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

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
                cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                cell.setToolTip(self._columns[column - 1].help)
                self.setItem(number, column, cell)
        height = self.horizontalHeader().sizeHint().height() + sum(self.rowHeight(row) for row in range(len(rows)))
        self.setFixedHeight(height + self.horizontalScrollBar().sizeHint().height() + 4)

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
