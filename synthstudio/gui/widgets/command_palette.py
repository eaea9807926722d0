"""Find and do anything by typing a part of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.gui.theme import current_theme

WIDTH_PX = 560
MAX_ROWS = 12
ROW_PX = 32
_ROOT = QModelIndex()

ItemRole = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """One line: what it does, where it belongs, its key, and the doing."""

    text: str
    run: Callable[[], None]
    detail: str = ""
    shortcut: str = ""
    is_enabled: bool = True


Search = Callable[[str], Sequence[PaletteItem]]


class _ItemModel(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: tuple[PaletteItem, ...] = ()

    def set_items(self, items: Sequence[PaletteItem]) -> None:
        self.beginResetModel()
        self.items = tuple(items)
        self.endResetModel()

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.items)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.text
        return item if role == ItemRole else None

    @override
    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsEnabled if self.items[index.row()].is_enabled else flags


class _ItemDelegate(QStyledItemDelegate):
    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH_PX - 32, max(ROW_PX, option.fontMetrics.height() + 12))

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = current_theme()
        item: PaletteItem = index.data(ItemRole)
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 4, 4)
        inner = rect.adjusted(12, 0, -12, 0)
        muted = QColor(theme.text_muted if item.is_enabled else theme.text_disabled)
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(muted)
        right = f"{item.detail}   {item.shortcut}" if item.shortcut else item.detail
        painter.drawText(inner, vertical | Qt.AlignmentFlag.AlignRight, right)
        room = inner.adjusted(0, 0, -option.fontMetrics.horizontalAdvance(right) - 16, 0)
        painter.setPen(QColor(theme.text if item.is_enabled else theme.text_disabled))
        text = option.fontMetrics.elidedText(item.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, vertical | Qt.AlignmentFlag.AlignLeft, text)


class CommandPalette(QFrame):
    """Floats over its window. Type to search, Up and Down to choose, Return to do it, Escape to leave.

    Args:
        search: Gives the items for what was typed, best first.
    """

    def __init__(self, parent: QWidget, *, search: Search) -> None:
        super().__init__(parent)
        self.setObjectName("commandPalette")
        self._search = search
        self._window = parent
        self._former_focus: QWidget | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText("What do you want to do? Type a part of its name, or of a field's")
        self.field.setAccessibleName("Search commands and fields")
        self.field.textChanged.connect(self._on_text_changed)
        self.field.installEventFilter(self)
        self.list = QListView()
        self._model = _ItemModel(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_ItemDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda index: self._run(index.row()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.hide()
        parent.installEventFilter(self)

    def open(self) -> None:
        """Show the palette, empty, and take the focus."""
        self._former_focus = QApplication.focusWidget()
        self._dress()
        self.field.clear()
        self._on_text_changed("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def items(self) -> tuple[PaletteItem, ...]:
        """What is listed at present."""
        return self._model.items

    def search_again(self) -> None:
        """There may be more to find now; what is chosen stays chosen."""
        row = self.list.currentIndex().row()
        chosen = self.items[row] if 0 <= row < len(self.items) else None
        self._on_text_changed(self.field.text())
        same = (place for place, item in enumerate(self.items) if chosen is not None and item.text == chosen.text)
        place = next(same, -1)
        if place >= 0:
            self.list.setCurrentIndex(self._model.index(place))

    def _on_text_changed(self, text: str) -> None:
        self._model.set_items(self._search(text))
        first = next((row for row, item in enumerate(self.items) if item.is_enabled), -1)
        if first >= 0:
            self.list.setCurrentIndex(self._model.index(first))
        self._place()

    def _place(self) -> None:
        parent = self._window
        width = min(WIDTH_PX, parent.width() - 32)
        row = self.list.sizeHintForRow(0) if self.items else ROW_PX
        self.list.setFixedHeight(min(max(len(self.items), 1), MAX_ROWS) * row + 4)
        self.setGeometry((parent.width() - width) // 2, 48, width, self.sizeHint().height())

    def _dress(self) -> None:
        theme = current_theme()
        self.setStyleSheet(
            f"#commandPalette {{ background: {theme.raised}; border: 1px solid {theme.border_strong};"
            " border-radius: 8px; }"
        )
        palette = self.list.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(theme.raised))
        self.list.setPalette(palette)
        self.list.setStyleSheet(f"QListView {{ background: {theme.raised}; }}")
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 4)
        self.setGraphicsEffect(shadow)

    def _run(self, row: int) -> None:
        if not 0 <= row < len(self.items) or not self.items[row].is_enabled:
            return
        item = self.items[row]
        self.close_palette()
        item.run()

    def close_palette(self) -> None:
        """Hide and give the focus back."""
        self.hide()
        if self._former_focus is not None:
            self._former_focus.setFocus()
            self._former_focus = None

    def _step(self, step: int) -> None:
        row = self.list.currentIndex().row() + step
        while 0 <= row < len(self.items) and not self.items[row].is_enabled:
            row += 1 if step > 0 else -1
        if 0 <= row < len(self.items):
            self.list.setCurrentIndex(self._model.index(row))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._window and self.isVisible():
            self._place()
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        if watched is self.field and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        return super().eventFilter(watched, event)

    def _on_key(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: MAX_ROWS, Qt.Key.Key_PageUp: -MAX_ROWS}
        key = Qt.Key(event.key())
        if key in steps:
            self._step(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentIndex().row())
        elif key == Qt.Key.Key_Escape:
            self.close_palette()
        else:
            return False
        return True
