"""Where the pictures of a scrolled grid of equal tiles lie. Pure geometry: integers in px of the viewport."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect

from synthstudio.gui.theme import GRID_PX

GAP_PX = GRID_PX


@dataclass(frozen=True, slots=True)
class TileLayout:
    """A grid at one moment.

    Attributes:
        count: Number of pictures.
        side: Of a tile.
        width, height: Of the viewport.
        top: How far it is scrolled down.
    """

    count: int
    side: int
    width: int
    height: int
    top: int = 0

    @property
    def step(self) -> int:
        """From one tile to the next."""
        return self.side + GAP_PX

    @property
    def columns(self) -> int:
        return max(1, (self.width - GAP_PX) // self.step)

    @property
    def content_height(self) -> int:
        """Of all rows, with the gaps around them."""
        return -(-self.count // self.columns) * self.step + GAP_PX

    @property
    def page(self) -> int:
        """Pictures in as many rows as are seen at once."""
        return max(1, self.height // self.step) * self.columns

    def _left(self) -> int:
        """Where the first column begins: what is left over stands at both sides."""
        return GAP_PX + (self.width - GAP_PX - self.columns * self.step) // 2

    def rect(self, place: int) -> QRect:
        """Where the picture at a place is drawn."""
        row, column = divmod(place, self.columns)
        return QRect(self._left() + column * self.step, GAP_PX + row * self.step - self.top, self.side, self.side)

    def place_at(self, position: QPoint) -> int:
        """Place of the picture under a point, or -1."""
        column, row = (position.x() - self._left()) // self.step, (position.y() + self.top) // self.step
        place = row * self.columns + column
        is_there = 0 <= column < self.columns and 0 <= place < self.count
        return place if is_there and self.rect(place).contains(position) else -1

    def in_view(self, margin: int = 0) -> range:
        """Places of the pictures in sight, and of those that a margin above and below shows."""
        first = max(0, (self.top - margin) // self.step) * self.columns
        last = ((self.top + self.height + margin) // self.step + 1) * self.columns
        return range(min(first, self.count), min(last, self.count))

    def about_view(self) -> Iterator[int]:
        """Places in sight, then those of half a page below and above."""
        inner, outer = self.in_view(), self.in_view(self.height // 2)
        yield from inner
        yield from range(inner.stop, outer.stop)
        yield from range(outer.start, inner.start)

    def touched_by(self, area: QRect) -> set[int]:
        """Places of the pictures that a rectangle touches."""
        rows = range(max(0, (area.top() + self.top - GAP_PX) // self.step), (area.bottom() + self.top) // self.step + 1)
        places = (row * self.columns + column for row in rows for column in range(self.columns))
        return {place for place in places if place < self.count and self.rect(place).intersects(area)}

    def top_to_show(self, place: int) -> int:
        """How far to scroll so that a picture is in sight, as little as possible."""
        rect = self.rect(place)
        if rect.top() < GAP_PX:
            return self.top + rect.top() - GAP_PX
        return self.top + max(0, rect.bottom() - self.height + GAP_PX)
