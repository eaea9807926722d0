"""Pictures of a grid: drawn once, at the size at which they are seen, in any thread; and kept up to a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

CACHE_BYTES = 64 << 20
UNDERLINE_PX, LINE_PX = 3.0, 1.5
MARK_PX = 10.0
"""Height of a letter of a mark."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with lines over it, in its px and of one colour, and a word in its corner."""

    image: QImage
    outlines: tuple[QPolygonF, ...] = ()
    color: str = ""
    mark: str = ""


def draw_tile(tile: Tile, side: int, *, ratio: float = 1.0) -> QImage:
    """Draw a picture as large as fits into a square, with its outlines over it.

    Scaling and antialiased lines take a millisecond or two: much too long while a grid of hundreds is scrolled.

    Args:
        tile: The picture.
        side: Of the square, in px of the screen.
        ratio: Those for each px of the window.
    """
    width, height = max(1, tile.image.width()), max(1, tile.image.height())
    scale = side / max(width, height)
    drawn = QImage(max(1, round(width * scale)), max(1, round(height * scale)), QImage.Format.Format_RGB32)
    painter = QPainter(drawn)
    painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
    mode = Qt.TransformationMode.SmoothTransformation
    if scale < 1.0:  # a painter takes four neighbours only, which is too few for shrinking
        painter.drawImage(0, 0, tile.image.scaled(drawn.size(), Qt.AspectRatioMode.IgnoreAspectRatio, mode))
    else:
        painter.drawImage(QRectF(drawn.rect()), tile.image)
    painter.scale(scale, scale)
    # A dark line underneath sets the colour off from any stain.
    for pen in (QPen(QColor(0, 0, 0, 130), UNDERLINE_PX * ratio), QPen(QColor(tile.color or "#FFF"), LINE_PX * ratio)):
        pen.setCosmetic(True)
        painter.setPen(pen)
        for outline in tile.outlines:
            painter.drawPolygon(outline)
    if tile.mark:
        painter.resetTransform()
        _draw_mark(painter, tile.mark, QRectF(drawn.rect()), ratio=ratio)
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


def _draw_mark(painter: QPainter, mark: str, area: QRectF, *, ratio: float) -> None:
    """A word in the lower left corner, to be read on any picture."""
    font = QFont(painter.font())
    font.setPixelSize(max(8, round(MARK_PX * ratio)))
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(mark) + 6 * ratio, metrics.height()
    place = QRectF(area.left(), area.bottom() - height, width, height)
    painter.setFont(font)
    painter.fillRect(place, QColor(0, 0, 0, 150))
    painter.setPen(QColor("#FFF"))
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), mark)


class TilePictures:
    """Drawn pictures by key. What is outdated is still given out until its successor is there."""

    def __init__(self) -> None:
        self._images: OrderedDict[int, QImage] = OrderedDict()
        self._fresh: set[int] = set()
        self.n_bytes = 0

    @property
    def fresh(self) -> Mapping[int, QImage]:
        """The pictures that are as they should be."""
        return {key: self._images[key] for key in self._fresh}

    def find(self, key: int) -> QImage | None:
        """The picture of a key, perhaps outdated."""
        return self._images.get(key)

    def missing(self, keys: Collection[int]) -> list[int]:
        """Those of the keys whose picture has to be drawn."""
        return [key for key in keys if key not in self._fresh]

    def put(self, images: Mapping[int, QImage], *, needed: Collection[int]) -> None:
        """Keep pictures; the oldest leave where there are too many, but for the needed ones."""
        for key, image in images.items():
            former = self._images.pop(key, None)
            self.n_bytes += image.sizeInBytes() - (former.sizeInBytes() if former is not None else 0)
            self._images[key] = image
            self._fresh.add(key)
        while self.n_bytes > CACHE_BYTES and next(iter(self._images)) not in needed:
            key, gone = self._images.popitem(last=False)
            self.n_bytes -= gone.sizeInBytes()
            self._fresh.discard(key)

    def outdate(self) -> None:
        """All of them look different now."""
        self._fresh.clear()

    def clear(self) -> None:
        """The keys mean something else now."""
        self._images.clear()
        self._fresh.clear()
        self.n_bytes = 0
