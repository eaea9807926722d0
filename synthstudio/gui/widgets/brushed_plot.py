"""A plot made of cells, such as bars, of which one or several are chosen: by mouse or by keys."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QGraphicsRectItem, QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.themed_plot import ThemedPlot

BRUSH_ALPHA = 60
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True, slots=True)
class Cells:
    """A range of cells, both ends included; columns from the left, rows from the top."""

    left: int
    top: int
    right: int
    bottom: int


class BrushedPlot(ThemedPlot):
    """Cells are dragged over, or clicked at; or chosen by the arrow keys, with Shift several, and told by Return.

    A derived class says where its cells are. Where `has_brush` is False, it is a plot like any other.

    Signals:
        brushed: (Cells) What was chosen.
    """

    brushed = Signal(object)
    takes_one = False
    """Whether only one cell is chosen at a time."""

    def __init__(self, title: str, parent: QWidget | None = None, *, has_brush: bool = False) -> None:
        super().__init__(title, parent)
        self._has_brush = has_brush
        self._first: tuple[int, int] | None = None
        self._last = (0, 0)
        self._is_dragged = False
        self._shade = QGraphicsRectItem()
        self._shade.setZValue(10)
        self._shade.hide()
        self.addItem(self._shade, ignoreBounds=True)
        if has_brush:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)

    def _shape_of_cells(self) -> tuple[int, int]:
        """Number of columns and rows; a zero where there is nothing to choose."""
        raise NotImplementedError(type(self))

    def _cell_at(self, point: QPointF) -> tuple[int, int]:
        """Column and row of the cell at, or nearest to, a point in the values of the axes."""
        raise NotImplementedError(type(self))

    def _area_of(self, cells: Cells) -> QRectF:
        """What some cells cover, in the values of the axes."""
        raise NotImplementedError(type(self))

    @property
    def chosen(self) -> Cells | None:
        """The cells that are marked as chosen."""
        if self._first is None:
            return None
        (a, b), (c, d) = self._first, self._last
        return Cells(min(a, c), min(b, d), max(a, c), max(b, d))

    def clear_brush(self) -> None:
        """Choose nothing."""
        self._first = None
        self._is_dragged = False
        self._show_brush()

    def _show_brush(self) -> None:
        chosen = self.chosen
        self._shade.setVisible(chosen is not None)
        if chosen is not None:
            self._shade.setRect(self._area_of(chosen))

    @override
    def _dress(self) -> None:
        super()._dress()
        color = QColor(current_theme().accent)
        self._shade.setPen(pg.mkPen(color, width=0))
        color.setAlpha(BRUSH_ALPHA)
        self._shade.setBrush(color)
        self._show_brush()

    def _tell(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.brushed.emit(chosen)

    # Mouse

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._has_brush or event.button() != Qt.MouseButton.LeftButton or 0 in self._shape_of_cells():
            super().mousePressEvent(event)
            return
        self._first = self._last = self._cell_under(event)
        self._is_dragged = True
        self._show_brush()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_dragged:
            self._go_to(self._cell_under(event), is_range=True)
        else:
            super().mouseMoveEvent(event)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._is_dragged:
            super().mouseReleaseEvent(event)
            return
        self._go_to(self._cell_under(event), is_range=True)
        self._is_dragged = False
        self._tell()

    def _cell_under(self, event: QMouseEvent) -> tuple[int, int]:
        point = self.mapToScene(event.position().toPoint())
        return self._cell_at(self.getPlotItem().vb.mapSceneToView(point))

    # Keys

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns, rows = self._shape_of_cells() if self._has_brush else (0, 0)
        step = _STEPS.get(Qt.Key(event.key()))
        if not columns * rows:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._first is not None:
            self._tell()
        elif event.key() == Qt.Key.Key_Escape and self._first is not None:
            self.clear_brush()
        elif step is not None and (rows > 1 or not step[1]):
            has_none = self._first is None
            column, row = (0, 0) if has_none else (self._last[0] + step[0], self._last[1] + step[1])
            place = min(max(column, 0), columns - 1), min(max(row, 0), rows - 1)
            self._go_to(place, is_range=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and not has_none)
        else:
            super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._mark_focus()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mark_focus()

    def _mark_focus(self) -> None:
        theme = current_theme()
        is_focused = self._has_brush and self.hasFocus()
        self.getPlotItem().vb.setBorder(pg.mkPen(theme.accent, width=0) if is_focused else None)

    def _go_to(self, place: tuple[int, int], *, is_range: bool) -> None:
        self._last = place
        if not is_range or self._first is None or self.takes_one:
            self._first = place
        self._show_brush()
        chosen = self.chosen
        if chosen is not None:
            self._read_out(self._area_of(chosen).center())
