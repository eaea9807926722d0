"""Parts of images as tiles of a gallery: the pixels, and a line of words under them. Drawn in any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from synthstudio.core.imaging import ImageArray, ImageSource, open_image_source, read_shrunken
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.gui.theme import Theme
from synthstudio.gui.widgets.image_grid import to_qimage

CAPTION_SHARE = 0.14
"""Height of the line under a crop, of the side of a tile."""
MIN_CAPTION_PX, MAX_CAPTION_PX = 14, 20
LETTER_SHARE = 0.66
"""Height of its letters, of the line."""
CROSS_SHARE = 0.06
"""Length of one arm of the cross at a point, of the width of a picture."""


@dataclass(frozen=True, slots=True)
class CropItem:
    """One picture of a gallery.

    Attributes:
        part: What is shown of the FOV, in full-resolution px; it may reach over the border.
        outline: Box that is drawn on it, or None.
        color: Of the outline: that of its class; empty for the accent.
        point: Place that a cross marks, in full-resolution px, or None.
        is_wrong: The caption stands out.
        kind: Stands at the right of the caption where there is room.
    """

    fov_id: FovId
    part: Box
    caption: str
    is_wrong: bool
    kind: str = ""
    tip: str = ""
    outline: Box | None = None
    color: str = ""
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TileLook:
    """How tiles are drawn: their side in px of the screen, how many of those are one px of the window, the colours."""

    side: int
    ratio: float
    theme: Theme


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """Pixels of an image, and which part of it in full-resolution px they show."""

    pixels: ImageArray
    part: Box


def draw_crop_tiles(
    items: Mapping[int, CropItem], fovs: Mapping[FovId, FieldOfView], look: TileLook, tick: Tick
) -> dict[int, QImage]:
    """Draw some items by their keys; one whose image cannot be read is an empty tile."""
    tiles: dict[int, QImage] = {}
    by_fov: dict[FovId, list[int]] = {}
    for key, item in items.items():
        by_fov.setdefault(item.fov_id, []).append(key)
    for fov_id, keys in by_fov.items():  # an image is opened once for all of its crops
        tick(len(tiles), len(items))
        crops = _read_crops(fovs.get(fov_id), [items[key].part for key in keys], look.side)
        for key, crop in zip(keys, crops, strict=True):
            shown = (to_qimage(crop.pixels), crop.part) if crop is not None else None
            tiles[key] = _draw_tile(shown, items[key], look)
    return tiles


def _read_crops(fov: FieldOfView | None, parts: Sequence[Box], side: int) -> list[_Cut | None]:
    if fov is None:
        return [None for _ in parts]
    try:
        image = open_image_source(Path(fov.path), fov.page or 0)
        return [_cut(image, part, side) for part in parts]
    except UserError:
        return [None for _ in parts]  # its place in the list of fields says what is wrong with it


def _cut(image: ImageSource, part: Box, side: int) -> _Cut | None:
    """What of a part lies on the image, with no more px than are shown."""
    x0, y0 = max(0, round(part.x0)), max(0, round(part.y0))
    x1, y1 = min(image.width, round(part.x1)), min(image.height, round(part.y1))
    if x0 >= x1 or y0 >= y1:
        return None
    scale = min(1.0, side / max(x1 - x0, y1 - y0))
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    return _Cut(read_shrunken(image, (x0, y0, x1, y1), size), Box(x0, y0, x1, y1))


def draw_whole_tile(image: QImage, part: Box, item: CropItem, look: TileLook) -> QImage:
    """Draw an item from a picture of all of its part, such as a thumbnail."""
    return _draw_tile((image, part), item, look)


def _draw_tile(shown: tuple[QImage, Box] | None, item: CropItem, look: TileLook) -> QImage:
    """Draw a picture, of a part of an image in full-resolution px, and the caption."""
    tile = QImage(look.side, look.side, QImage.Format.Format_RGB32)
    tile.fill(QColor(look.theme.surround))
    wanted = min(CAPTION_SHARE * look.side, MAX_CAPTION_PX * look.ratio)
    line = max(round(wanted), round(MIN_CAPTION_PX * look.ratio))
    with QPainter(tile) as painter:
        painter.fillRect(QRectF(0, look.side - line, look.side, line), QColor(look.theme.panel))
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        if shown is not None:
            area = _paint_picture(painter, shown[0], QRectF(0, 0, look.side, look.side - line))
            _paint_outline(painter, item, shown[1], area, look)
            _paint_point(painter, item, shown[1], area, look)
        _paint_caption(painter, item, QRectF(0.2 * line, look.side - line, look.side - 0.4 * line, line), look.theme)
    tile.setDevicePixelRatio(look.ratio)
    return tile


def _paint_picture(painter: QPainter, image: QImage, room: QRectF) -> QRectF:
    """Paint a picture as large as it fits into a room; return where."""
    scale = min(room.width() / image.width(), room.height() / image.height())
    area = QRectF(0, 0, image.width() * scale, image.height() * scale)
    area.moveCenter(room.center())
    painter.drawImage(area, image)
    return area


def _paint_outline(painter: QPainter, item: CropItem, part: Box, area: QRectF, look: TileLook) -> None:
    """Paint a box over the part that is shown in an area, over a dark line that sets it off from any stain."""
    outline = item.outline
    if outline is None:
        return
    zoom = area.width() / part.width
    x, y = area.x() + (outline.x0 - part.x0) * zoom, area.y() + (outline.y0 - part.y0) * zoom
    painter.setClipRect(area)
    color = QColor(item.color or look.theme.accent)
    for pen in (QPen(QColor(0, 0, 0, 130), 3 * look.ratio), QPen(color, 1.5 * look.ratio)):
        painter.setPen(pen)
        painter.drawRect(QRectF(x, y, outline.width * zoom, outline.height * zoom))
    painter.setClipping(False)


def _paint_point(painter: QPainter, item: CropItem, part: Box, area: QRectF, look: TileLook) -> None:
    """Paint a cross at the point of the part that is shown in an area, dark under bright as the outline is."""
    if item.point is None:
        return
    zoom, arm = area.width() / part.width, CROSS_SHARE * area.width()
    middle = QPointF(area.x() + (item.point[0] - part.x0) * zoom, area.y() + (item.point[1] - part.y0) * zoom)
    painter.setClipRect(area)
    for pen in (QPen(QColor(0, 0, 0, 190), 4 * look.ratio), QPen(QColor(255, 255, 255), 1.5 * look.ratio)):
        painter.setPen(pen)
        for way in (QPointF(arm, 0), QPointF(0, arm)):
            painter.drawLine(middle - way, middle + way)
    painter.setClipping(False)


def _paint_caption(painter: QPainter, item: CropItem, room: QRectF, theme: Theme) -> None:
    font = QFont(painter.font())
    font.setPixelSize(max(8, round(LETTER_SHARE * room.height())))
    painter.setFont(font)
    painter.setPen(QColor(theme.danger if item.is_wrong else theme.text))
    middle = Qt.AlignmentFlag.AlignVCenter
    caption = painter.fontMetrics().elidedText(item.caption, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, caption)
    left = room.width() - painter.fontMetrics().horizontalAdvance(f"{item.caption}  ")
    if painter.fontMetrics().horizontalAdvance(item.kind) <= left:
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | middle, item.kind)
