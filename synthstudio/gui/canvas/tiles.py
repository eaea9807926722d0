"""An image too large to be held: painted from tiles that threads read, over a small picture of the whole meanwhile."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from typing_extensions import override

from synthstudio.core.imaging import ImageSource, apply_levels, read_shrunken, read_shrunken_samples
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.pictures import level_index, paint_picture, to_picture
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.tile_loader import TileKey, TileLoader
from synthstudio.gui.canvas.view_state import Viewport

TILE_PX = 512
SMALL_PX = 320
"""Longer side of what the minimap is painted from."""
MAX_SHRINK = 4
"""A tile may be shrunk by so much from the level that it is read from; beyond, the picture of the whole must do."""

_numbers = itertools.count()


class TiledPyramid(ImagePyramid):
    """A large image.

    Args:
        source: What tiles are read from.
        overview: (h, w, 3) uint8 RGB, a small picture of the whole: shown wherever no tile is yet.
        loader: Reads and keeps the tiles.
        failed: Told the first time that a part of the file cannot be read.
    """

    def __init__(
        self,
        source: ImageSource,
        overview: NDArray[np.uint8],
        *,
        loader: TileLoader,
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self.width, self.height = source.width, source.height
        self._source, self._loader, self._failed = source, loader, failed
        self._image = next(_numbers)
        self._overview, self._small = _pictures(overview)
        self._broken: set[TileKey] = set()

    def forget_broken(self) -> None:
        """Try the parts that could not be read again."""
        self._broken.clear()
        self.refresh_viewers()

    @property
    def source(self) -> ImageSource:
        """What it is read from."""
        return self._source

    @property
    @override
    def n_bytes(self) -> int:
        return self._overview.sizeInBytes() + self._small.sizeInBytes() + self._source.n_bytes

    @override
    def color_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        tile = self._loader.cache.find(TileKey(self._image, 0, int(x) // TILE_PX, int(y) // TILE_PX))
        if tile is None:
            return None
        color = tile.pixelColor(int(x) % TILE_PX, int(y) % TILE_PX)
        return color.red(), color.green(), color.blue()

    @override
    def level_for(self, device_scale: float) -> QImage:
        needed_px = device_scale * max(self.width, self.height)
        return self._small if needed_px <= max(self._small.width(), self._small.height()) else self._overview

    def set_overview(self, overview: NDArray[np.uint8]) -> None:
        """Show a better picture of the whole."""
        self._overview, self._small = _pictures(overview)
        self.refresh_viewers()

    def set_source(self, source: ImageSource) -> None:
        """Read from a source with more levels from now on."""
        self._source = source
        self.refresh_viewers()

    def forget_tiles(self) -> None:
        """Give the tiles' memory back: the image is not kept any more."""
        self._loader.cache.forget(self._image)

    @override
    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        level = self._level_for_tiles(viewport.device_scale)
        keys = self._visible_tiles(viewport.visible_box(), level) if level is not None else []
        if level is None or any(key not in self._loader.cache for key in keys):
            paint_picture(painter, self._overview, (self.width, self.height), viewport)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.device_scale < 1.0)
        missing = [key for key in keys if key not in self._loader.cache and key not in self._broken]
        for key in missing:
            self._paint_coarser(painter, key, viewport)
        for key in keys:
            tile = self._loader.cache.find(key)
            if tile is not None:
                painter.drawImage(self._target(key, viewport), tile, QRectF(tile.rect()))
        if missing:
            self._loader.request(missing, self._read, self._on_tile_arrived)

    @override
    def paint_with_levels(self, painter: QPainter, viewport: Viewport) -> None:
        """Paint the 8-bit pixels at once, and over them what threads have made of a 16-bit file's own samples."""
        super().paint_with_levels(painter, viewport)
        level = self._level_for_tiles(viewport.device_scale)
        if level is None or not self._source.is_deep:
            return
        plain = self._visible_tiles(viewport.visible_box(), level)
        keys = [dataclasses.replace(key, look=self.levels) for key in plain]
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.device_scale < 1.0)
        for key in keys:
            tile = self._loader.cache.find(key)
            if tile is not None:
                painter.drawImage(self._target(key, viewport), tile, QRectF(tile.rect()))
        missing = [key for key in keys if key not in self._loader.cache and key not in self._broken]
        if missing and all(key in self._loader.cache for key in plain):
            self._loader.request(missing, self._read, self._on_tile_arrived)

    def _level_for_tiles(self, device_scale: float) -> int | None:
        """How often to halve for this zoom; None where the picture of the whole does, or no level is near enough."""
        level = level_index(device_scale)
        needed_px = max(self.width, self.height) / 2**level
        if needed_px <= max(self._overview.width(), self._overview.height()):
            return None
        stored = self._source.levels[self._source.level_for(2**level)]
        return level if 2**level / stored.factor <= MAX_SHRINK * 1.01 else None

    def _visible_tiles(self, visible: Box, level: int) -> list[TileKey]:
        """Tiles under a part of the image, from its middle outwards."""
        side = TILE_PX * 2**level
        n_columns, n_rows = math.ceil(self.width / side), math.ceil(self.height / side)
        columns = range(max(0, int(visible.x0 // side)), min(n_columns, math.ceil(visible.x1 / side)))
        rows = range(max(0, int(visible.y0 // side)), min(n_rows, math.ceil(visible.y1 / side)))
        middle_x, middle_y = visible.center[0] / side - 0.5, visible.center[1] / side - 0.5
        places = [(column, row) for row in rows for column in columns]
        places.sort(key=lambda place: (place[0] - middle_x) ** 2 + (place[1] - middle_y) ** 2)
        return [TileKey(self._image, level, column, row) for column, row in places]

    def _box(self, key: TileKey) -> tuple[int, int, int, int]:
        """Full-resolution px of a tile."""
        side = TILE_PX << key.level
        x0, y0 = key.column * side, key.row * side
        return x0, y0, min(x0 + side, self.width), min(y0 + side, self.height)

    def _target(self, key: TileKey, viewport: Viewport) -> QRectF:
        """Where a tile is painted: on whole device px, so that neighbours meet without a seam."""
        x0, y0, x1, y1 = self._box(key)
        left, top = viewport.to_widget(x0, y0)
        right, bottom = viewport.to_widget(x1, y1)
        edges = [math.floor(edge * viewport.dpr + 0.5) / viewport.dpr for edge in (left, top, right, bottom)]
        return QRectF(edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1])

    def _paint_coarser(self, painter: QPainter, key: TileKey, viewport: Viewport) -> None:
        """Paint, in place of a tile that is not there, that part of a coarser one that is."""
        for up in range(1, 4):
            above = TileKey(key.image, key.level + up, key.column >> up, key.row >> up)
            tile = self._loader.cache.find(above)
            if tile is None:
                continue
            part = TILE_PX >> up
            left, top = (key.column % (1 << up)) * part, (key.row % (1 << up)) * part
            source = QRect(left, top, part, part).intersected(tile.rect())
            painter.drawImage(self._target(key, viewport), tile, QRectF(source))
            return

    def _read(self, key: TileKey) -> QImage:
        """Read a tile; called from a thread."""
        x0, y0, x1, y1 = self._box(key)
        size = (math.ceil((x1 - x0) / 2**key.level), math.ceil((y1 - y0) / 2**key.level))
        if key.look is None:
            return to_picture(read_shrunken(self._source, (x0, y0, x1, y1), size))
        samples, full_scale = read_shrunken_samples(self._source, (x0, y0, x1, y1), size)
        return to_picture(apply_levels(samples, key.look, full_scale=full_scale))

    def _on_tile_arrived(self, key: TileKey, found: QImage | Exception) -> None:
        if isinstance(found, Exception):
            is_first = not self._broken
            self._broken.add(key)
            if is_first:
                self._failed(found)
        self.refresh_viewers()


def _pictures(overview: NDArray[np.uint8]) -> tuple[QImage, QImage]:
    """A picture of the whole, and a small one of it for the minimap."""
    picture = to_picture(overview)
    factor = SMALL_PX / max(overview.shape[:2])
    if factor >= 1:
        return picture, picture
    size = (max(1, round(overview.shape[1] * factor)), max(1, round(overview.shape[0] * factor)))
    small = cv2.resize(overview, size, interpolation=cv2.INTER_AREA)
    return picture, to_picture(np.asarray(small, dtype=np.uint8))
