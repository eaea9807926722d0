"""Tiles over an image for reading it systematically: which were read, which is next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.view_state import Viewport

MAX_TILES = 10_000
MIN_TILE_ON_SCREEN_PX = 6.0
"""Widget px: smaller tiles are not drawn, they would cover the image."""
_READ = QColor(0, 0, 0, 70)


@dataclass(frozen=True, slots=True)
class ReadingGrid:
    """Tiles of one size, the last of each row and column smaller where they do not fit evenly.

    Attributes:
        width: Of the image, px.
        height: Of the image, px.
        tile_width: Of a tile, in image px.
        tile_height: Of a tile, in image px.
        read: Tiles that were read.
        current: The tile that is being read.
    """

    width: int
    height: int
    tile_width: float
    tile_height: float
    read: frozenset[int] = frozenset()
    current: int | None = None

    @classmethod
    def of_size(cls, width: int, height: int, tile_px: int) -> ReadingGrid:
        """Square tiles of this side; larger ones where there would be more than `MAX_TILES`."""
        side = max(tile_px, int((width * height / MAX_TILES) ** 0.5) + 1)
        return cls(width, height, side, side)

    @classmethod
    def of_count(cls, width: int, height: int, n_columns: int, n_rows: int) -> ReadingGrid:
        """So many equal columns and rows; no more than the image has px."""
        return cls(width, height, width / min(n_columns, width), height / min(n_rows, height))

    @property
    def n_columns(self) -> int:
        return _count(self.width, self.tile_width)

    @property
    def n_rows(self) -> int:
        return _count(self.height, self.tile_height)

    def has_tiles_of(self, other: ReadingGrid) -> bool:
        """Whether both divide the image alike, whatever was read."""
        return replace(self, read=frozenset(), current=None) == replace(other, read=frozenset(), current=None)

    def __len__(self) -> int:
        return self.n_columns * self.n_rows

    def tile(self, number: int) -> Box:
        """A tile's area in image px; tiles are numbered row by row, every other row backwards, as one reads them."""
        row, column = divmod(number, self.n_columns)
        if row % 2:
            column = self.n_columns - 1 - column
        x, y = column * self.tile_width, row * self.tile_height
        return Box(x, y, min(x + self.tile_width, self.width), min(y + self.tile_height, self.height))

    def left(self) -> ReadingGrid:
        """The grid with the current tile read, and the next unread one current: behind it, else from the start."""
        read = self.read if self.current is None else self.read | {self.current}
        start = 0 if self.current is None else self.current + 1
        order = [*range(start, len(self)), *range(start)]
        return replace(self, read=read, current=next((each for each in order if each not in read), None))

    def cleared(self) -> ReadingGrid:
        """The grid with no tile read."""
        return replace(self, read=frozenset(), current=None)


def _count(length: int, tile: float) -> int:
    # A tile is a quotient where it came from a count: what is left by rounding is no tile of its own.
    return max(math.ceil(length / tile - 1e-6), 1)


def paint_grid(painter: QPainter, grid: ReadingGrid, viewport: Viewport, *, accent: str) -> None:
    """Paint the tiles in view: read ones darker, the current one framed."""
    if min(grid.tile_width, grid.tile_height) * viewport.scale < MIN_TILE_ON_SCREEN_PX:
        return
    everywhere = QRectF(-8, -8, viewport.width + 16, viewport.height + 16)
    for number in grid.read:
        if (area := _area(grid.tile(number), viewport)).intersects(everywhere):
            painter.fillRect(area.intersected(everywhere), _READ)
    for pen in (QPen(QColor(0, 0, 0, 110), 3), QPen(QColor(255, 255, 255, 170), 1)):
        painter.setPen(pen)
        painter.drawLines(_lines(grid, viewport, everywhere))
    if grid.current is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 150), 5), QPen(QColor(accent), 2.5)):
            painter.setPen(pen)
            painter.drawRect(_area(grid.tile(grid.current), viewport))


def _area(box: Box, viewport: Viewport) -> QRectF:
    shown = viewport.box_to_widget(box)
    return QRectF(QPointF(round(shown.x0), round(shown.y0)), QPointF(round(shown.x1), round(shown.y1)))


def _lines(grid: ReadingGrid, viewport: Viewport, within: QRectF) -> list[QPointF]:
    """Ends of the inner lines that are in view, two by two."""
    across = [(x * grid.tile_width, 0, x * grid.tile_width, grid.height) for x in range(1, grid.n_columns)]
    down = [(0, y * grid.tile_height, grid.width, y * grid.tile_height) for y in range(1, grid.n_rows)]
    ends: list[QPointF] = []
    for x0, y0, x1, y1 in (*across, *down):
        area = _area(Box(x0, y0, x1, y1), viewport)
        if area.adjusted(-1, -1, 1, 1).intersects(within):
            ends += [area.topLeft(), area.bottomRight()]
    return ends
