"""Lines over an image that belong to no annotation: contours of a map, boxes that it suggests, an area to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.native_arrays import paint_segments
from synthstudio.gui.canvas.view_state import Viewport

OUTLINE = "#000000"
OUTLINE_ALPHA = 150
MAX_FINE_LINES = 2500
"""With more in view they are drawn thin, without smooth edges and outline: panning stays fluid."""


@dataclass(frozen=True, slots=True)
class LineLayer:
    """Lines in one style.

    Attributes:
        segments: `(N, 4)` float64: x0, y0, x1, y1 in image px.
        color: Of the lines; they have a dark outline, so that they are seen on any ground.
        width: In widget px.
        is_dashed: Dashes tell what is suggested from what was marked.
        outline: Colour of the outline; a bright one fills the gaps of dashes.
    """

    segments: NDArray[np.float64]
    color: str
    width: float = 1.5
    is_dashed: bool = False
    outline: str = OUTLINE


def box_segments(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """The sides of boxes as `(4 * N, 4)` segments."""
    sides = [
        side
        for box in boxes
        for side in (
            (box.x0, box.y0, box.x1, box.y0),
            (box.x1, box.y0, box.x1, box.y1),
            (box.x1, box.y1, box.x0, box.y1),
            (box.x0, box.y1, box.x0, box.y0),
        )
    ]
    return np.array(sides, np.float64).reshape(-1, 4)


def paint_lines(painter: QPainter, layers: Sequence[LineLayer], viewport: Viewport, dirty: QRectF) -> None:
    """Paint layers, later ones on top; what lies outside `dirty` (widget px) is left out."""
    if not layers:
        return
    painter.save()
    for layer in layers:
        lines = _lines_in(layer.segments, viewport, dirty)
        is_fine = len(lines) <= MAX_FINE_LINES
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, is_fine)
        if is_fine:
            halo = QColor(OUTLINE)
            halo.setAlpha(OUTLINE_ALPHA)
            painter.setPen(QPen(halo, layer.width + 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            paint_segments(painter, lines)
        style = Qt.PenStyle.DashLine if layer.is_dashed and is_fine else Qt.PenStyle.SolidLine
        width = layer.width if is_fine else 0.0
        painter.setPen(QPen(QColor(layer.color), width, style, Qt.PenCapStyle.RoundCap))
        paint_segments(painter, lines)
    painter.restore()


def _lines_in(segments: NDArray[np.float64], viewport: Viewport, dirty: QRectF) -> NDArray[np.float64]:
    """Those of the segments that touch `dirty`, `(N, 4)` in widget px."""
    ends = np.hstack([viewport.points_to_widget(segments[:, :2]), viewport.points_to_widget(segments[:, 2:])])
    margin = 4.0
    inside = (
        (np.maximum(ends[:, 0], ends[:, 2]) >= dirty.left() - margin)
        & (np.minimum(ends[:, 0], ends[:, 2]) <= dirty.right() + margin)
        & (np.maximum(ends[:, 1], ends[:, 3]) >= dirty.top() - margin)
        & (np.minimum(ends[:, 1], ends[:, 3]) <= dirty.bottom() + margin)
    )
    return ends[inside]
