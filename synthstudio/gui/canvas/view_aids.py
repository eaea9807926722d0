"""What helps the eye and is no part of the data: crosshair, loupe, ruler, lasso."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF

from synthstudio.gui.canvas.drafts import Line, Pointer
from synthstudio.gui.canvas.view_state import Viewport, ViewState

LOUPE_PX, LOUPE_GAP_PX = 180.0, 22.0
LOUPE_POWERS = (3, 4, 5, 6, 8)
_DARK, _LIGHT = QColor(0, 0, 0, 150), QColor(255, 255, 255, 230)


def paint_crosshair(painter: QPainter, pointer: Pointer, viewport: Viewport) -> None:
    """Paint lines through the whole view that leave the pointer's own place free."""
    x, y, gap = round(pointer.widget_x) + 0.5, round(pointer.widget_y) + 0.5, 10.0
    lines = [
        QLineF(0, y, x - gap, y),
        QLineF(x + gap, y, viewport.width, y),
        QLineF(x, 0, x, y - gap),
        QLineF(x, y + gap, x, viewport.height),
    ]
    for color, width in ((_DARK, 3.0), (_LIGHT, 1.0)):
        painter.setPen(QPen(color, width))
        painter.drawLines(lines)


def loupe_area(pointer: Pointer, viewport: Viewport) -> QRectF:
    """Where the loupe lies: up and right of the pointer, on its other side where there is no room."""
    x, y = pointer.widget_x + LOUPE_GAP_PX, pointer.widget_y - LOUPE_GAP_PX - LOUPE_PX
    if x + LOUPE_PX > viewport.width:
        x = pointer.widget_x - LOUPE_GAP_PX - LOUPE_PX
    if y < 0:
        y = pointer.widget_y + LOUPE_GAP_PX
    return QRectF(round(x), round(y), LOUPE_PX, LOUPE_PX)


def loupe_viewport(pointer: Pointer, viewport: Viewport, *, power: int) -> Viewport:
    """What the loupe shows: the place under the pointer, `power` times larger than the view does."""
    state = ViewState(pointer.x, pointer.y, viewport.scale * power, viewport.turns)
    return Viewport(state, LOUPE_PX, LOUPE_PX, viewport.dpr)


def paint_loupe(painter: QPainter, picture: QImage, area: QRectF, *, power: int) -> None:
    """Paint a round cut of the magnified picture, with a small cross over its middle and its power at its foot."""
    circle = QPainterPath()
    circle.addEllipse(area)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(circle)
    painter.drawImage(area.topLeft(), picture)
    painter.setClipping(False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((_DARK, 4.0), (_LIGHT, 2.0)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(area)
    middle = area.center()
    for color, width in ((_DARK, 3.0), (_LIGHT, 1.0)):
        painter.setPen(QPen(color, width))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(middle + QPointF(5 * dx, 5 * dy), middle + QPointF(12 * dx, 12 * dy))
    painter.restore()
    _paint_tag(painter, f"{power}×", QPointF(middle.x(), area.bottom() - 14))


def paint_ruler(painter: QPainter, line: Line, viewport: Viewport, um_per_px: float | None) -> None:
    """Paint a measured line with its length beside it."""
    start, end = QPointF(*viewport.to_widget(line.x0, line.y0)), QPointF(*viewport.to_widget(line.x1, line.y1))
    shown = QLineF(start, end)
    across = shown.normalVector().unitVector()
    tick = QPointF(across.dx(), across.dy()) * 6
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for color, width in ((_DARK, 4.0), (_LIGHT, 1.5)):
        painter.setPen(QPen(color, width))
        painter.drawLine(shown)
        for place in (start, end):
            painter.drawLine(place - tick, place + tick)
    painter.restore()
    _paint_tag(painter, length_text(line.length, um_per_px), shown.center() + QPointF(0, 16))


def length_text(length_px: float, um_per_px: float | None) -> str:
    """A length in px, and in µm or mm where the image is calibrated."""
    text = f"{length_px:.1f} px"
    if not um_per_px:
        return text
    length_um = length_px * um_per_px
    return f"{text} · {length_um / 1000:.3f} mm" if length_um >= 1000 else f"{text} · {length_um:.2f} µm"


def paint_lasso(painter: QPainter, points: Sequence[tuple[float, float]], viewport: Viewport, *, color: QColor) -> None:
    """Paint the loop so far, closed by a straight way back."""
    loop = QPolygonF([QPointF(*viewport.to_widget(x, y)) for x, y in points])
    fill = QColor(color)
    fill.setAlpha(40)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(fill)
    for paint, width in ((QColor(0, 0, 0, 130), 3.5), (color, 1.5)):
        painter.setPen(QPen(paint, width))
        painter.drawPolygon(loop)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.restore()


def _paint_tag(painter: QPainter, text: str, middle: QPointF) -> None:
    metrics = QFontMetricsF(painter.font())
    width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 2
    tag = QRectF(round(middle.x() - width / 2), round(middle.y() - height / 2), width, height)
    painter.fillRect(tag, QColor(0, 0, 0, 170))
    painter.setPen(QColor("#FFFFFF"))
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
