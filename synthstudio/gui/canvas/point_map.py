"""A map of points in groups: panned, zoomed, and picked by a lasso. A hundred thousand are stamped, not drawn."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from typing_extensions import override

from synthstudio.gui.canvas.native_arrays import paint_sprites
from synthstudio.gui.canvas.plane_view import MARGIN_PX, PlaneView, Rows
from synthstudio.gui.theme import Theme, current_theme
from synthstudio.gui.widgets.exporting import draw_svg

FADED = 0.35
ZOOM_STEP = 1.25
RADII_PX = ((1_500, 4.0), (10_000, 3.0), (40_000, 2.2))
"""Radius of a point where there are at most so many; `LEAST_RADIUS_PX` for more."""
LEAST_RADIUS_PX = 1.6
LASSO_ALPHA = 28
MOST_MOVING, SETTLED_MS = 20_000, 120
"""While the view moves so many points stand for all: they are mixed; then all of them are stamped."""
_ORDER_KEY = 77
_ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What is shown.

    Attributes:
        positions: `(N, 2)`, x to the right and y up, within -1 to 1.
        group_of: `(N,)` place of the group.
        names, colors: Of the groups.
    """

    positions: NDArray[np.float32]
    group_of: Rows
    names: tuple[str, ...]
    colors: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.positions)


NO_POINTS = Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), (), ())
NO_ROWS: Rows = np.zeros(0, np.int64)


