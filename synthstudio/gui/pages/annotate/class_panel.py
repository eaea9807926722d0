"""The classes with their colours, keys and counts; the chosen one is what the next click makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import ObjectClass, Role
from synthstudio.gui.pages.annotate.class_dialog import color_chip
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.icons import themed_icon

NAME, KEY, COUNT, EYE = range(4)
ROW_PX = 28
MAX_ROWS_SHOWN = 8


class ClassPanel(QWidget):
    """One line per class.

    Signals:
        class_chosen: (`ClassId`) Clicked or moved to by keyboard.
        edit_requested: (`ClassId`) Double-clicked.
        hidden_changed: (frozenset of `ClassId`) Which classes are not drawn.
    """

    class_chosen = Signal(object)
    edit_requested = Signal(object)
    hidden_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[ObjectClass, ...] = ()
        self._hidden: frozenset[ClassId] = frozenset()
        self.table = _class_table()
        self.table.currentCellChanged.connect(self._on_current_cell_changed)
        self.table.cellClicked.connect(self._on_cell_clicked)
        self.table.cellDoubleClicked.connect(self._on_cell_double_clicked)
        self.goals = QLabel()
        self.goals.setProperty("muted", True)
        self.goals.setProperty("small", True)
        self.goals.setTextFormat(Qt.TextFormat.PlainText)
        self.goals.setWordWrap(True)
        self.goals.setContentsMargins(12, 4, 8, 0)
        self.goals.setToolTip("Annotations in the whole project against the goals of the classes")
        self.goals.hide()
        self.hint = QLabel("No classes yet. Add the kinds of object that you want to click.")
        self.hint.setProperty("muted", True)
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(12, 4, 12, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.hint)
        layout.addWidget(self.table)
        layout.addWidget(self.goals)

    def set_actions(self, actions: Sequence[QAction]) -> None:
        """Offer these in the context menu."""
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.table.addActions(actions)

    def set_classes(self, classes: Sequence[ObjectClass], counts: Mapping[ClassId, int]) -> None:
        """Show these classes with the number of annotations of the current FOV."""
        if tuple(classes) != self._classes:
            self._classes = tuple(classes)
            self._hidden &= {each.id for each in classes}
            self.table.blockSignals(True)
            self.table.setRowCount(len(classes))
            for row, object_class in enumerate(classes):
                self._fill(row, object_class)
            self.table.blockSignals(False)
            height = scaled_px(ROW_PX) * min(max(len(classes), 1), MAX_ROWS_SHOWN) + 4
            self.table.setFixedHeight(height)
            self.table.setVisible(bool(classes))
            self.hint.setVisible(not classes)
        self.set_counts(counts)

    def set_counts(self, counts: Mapping[ClassId, int]) -> None:
        """Show other numbers of annotations."""
        for row, object_class in enumerate(self._classes):
            self._item(row, COUNT).setText(f"{counts.get(object_class.id, 0):,}")

    def set_totals(self, totals: Mapping[ClassId, int]) -> None:
        """Show how far the classes with a goal have come in the whole project."""
        lines = [f"{each.name} {totals.get(each.id, 0):,} of {each.goal:,}" for each in self._classes if each.goal]
        self.goals.setText("\n".join(lines))
        self.goals.setVisible(bool(lines))

    def _fill(self, row: int, object_class: ObjectClass) -> None:
        texts = {NAME: object_class.name, KEY: object_class.key, COUNT: "0", EYE: ""}
        for column, text in texts.items():
            item = QTableWidgetItem(text)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setToolTip(_tool_tip(object_class))
            if column in (KEY, COUNT):
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        self._item(row, NAME).setIcon(color_chip(object_class.color))
        self._show_eye(row)

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        if item is None:
            raise LookupError(f"The class table has no cell {row}, {column}.")
        return item

    def _show_eye(self, row: int) -> None:
        is_hidden = self._classes[row].id in self._hidden
        item = self._item(row, EYE)
        item.setIcon(themed_icon("mdi6.eye-off-outline" if is_hidden else "mdi6.eye-outline"))
        item.setToolTip("Show this class" if is_hidden else "Hide this class")

    def set_current(self, class_id: ClassId | None) -> None:
        """Mark the class that new annotations get."""
        row = next((row for row, each in enumerate(self._classes) if each.id == class_id), -1)
        self.table.blockSignals(True)
        self.table.setCurrentCell(row, NAME)
        self.table.blockSignals(False)

    @property
    def hidden(self) -> frozenset[ClassId]:
        """The classes that are not drawn."""
        return self._hidden

    def set_hidden(self, hidden: frozenset[ClassId]) -> None:
        """Draw all classes but these."""
        self._hidden = hidden
        for row in range(len(self._classes)):
            self._show_eye(row)
        self.hidden_changed.emit(hidden)

    def _on_current_cell_changed(self, row: int, _column: int, former_row: int) -> None:
        if 0 <= row < len(self._classes) and row != former_row:
            self.class_chosen.emit(self._classes[row].id)

    def _on_cell_clicked(self, row: int, column: int) -> None:
        if column == EYE:
            self.set_hidden(self._hidden ^ {self._classes[row].id})

    def _on_cell_double_clicked(self, row: int, column: int) -> None:
        if column != EYE:
            self.edit_requested.emit(self._classes[row].id)


def _class_table() -> QTableWidget:
    table = QTableWidget(0, 4)
    table.setAccessibleName("Classes")
    table.setProperty("dense", True)
    table.horizontalHeader().hide()
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(scaled_px(ROW_PX))
    table.setShowGrid(False)
    table.setIconSize(QSize(14, 14))
    table.setTabKeyNavigation(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = table.horizontalHeader()
    header.setMinimumSectionSize(20)
    header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(KEY, QHeaderView.ResizeMode.Fixed)
    header.setSectionResizeMode(COUNT, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(EYE, QHeaderView.ResizeMode.Fixed)
    table.setColumnWidth(KEY, scaled_px(22))
    table.setColumnWidth(EYE, 26)
    return table


def _tool_tip(object_class: ObjectClass) -> str:
    if object_class.size_um is not None:
        size = f"mean size {object_class.size_um:g} µm"
    elif object_class.size_px is not None:
        size = f"mean size {object_class.size_px:g} px"
    else:
        size = "no size yet"
    role = "artifact: pasted, never labelled" if object_class.role is Role.ARTIFACT else "object"
    key = f", key {object_class.key}" if object_class.key else ""
    goal = f", goal {object_class.goal:,}" if object_class.goal else ""
    return f"{object_class.name}: {role}, {size}{key}{goal}"
