"""The classes of a data set beside the names that they get in the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.plans import ImportPlan

FOUND, MARKS, SIZE, NEW = range(4)
HEADINGS = ("In the data set", "Marks", "Size", "Name in the project")
NUMBER = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ClassTable(QTableWidget):
    """One row per class: a tick takes it, its last column names it. What was typed outlives a new reading."""

    mapping_changed = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(HEADINGS))
        self._known: Sequence[str] = ()
        self._typed: dict[str, str] = {}
        self._skipped: set[str] = set()
        self.setAccessibleName("Classes found, and their names in the project")
        self.setHorizontalHeaderLabels(list(HEADINGS))
        self.setItemDelegateForColumn(NEW, _NameDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            triggers.AnyKeyPressed | triggers.DoubleClicked | triggers.EditKeyPressed | triggers.SelectedClicked
        )
        self.setTabKeyNavigation(False)  # Tab goes on to the buttons
        self.setToolTip("Untick a class to leave it out; type another name to rename it, or an existing one to join it")
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(FOUND, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(NEW, QHeaderView.ResizeMode.Stretch)
        for column in (FOUND, NEW):
            self._heading(column).setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.itemChanged.connect(self._on_item_changed)

    @property
    def known(self) -> Sequence[str]:
        """Names of the project's classes."""
        return self._known

    def show_classes(self, plan: ImportPlan, counts: Mapping[str, int], known: Sequence[str]) -> None:
        """Show the classes of a plan; a name that the project writes in other letters is proposed as written there."""
        self._known = known
        self.blockSignals(True)
        self.setRowCount(len(plan.class_names))
        for row, name in enumerate(plan.class_names):
            tick = QTableWidgetItem(name)
            tick.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            tick.setCheckState(Qt.CheckState.Unchecked if name in self._skipped else Qt.CheckState.Checked)
            self.setItem(row, FOUND, tick)
            self._show_number(row, MARKS, f"{counts.get(name, 0):,}")
            self._show_number(row, SIZE, _size_text(plan, name))
            self.setItem(row, NEW, QTableWidgetItem(self._typed.get(name, self._propose(name))))
            self._show_taken(row)
        self.blockSignals(False)

    def mapping(self) -> dict[str, str]:
        """Return the new name of each class that gets one; an empty name leaves the class out."""
        mapping: dict[str, str] = {}
        for row in range(self.rowCount()):
            name, new = self._cell(row, FOUND).text(), " ".join(self._cell(row, NEW).text().split())
            if not self._is_taken(row):
                new = ""
            if new != name:
                mapping[name] = new
        return mapping

    def clear_classes(self) -> None:
        """Show nothing."""
        self.setRowCount(0)

    def _show_number(self, row: int, column: int, text: str) -> None:
        item = QTableWidgetItem(text)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        item.setTextAlignment(NUMBER)
        self.setItem(row, column, item)

    def _propose(self, name: str) -> str:
        if name in self._known:
            return name
        return next((known for known in self._known if known.casefold() == name.casefold()), name)

    def _heading(self, column: int) -> QTableWidgetItem:
        item = self.horizontalHeaderItem(column)
        assert item is not None  # all are named
        return item

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None  # every row is filled when it is made
        return item

    def _is_taken(self, row: int) -> bool:
        return self._cell(row, FOUND).checkState() is Qt.CheckState.Checked

    def _show_taken(self, row: int) -> None:
        """Grey the new name of a class that is left out."""
        editable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsEditable
        item = self._cell(row, NEW)
        item.setFlags(Qt.ItemFlag.ItemIsSelectable | (editable if self._is_taken(row) else Qt.ItemFlag.NoItemFlags))

    @Slot(QTableWidgetItem)
    def _on_item_changed(self, item: QTableWidgetItem) -> None:
        row, name = item.row(), self._cell(item.row(), FOUND).text()
        if item.column() == FOUND:
            self._skipped = self._skipped - {name} if self._is_taken(row) else self._skipped | {name}
            self.blockSignals(True)
            self._show_taken(row)
            self.blockSignals(False)
        elif item.column() == NEW:
            self._typed[name] = item.text()
        self.mapping_changed.emit()


class _NameDelegate(QStyledItemDelegate):
    """Completes the names of the project's classes while one types."""

    def __init__(self, table: ClassTable) -> None:
        super().__init__(table)
        self._table = table

    @override
    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFrame(False)
        completer = QCompleter(list(self._table.known), editor)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        editor.setCompleter(completer)
        return editor


def _size_text(plan: ImportPlan, name: str) -> str:
    size = plan.class_sizes_px.get(name)
    if size is None:
        return ""
    return f"about {size:.0f} px" if name in plan.estimated_sizes else f"{size:.0f} px"