class PointMap(QWidget):
    """Click takes the nearest point, a drag all inside the lasso, with Ctrl or Shift in addition; the wheel zooms, the
    middle button moves the map, the arrow keys go from point to point.

    Attributes:
        describe: Says what a row is, under the pointer and in the table.

    Signals:
        selection_changed: By the user, not by `select`.
        activated: (row) Double click or Return.
        menu_requested: (global position)
    """

    selection_changed = Signal()
    activated = Signal(int)
    menu_requested = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points = NO_POINTS
        self.view = PlaneView()
        self.describe: Callable[[int], str] = str
        self._placeholder = ""
        self._selected, self._order = NO_ROWS, NO_ROWS
        self._stamped: QPixmap | None = None
        self._lasso: list[QPointF] = []
        self._moved_from: QPointF | None = None
        self._hovered = -1
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLED_MS)
        self._settling.timeout.connect(self._restamp)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Map of the pictures")
        self.setMinimumSize(160, 120)

    # What is shown

    def set_points(self, points: Points) -> None:
        """Show other points; nothing is selected then."""
        self._selected, self._hovered = NO_ROWS, -1
        self.view.set_positions(points.positions)
        self.view.fit()
        # Mixed, or the last group would lie over all others.
        self._order = np.random.Generator(np.random.Philox(key=_ORDER_KEY)).permutation(len(points))
        self.set_groups(points)

    def set_groups(self, points: Points) -> None:
        """Show the same points in other groups."""
        self.points = points
        self._restamp()

    def set_placeholder(self, text: str) -> None:
        """Say something while there are no points."""
        self._placeholder = text
        self.update()

    @property
    def selected(self) -> Rows:
        """Rows of the selected points, rising."""
        return self._selected

    def select(self, rows: Sequence[int] | Rows) -> None:
        """Select these, and tell nobody."""
        self._selected = np.unique(np.asarray(rows, np.int64))
        self._restamp()

    def fit(self) -> None:
        """Show all of the map."""
        self.view.fit()
        self._restamp()

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Enlarge about a place of the widget, or its middle."""
        self.view.zoom_by(factor, about)
        self._move()

    @Slot()
    def _restamp(self) -> None:
        self._stamped = None
        self.update()

    def _move(self) -> None:
        """Other points are in sight now, and perhaps others in a moment."""
        self._settling.start()
        self._restamp()

    # Painting

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        if self._stamped is None:
            self._stamped = self._stamp(theme)
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._stamped)
            if not len(self.points) and self._placeholder:
                painter.setPen(QColor(theme.text_muted))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(self.rect().adjusted(MARGIN_PX, 0, -MARGIN_PX, 0), flags, self._placeholder)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.accent), 1))
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if 0 <= self._hovered < len(self.points):
                painter.setPen(QPen(QColor(theme.text), 1.5))
                painter.drawEllipse(QPointF(*self.view.places[self._hovered]), self._radius + 3, self._radius + 3)
            if len(self._lasso) > 1:
                tint = QColor(theme.accent)
                painter.setPen(QPen(tint, 1.5, Qt.PenStyle.DashLine))
                tint.setAlpha(LASSO_ALPHA)
                painter.setBrush(tint)
                painter.drawPolygon(QPolygonF(self._lasso))

    @property
    def _radius(self) -> float:
        return next((radius for most, radius in RADII_PX if len(self.points) <= most), LEAST_RADIUS_PX)

    def _stamp(self, theme: Theme) -> QPixmap:
        dpr = self.devicePixelRatioF()
        stamped = QPixmap(self.size() * dpr)
        stamped.setDevicePixelRatio(dpr)
        stamped.fill(QColor(theme.panel))
        if not len(self.points):
            return stamped
        order = self.view.in_sight(self._order[:MOST_MOVING] if self._settling.isActive() else self._order)
        is_selected = np.isin(order, self._selected)
        sheet = _dots(self.points.colors, theme.panel, radius=self._radius * dpr)
        with QPainter(stamped) as painter:
            if len(self._selected):
                painter.setOpacity(FADED)
                self._paint(painter, order[~is_selected], sheet, dpr)
                painter.setOpacity(1.0)
                sheet = _dots(self.points.colors, theme.text, radius=(self._radius + 0.5) * dpr)
                order = order[is_selected]
            self._paint(painter, order, sheet, dpr)
        return stamped

    def _paint(self, painter: QPainter, rows: Rows, sheet: QPixmap, dpr: float) -> None:
        points = self.points
        places = self.view.places[rows]
        paint_sprites(painter, places, sheet, dpr=dpr, cells=points.group_of[rows], n_cells=len(points.colors))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view.set_size(self.size())
        self._restamp()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_stamped"):  # Qt tells of it while this is made
            self._restamp()

    # Picking

    def _pick(self, rows: Rows | Sequence[int], *, is_added: bool = False) -> None:
        found = np.asarray(rows, np.int64)
        self.select(np.concatenate([self._selected, found]) if is_added else found)
        self.selection_changed.emit()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._lasso = [event.position()]
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._moved_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._moved_from is not None:
            self.view.move_by(at - self._moved_from)
            self._moved_from = at
            self._move()
        elif self._lasso:
            self._lasso.append(at)
            self.update()
        elif (row := self.view.row_at(at)) != self._hovered:
            self._hovered = row
            self.update()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._moved_from = None
            self.unsetCursor()
        if event.button() != Qt.MouseButton.LeftButton or not self._lasso:
            return
        lasso, self._lasso = self._lasso, []
        is_added = bool(event.modifiers() & _ADDING)
        far = max((each - lasso[0]).manhattanLength() for each in lasso)
        if far >= QApplication.startDragDistance() and len(lasso) > 2:
            self._pick(self.view.rows_within(lasso), is_added=is_added)
        else:
            row = self.view.row_at(lasso[0])
            self._pick([row] if row >= 0 else [], is_added=is_added)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row = self.view.row_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.activated.emit(row)

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_requested.emit(event.globalPos())

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _ARROWS:
            row = self.view.row_beyond(int(self._selected[0]) if len(self._selected) else None, _ARROWS[key])
            if row is not None:
                self._pick([row])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(self._selected):
            self.activated.emit(int(self._selected[0]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.zoom_by(ZOOM_STEP if key == Qt.Key.Key_Plus else 1 / ZOOM_STEP)
        elif key == Qt.Key.Key_Home:
            self.fit()
        elif key == Qt.Key.Key_Escape and len(self._selected):
            self._pick([])
        elif key == Qt.Key.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._pick(np.arange(len(self.points)))
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.view.row_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.describe(row) if row >= 0 else "", self)
            return True
        return super().event(event)

    # Saving

    def to_svg(self) -> bytes:
        """The map as SVG."""
        return draw_svg(self, "Map")

    def to_csv(self) -> bytes:
        """One row per point."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["x", "y", "group", "picture"])
        for row, (x, y) in enumerate(self.points.positions.tolist()):
            name = self.points.names[int(self.points.group_of[row])]
            writer.writerow([f"{x:.6g}", f"{y:.6g}", name, self.describe(row).splitlines()[0]])
        return text.getvalue().encode()


def _dots(colors: Sequence[str], rim: str, *, radius: float) -> QPixmap:
    """A dot of each colour, side by side, in device px."""
    side = 2 * int(radius + 2)
    sheet = QPixmap(side * len(colors), side)
    sheet.fill(Qt.GlobalColor.transparent)
    with QPainter(sheet) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(rim), 0.8))
        for number, color in enumerate(colors):
            painter.setBrush(QColor(color))
            painter.drawEllipse(QPointF((number + 0.5) * side, side / 2), radius, radius)
    return sheet
