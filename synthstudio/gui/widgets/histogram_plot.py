"""How often each brightness occurs, with handles for black and white."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from synthstudio.core.imaging import Histogram
from synthstudio.gui.theme import current_theme

HANDLE_PX = 6.0
CURVE_COLORS = ("#D55E00", "#009E73", "#0072B2")
"""Red, green and blue that colour-blind users tell apart."""
KEY_STEP = 1 / 256
MIN_GAP = 1 / 4096
N_COLUMNS = 256


class HistogramPlot(QWidget):
    """Black and white are dragged, or moved by the arrow keys (with Shift the white one).

    Signals:
        range_dragged: (black, white), shares of the full scale.
    """

    range_dragged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._histogram: Histogram | None = None
        self._black, self._white = 0.0, 1.0
        self._dragged = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram with black and white point")
        self.setToolTip("Drag the ends: what lies beyond becomes black or white. Arrow keys too; Shift for white")

    @override
    def sizeHint(self) -> QSize:
        return QSize(160, 5 * self.fontMetrics().height())

    def set_histogram(self, histogram: Histogram | None) -> None:
        """Show other counts; None while they are not known."""
        self._histogram = histogram
        self.update()

    def set_range(self, black: float, white: float) -> None:
        """Show where black and white are, as shares of the full scale."""
        self._black, self._white = black, white
        self.update()

    # Painting

    def _plot_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(HANDLE_PX, 2, -HANDLE_PX, -2 * HANDLE_PX)

    def _x_of(self, share: float) -> float:
        area = self._plot_area()
        return area.left() + share * area.width()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme, area = QPainter(self), current_theme(), self._plot_area()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(area, QColor(theme.surround))
        if self._histogram is not None:
            self._paint_curves(painter, area, self._histogram)
        shade = QColor(theme.text)
        shade.setAlpha(60)
        painter.fillRect(QRectF(area.topLeft(), QPointF(self._x_of(self._black), area.bottom())), shade)
        painter.fillRect(QRectF(QPointF(self._x_of(self._white), area.top()), area.bottomRight()), shade)
        for share, fill in ((self._black, "#000000"), (self._white, "#FFFFFF")):
            x, top = self._x_of(share), area.bottom()
            painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.text_muted), 1.0))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, top))
            painter.setBrush(QColor(fill))
            tip, base = QPointF(x, top), top + 2 * HANDLE_PX - 2
            painter.drawPolygon(QPolygonF([tip, QPointF(x - HANDLE_PX + 1, base), QPointF(x + HANDLE_PX - 1, base)]))

    def _paint_curves(self, painter: QPainter, area: QRectF, histogram: Histogram) -> None:
        counts = histogram.counts
        columns = counts.reshape(len(counts), N_COLUMNS, -1).sum(axis=2) if counts.shape[1] % N_COLUMNS == 0 else counts
        heights = np.sqrt(columns.astype(np.float64))  # the root shows rare objects beside the background
        heights /= max(1.0, float(np.quantile(heights.max(axis=0), 0.995)))
        n_bins = heights.shape[1]
        xs = area.left() + (np.arange(n_bins) + 0.5) / n_bins * area.width()
        colors = CURVE_COLORS if len(heights) == 3 else (current_theme().text_muted,)
        for row, color in zip(heights, colors, strict=True):
            ys = area.bottom() - np.minimum(row, 1.0) * (area.height() - 2)
            painter.setPen(QPen(QColor(color), 1.2))
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(xs, ys, strict=True)]))

    # Pointer and keys

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        to_black, to_white = abs(x - self._x_of(self._black)), abs(x - self._x_of(self._white))
        self._dragged = "black" if to_black < to_white else "white"
        self.mouseMoveEvent(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self._plot_area()
        self._move(self._dragged, (event.position().x() - area.left()) / max(area.width(), 1.0))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = ""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -KEY_STEP, Qt.Key.Key_Right: KEY_STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._move("white", self._white + step)
        else:
            self._move("black", self._black + step)

    def _move(self, which: str, share: float) -> None:
        if which == "black":
            self._black = min(max(share, 0.0), self._white - MIN_GAP)
        elif which == "white":
            self._white = max(min(share, 1.0), self._black + MIN_GAP)
        else:
            return
        self.update()
        self.range_dragged.emit(self._black, self._white)
