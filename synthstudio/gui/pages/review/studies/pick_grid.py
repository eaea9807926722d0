"""The images of one page of a reading study, of which some are picked."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid

RIM_PX, CURSOR_PX = 4, 2
SIGN_PX = 22
CHECK_MARK = ((0.22, 0.52), (0.42, 0.72), (0.78, 0.3))
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class PickGrid(ImageGrid):
    """A click or Space picks an image or leaves it again; the arrow keys walk. Nothing can be saved from here.

    Signals:
        toggled: (place) The reader wants the image picked, or no longer.
    """

    toggled = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Images of the study")
        self._picked: frozenset[int] = frozenset()
        self._cursor = 0
        self._can_pick = True

    @property
    def cursor_place(self) -> int:
        """Place of the image that Space would pick."""
        return self._cursor

    def show_page(self, images: Sequence[QImage], *, can_pick: bool) -> None:
        """Show other images, none of them picked; where `can_pick` is false, they are only looked at."""
        self._picked, self._cursor, self._can_pick = frozenset(), 0, can_pick
        self.set_images([GridImage(each) for each in images])

    def set_picked(self, places: Collection[int]) -> None:
        """Mark these as picked."""
        self._picked = frozenset(places)
        self.viewport().update()

    @override
    def tile_rect(self, index: int) -> QRectF:
        """As in any grid, but a page that leaves room stands in the middle of it: the eye rests there."""
        rows = math.ceil(len(self.images) / self._columns())
        free = self.viewport().height() - rows * self._row_step()
        return super().tile_rect(index).translated(0.0, max(0.0, free / 2))

    @override
    def _paint_tile(self, painter: QPainter, image: GridImage, tile: QRectF) -> None:
        super()._paint_tile(painter, image, tile)
        place = next((place for place, each in enumerate(self.images) if each is image), -1)
        theme = current_theme()
        if place in self._picked:
            pen = QPen(QColor(theme.accent), RIM_PX)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(tile.adjusted(RIM_PX / 2, RIM_PX / 2, -RIM_PX / 2, -RIM_PX / 2))
            _paint_check(painter, tile)
        if self._can_pick and place == self._cursor and self.hasFocus():
            painter.setPen(QPen(QColor(theme.text), CURSOR_PX, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(tile.adjusted(-CURSOR_PX, -CURSOR_PX, CURSOR_PX, CURSOR_PX))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self._move_to(place)
            self._toggle()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)  # two quick clicks on neighbours are two picks

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()  # what is on a page stays on it: no copies

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in STEPS:
            self._move_to(self._cursor + STEPS[key])
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move_to(self._cursor + self._columns() * (1 if key == Qt.Key.Key_Down else -1))
        elif key == Qt.Key.Key_Space:
            self._toggle()
        else:
            super().keyPressEvent(event)

    def _move_to(self, place: int) -> None:
        if 0 <= place < len(self.images):
            self._cursor = place
            rect = self.tile_rect(place)
            bar = self.verticalScrollBar()
            if rect.top() < 0:
                bar.setValue(bar.value() + round(rect.top()))
            elif rect.bottom() > self.viewport().height():
                bar.setValue(bar.value() + round(rect.bottom() - self.viewport().height()))
            self.viewport().update()

    def _toggle(self) -> None:
        if self._can_pick and self.images:
            self.toggled.emit(self._cursor)


def _paint_check(painter: QPainter, tile: QRectF) -> None:
    """A sign besides the colour, for who does not see it."""
    theme = current_theme()
    area = QRectF(tile.right() - SIGN_PX, tile.top(), SIGN_PX, SIGN_PX)
    painter.fillRect(area, QColor(theme.accent))
    painter.setPen(QPen(QColor(theme.on_accent), 2.5))
    painter.drawPolyline([QPointF(area.x() + x * SIGN_PX, area.y() + y * SIGN_PX) for x, y in CHECK_MARK])
