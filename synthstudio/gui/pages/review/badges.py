"""Verdicts as signs: each has a shape of its own besides its colour, to be told apart by colour-blind eyes."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from typing_extensions import override

from synthstudio.core.review.verdicts import Outcome
from synthstudio.gui.pages.review.verdict_desk import VerdictDesk
from synthstudio.gui.widgets.tile_grid import TileGrid

COLORS = {
    Outcome.ACCEPTED: "#0072B2",
    Outcome.REJECTED: "#D55E00",
    Outcome.UNSURE: "#F0E442",
    Outcome.DISAGREED: "#CC79A7",
}
"""Of Okabe and Ito (2008)."""
SHARE, LEAST_PX, MOST_PX = 0.24, 14.0, 30.0
"""Side of a sign: a share of the tile's, within bounds."""


def paint_badge(painter: QPainter, outcome: Outcome, corner: QPointF, side: float) -> None:
    """Paint the sign of a verdict whose upper right corner is `corner`; nothing where there is none."""
    if outcome is Outcome.UNDECIDED:
        return
    area = QRectF(corner.x() - side, corner.y(), side, side).adjusted(1, 1, -1, -1)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#FFFFFF"), 1.5))
    painter.setBrush(QColor(COLORS[outcome]))
    ink = QPen(QColor("#202020" if outcome is Outcome.UNSURE else "#FFFFFF"), max(1.5, side / 9))
    ink.setCapStyle(Qt.PenCapStyle.RoundCap)
    match outcome:
        case Outcome.ACCEPTED:
            painter.drawEllipse(area)
            strokes = [[(0.27, 0.52), (0.44, 0.70), (0.75, 0.32)]]
        case Outcome.REJECTED:
            painter.drawRect(area)
            strokes = [[(0.27, 0.27), (0.73, 0.73)], [(0.73, 0.27), (0.27, 0.73)]]
        case Outcome.UNSURE:
            painter.drawPolygon(_polygon(area, [(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)]))
            strokes = [[(0.5, 0.28), (0.5, 0.56)], [(0.5, 0.72), (0.5, 0.73)]]
        case _:
            painter.drawPolygon(_polygon(area, [(0.5, 0.0), (1.0, 1.0), (0.0, 1.0)]))
            strokes = [[(0.34, 0.62), (0.66, 0.62)], [(0.34, 0.82), (0.66, 0.82)]]
    painter.setPen(ink)
    for stroke in strokes:
        painter.drawPolyline(_polygon(area, stroke))
    painter.restore()


def _polygon(area: QRectF, corners: list[tuple[float, float]]) -> QPolygonF:
    return QPolygonF([QPointF(area.x() + x * area.width(), area.y() + y * area.height()) for x, y in corners])


class ReviewGrid(TileGrid):
    """A grid of images, each with the sign of its verdict.

    Attributes:
        desk: Knows the verdicts.
        shows_others: Mark disagreements, which tells what others have said.
    """

    desk: VerdictDesk | None = None
    shows_others = False

    @override
    def _paint_tile(self, painter: QPainter, place: int, rect: QRect) -> None:
        super()._paint_tile(painter, place, rect)
        if self.desk is None:
            return
        index = int(self._keys[place])
        side = min(max(SHARE * rect.width(), LEAST_PX), MOST_PX)
        corner = QPointF(rect.right() - 2, rect.top() + 3)
        paint_badge(painter, self.desk.mark_of(index), corner, side)
        if self.shows_others and self.desk.is_disagreed(index):
            paint_badge(painter, Outcome.DISAGREED, QPointF(corner.x() - side - 2, corner.y()), side)
