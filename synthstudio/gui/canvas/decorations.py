"""What lies over the image without belonging to it: scale bar, minimap, grips, drafts."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTransform

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.drafts import HANDLES, Handle
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import Viewport

CORNER_GAP_PX = 12.0
MINIMAP_PX = 152.0
HANDLE_PX = 8.0
HANDLE_REACH_PX = 7.0
"""Widget px round a grip's middle in which it is hit."""
_BACKING = QColor(0, 0, 0, 140)


def scale_bar_length(*, units_per_px: float, widest_px: float) -> float:
    """The longest of 1, 2, 5 x 10^k units that is no longer than `widest_px` widget px."""
    most = units_per_px * widest_px
    power = 10.0 ** math.floor(math.log10(most))
    return power * max(step for step in (1, 2, 5) if step * power <= most * (1 + 1e-9))


def scale_bar_text(length: float, *, is_calibrated: bool) -> str:
    """The length with its unit: um or mm where the image is calibrated, px where it is not."""
    if not is_calibrated:
        return f"{length:g} px"
    return f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"


def paint_scale_bar(painter: QPainter, viewport: Viewport, um_per_px: float | None) -> None:
    """Paint the bar in the lower left corner."""
    units_per_px = (um_per_px or 1.0) / viewport.scale
    length = scale_bar_length(units_per_px=units_per_px, widest_px=140.0)
    bar_px, text = length / units_per_px, scale_bar_text(length, is_calibrated=bool(um_per_px))
    metrics = QFontMetricsF(painter.font())
    width, height = max(bar_px, metrics.horizontalAdvance(text)) + 20, metrics.height() + 18
    panel = QRectF(CORNER_GAP_PX, viewport.height - CORNER_GAP_PX - height, width, height)
    _paint_backing(painter, panel)
    painter.setPen(QColor("#FFFFFF"))
    text_area = QRectF(panel.left(), panel.top() + 4, panel.width(), metrics.height())
    painter.drawText(text_area, Qt.AlignmentFlag.AlignCenter, text)
    left, bottom = round(panel.center().x() - bar_px / 2), round(panel.bottom()) - 9
    painter.fillRect(QRectF(left, bottom, round(bar_px), 3), QColor("#FFFFFF"))


def minimap_area(pyramid: ImagePyramid, viewport: Viewport) -> QRectF | None:
    """Where the minimap lies, or None while the whole image is in view or the widget is too small for it."""
    visible = viewport.visible_box()
    everything = visible.x0 <= 0 and visible.y0 <= 0 and visible.x1 >= pyramid.width and visible.y1 >= pyramid.height
    if everything or min(viewport.width, viewport.height) < 2 * MINIMAP_PX:
        return None
    sides = (pyramid.height, pyramid.width) if viewport.turns % 2 else (pyramid.width, pyramid.height)
    per_px = MINIMAP_PX / max(sides)
    width, height = (max(round(side * per_px), 4) for side in sides)
    return QRectF(
        viewport.width - CORNER_GAP_PX - width, viewport.height - CORNER_GAP_PX - height, float(width), float(height)
    )


def _minimap_to_widget(area: QRectF, pyramid: ImagePyramid, viewport: Viewport) -> QTransform:
    """Maps image px into the minimap: stretched to fill it exactly, and turned as the view is."""
    cos, sin = viewport.turn
    turned = QTransform(cos, sin, -sin, cos, 0, 0)
    image = turned.mapRect(QRectF(0, 0, pyramid.width, pyramid.height))
    stretch_x, stretch_y = area.width() / image.width(), area.height() / image.height()
    placed = QTransform(stretch_x, 0, 0, stretch_y, area.left() - image.left() * stretch_x, 0)
    placed *= QTransform.fromTranslate(0, area.top() - image.top() * stretch_y)
    return turned * placed


def paint_minimap(painter: QPainter, area: QRectF, pyramid: ImagePyramid, viewport: Viewport) -> None:
    """Paint the whole image small, with a frame round what the view shows."""
    _paint_backing(painter, area.adjusted(-3, -3, 3, 3))
    to_widget = _minimap_to_widget(area, pyramid, viewport)
    level = pyramid.level_for(max(area.width(), area.height()) * viewport.dpr / max(pyramid.width, pyramid.height))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.save()
    painter.setTransform(to_widget, True)
    painter.drawImage(QRectF(0, 0, pyramid.width, pyramid.height), level, QRectF(level.rect()))
    painter.restore()
    visible = viewport.visible_box()
    shown = to_widget.mapRect(QRectF(visible.x0, visible.y0, visible.width, visible.height)).intersected(area)
    shown.setSize(shown.size().expandedTo(QRectF(0, 0, 5, 5).size()))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((QColor(0, 0, 0, 170), 3.0), (QColor("#FFFFFF"), 1.0)):
        painter.setPen(QPen(color, width))
        painter.drawRect(shown)


def minimap_to_image(area: QRectF, position: QPointF, pyramid: ImagePyramid, viewport: Viewport) -> tuple[float, float]:
    """The image point under a position in the minimap."""
    back, _ = _minimap_to_widget(area, pyramid, viewport).inverted()
    place = back.map(position)
    return place.x(), place.y()


def handle_position(box: Box, handle: Handle, viewport: Viewport) -> tuple[float, float]:
    """Widget px of a grip's middle."""
    x, y = box.center
    return viewport.to_widget(x + handle.side_x * box.width / 2, y + handle.side_y * box.height / 2)


def shown_handles(box: Box, viewport: Viewport) -> tuple[Handle, ...]:
    """All eight grips, only the corners of a box that is small on the screen, none of a tiny one."""
    side = min(box.width, box.height) * viewport.scale
    if side < 2 * HANDLE_PX:
        return ()
    return HANDLES if side >= 5 * HANDLE_PX else tuple(handle for handle in HANDLES if handle.side_x and handle.side_y)


def paint_handles(painter: QPainter, box: Box, viewport: Viewport, *, accent: str) -> None:
    """Paint the grips of a selected box."""
    painter.setPen(QPen(QColor(accent), 1.5))
    painter.setBrush(QColor("#FFFFFF"))
    for handle in shown_handles(box, viewport):
        x, y = handle_position(box, handle, viewport)
        painter.drawRect(QRectF(round(x) - HANDLE_PX / 2, round(y) - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX))


def paint_frame(painter: QPainter, box: Box, viewport: Viewport, *, color: QColor, filled: bool) -> None:
    """Paint a draft: a rubber band (filled) or a box in the making."""
    shown = viewport.box_to_widget(box)
    area = QRectF(QPointF(round(shown.x0), round(shown.y0)), QPointF(round(shown.x1), round(shown.y1)))
    fill = QColor(color)
    fill.setAlpha(40)
    painter.setBrush(fill if filled else Qt.BrushStyle.NoBrush)
    for paint, width in ((QColor(0, 0, 0, 130), 3.5), (color, 1.5)):
        painter.setPen(QPen(paint, width))
        painter.drawRect(area)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_backing(painter: QPainter, area: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BACKING)
    painter.drawRoundedRect(area, 4, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
