"""Shows one crop of an FOV, with its dimmed surroundings."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Box, CropSquare
from synthstudio.gui.canvas.image_view import ImageView
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.theme import current_theme

DIM_ALPHA = 170
"""The surroundings stay recognisable, and nobody counts what lies in them."""


class CropView(ImageView):
    """An image view that is held on a crop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._square: CropSquare | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the one who asks about the crop

    def set_square(self, square: CropSquare | None) -> None:
        """Show another crop, as large as it fits."""
        self._square = square
        self._hold()
        self.update()

    def _hold(self) -> None:
        if self._square is not None:
            self.show_box(_box(self._square))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hold()

    @override
    def _paint_over_image(self, painter: QPainter, viewport: Viewport, dirty: QRectF) -> None:
        if self._square is None:
            return
        area = viewport.box_to_widget(_box(self._square))
        crop = QRectF(area.x0, area.y0, area.width, area.height)
        outside = QPainterPath()
        outside.addRect(QRectF(self.rect()))
        inside = QPainterPath()
        inside.addRect(crop)
        dim = QColor(current_theme().surround)
        dim.setAlpha(DIM_ALPHA)
        painter.fillPath(outside.subtracted(inside), dim)
        painter.setPen(QPen(QColor(current_theme().accent), 0))
        painter.drawRect(crop)


def _box(square: CropSquare) -> Box:
    return Box(square.x, square.y, square.x + square.side, square.y + square.side)
