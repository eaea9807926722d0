"""Small pictures of marks, drawn once with antialiasing and then stamped by the thousand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from synthstudio.gui.canvas.dashes import dashed_ring_pen

LINE_PX, HALO_PX = 1.5, 3.5
BOLD_LINE_PX, BOLD_HALO_PX = 2.5, 5.0
DOT_PX = 4.0
MAX_CACHED = 1024

REMARK_PX = 14.0
"""Side of the small signs beside marks with a flag or a note; told apart by their shape."""

FLAG_COLOR, NOTE_COLOR, _REMARK_RIM = QColor("#FFC400"), QColor("#FFFFFF"), QColor(16, 16, 16, 220)
_DARK_HALO, _LIGHT_HALO = QColor(16, 16, 16, 150), QColor(255, 255, 255, 190)


def halo_for(color: QColor) -> QColor:
    """Dark under light colours and light under dark ones, so that a mark is seen on any stain."""
    luminance = 0.2126 * color.redF() + 0.7152 * color.greenF() + 0.0722 * color.blueF()
    return _DARK_HALO if luminance > 0.36 else _LIGHT_HALO


class SpriteCache:
    """Sprites in device pixels by what they show. Zooming makes new ones, so the cache is emptied when it is full."""

    def __init__(self) -> None:
        self._sprites: dict[tuple[str, str, int, float, bool], QPixmap] = {}

    def ring(self, color: str, *, diameter: int, dpr: float, bold: bool, dashed: bool = False) -> QPixmap:
        """A circle of a diameter in device pixels with a dot in its middle; a dashed one has none."""
        return self._get(
            ("dashes" if dashed else "ring", color, diameter, dpr, bold),
            lambda: _draw_ring(color, diameter, dpr, bold=bold, dashed=dashed),
        )

    def dot(self, color: str, *, dpr: float, bold: bool, hollow: bool = False) -> QPixmap:
        """A dot of a fixed size on the screen."""
        return self._get(
            ("hollow" if hollow else "dot", color, 0, dpr, bold),
            lambda: _draw_dot(color, dpr, bold=bold, hollow=hollow),
        )

    def cross(self, color: str, *, dpr: float) -> QPixmap:
        """A diagonal cross: a place that a model predicts, not one that a person marked."""
        return self._get(("cross", color, 0, dpr, False), lambda: _draw_cross(color, dpr))

    def flag(self, *, dpr: float) -> QPixmap:
        """A pennant: somebody wants a further look."""
        return self._get(("flag", "", 0, dpr, False), lambda: _draw_flag(dpr))

    def note(self, *, dpr: float) -> QPixmap:
        """A slip of paper: something is written about the mark."""
        return self._get(("note", "", 0, dpr, False), lambda: _draw_note(dpr))

    def _get(self, key: tuple[str, str, int, float, bool], draw: Callable[[], QPixmap]) -> QPixmap:
        sprite = self._sprites.get(key)
        if sprite is None:
            if len(self._sprites) >= MAX_CACHED:
                self._sprites.clear()
            sprite = self._sprites[key] = draw()
        return sprite


def _blank(side: int) -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter


def _draw_ring(color: str, diameter: int, dpr: float, *, bold: bool, dashed: bool) -> QPixmap:
    line, halo = (BOLD_LINE_PX * dpr, BOLD_HALO_PX * dpr) if bold else (LINE_PX * dpr, HALO_PX * dpr)
    pixmap, painter = _blank(diameter + 2 * int(halo + 1))
    middle = QPointF(pixmap.width() / 2, pixmap.height() / 2)
    _stroke_ring(painter, middle, diameter / 2, color=color, line=line, halo=halo, bold=bold, dash_dpr=dpr * dashed)
    if diameter >= 14 * dpr and not dashed:
        _fill_dot(painter, middle, 2 * dpr, color=color, rim=dpr, bold=bold)
    painter.end()
    return pixmap


def _stroke_ring(
    painter: QPainter,
    middle: QPointF,
    radius: float,
    *,
    color: str,
    line: float,
    halo: float,
    bold: bool,
    dash_dpr: float = 0.0,
) -> None:
    """`dash_dpr`: device pixels per widget px of the dashes, 0 for a solid line."""
    paint = QColor(color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    rim, core = QPen(QColor(255, 255, 255, 235) if bold else halo_for(paint), halo), QPen(paint, line)
    for pen in (rim, core):
        if dash_dpr and not (bold and pen is rim):  # what is picked stands out by a closed rim
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern(dashed_ring_pen(2 * radius, line=pen.widthF(), dpr=dash_dpr))
        painter.setPen(pen)
        painter.drawEllipse(middle, radius, radius)


def _fill_dot(painter: QPainter, middle: QPointF, radius: float, *, color: str, rim: float, bold: bool) -> None:
    paint = QColor(color)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 255, 255, 235) if bold else halo_for(paint))
    painter.drawEllipse(middle, radius + rim, radius + rim)
    painter.setBrush(paint)
    painter.drawEllipse(middle, radius, radius)


def _draw_dot(color: str, dpr: float, *, bold: bool, hollow: bool) -> QPixmap:
    radius = DOT_PX / 2 * dpr * (1.5 if bold else 1.0)
    pixmap, painter = _blank(2 * int(radius + (3.0 if hollow else 1.5) * dpr + 1))
    middle = QPointF(pixmap.width() / 2, pixmap.height() / 2)
    if hollow:
        _stroke_ring(painter, middle, radius + dpr, color=color, line=1.25 * dpr, halo=3.0 * dpr, bold=bold)
        painter.end()
        return pixmap
    _fill_dot(painter, middle, radius, color=color, rim=dpr, bold=bold)
    painter.end()
    return pixmap


def _draw_cross(color: str, dpr: float) -> QPixmap:
    arm = 5 * dpr
    pixmap, painter = _blank(2 * int(arm + 3 * dpr))
    middle = pixmap.width() / 2
    paint = QColor(color)
    for pen in (QPen(halo_for(paint), 4.5 * dpr), QPen(paint, 2 * dpr)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(middle - arm, middle - arm), QPointF(middle + arm, middle + arm))
        painter.drawLine(QPointF(middle - arm, middle + arm), QPointF(middle + arm, middle - arm))
    painter.end()
    return pixmap


def _draw_flag(dpr: float) -> QPixmap:
    pixmap, painter = _blank(round(REMARK_PX * dpr))
    painter.scale(dpr, dpr)
    cloth = QPolygonF([QPointF(3.5, 2), QPointF(11.5, 5), QPointF(3.5, 8)])
    pole = (QPointF(3.5, 2), QPointF(3.5, 12))
    painter.setPen(QPen(_REMARK_RIM, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolygon(cloth)
    painter.drawLine(*pole)
    painter.setPen(QPen(FLAG_COLOR, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(*pole)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(FLAG_COLOR)
    painter.drawPolygon(cloth)
    painter.end()
    return pixmap


def _draw_note(dpr: float) -> QPixmap:
    pixmap, painter = _blank(round(REMARK_PX * dpr))
    painter.scale(dpr, dpr)
    painter.setPen(QPen(_REMARK_RIM, 1.5))
    painter.setBrush(NOTE_COLOR)
    painter.drawRoundedRect(QRectF(2.5, 2, 9, 10), 1.5, 1.5)
    painter.setPen(QPen(_REMARK_RIM, 1))
    for y in (5.0, 7.5, 10.0):
        painter.drawLine(QPointF(4.5, y), QPointF(9.5 if y < 10 else 7.5, y))
    painter.end()
    return pixmap


def paint_large_ring(
    painter: QPainter, middle: QPointF, radius: float, *, color: str, bold: bool, dashed: bool = False
) -> None:
    """A circle too large to be worth a sprite; `middle` and `radius` in widget px."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line, halo = (BOLD_LINE_PX, BOLD_HALO_PX) if bold else (LINE_PX, HALO_PX)
    _stroke_ring(painter, middle, radius, color=color, line=line, halo=halo, bold=bold, dash_dpr=float(dashed))
    if not dashed:
        _fill_dot(painter, middle, 2.0, color=color, rim=1.0, bold=bold)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
