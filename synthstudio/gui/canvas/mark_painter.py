"""Paints rows of `MarkColumns`: sprites for centres, filled edges for boxes, a dot raster for crowds.

Measured for 10 k marks: one drawPixmapFragments call 2 ms, antialiased pens 80 ms and more. What covers the view
several times over, or exceeds `MAX_SINGLE_MARKS`, is a texture and not marks any more: then each becomes a dot.
The dots of a whole view are one image, 2 to 4 ms for 5 k to 100 k of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.annotation_table import FLAGGED, NOTED
from synthstudio.gui.canvas.dashes import dashed_edges
from synthstudio.gui.canvas.mark_table import MarkColumns
from synthstudio.gui.canvas.native_arrays import paint_rects, paint_sprites
from synthstudio.gui.canvas.sprites import SpriteCache, halo_for, paint_large_ring
from synthstudio.gui.canvas.view_state import Viewport

MAX_SINGLE_MARKS = 5_000
MAX_CROWDED_MARKS = 400
MAX_COVER = 3.0
"""Beyond `MAX_CROWDED_MARKS`, outlines whose areas sum to more than this many views are drawn as dots."""
MAX_LABELS = 400
MAX_RIMMED_BOXES = 3000
"""Beyond this boxes lose their halo: it costs as much as the boxes, and in a crowd of them nobody sees it."""
SMALL_PX, POINT_PX, LARGE_PX = 7.0, 14.0, 320.0
"""Widget px: below the first a circle is a dot; a class without size gets the second; above the third no sprite."""
FAINT = 0.22
"""Opacity of the classes that stand back."""
REMARK_OFFSET_PX = (6.0, -6.0)
"""Widget px from the edge of a mark to the middle of its flag or note."""
MARGIN_PX = 16.0
"""Widget px that a mark's drawing may reach beyond its extent."""


class MarkStyle(StrEnum):
    """How marks are drawn when there is room."""

    OUTLINE = "outline"
    DOT = "dot"
    LABEL = "label"


class Detail(Enum):
    """How much of each mark the view has room for."""

    FULL = 1
    DOTS = 2
    RASTER = 3


@dataclass(frozen=True, slots=True)
class MarkLook:
    """How a batch is drawn.

    Attributes:
        shift_x: Image px; with `shift_y` it carries marks that are being dragged.
        clear_class: Row of the class that is drawn in full while all others are faint; None draws all in full.
        dashed: These are suggested, not marked.
    """

    style: MarkStyle
    detail: Detail
    bold: bool = False
    shift_x: float = 0.0
    shift_y: float = 0.0
    clear_class: int | None = None
    dashed: bool = False


def rows_in_view(table: MarkColumns, viewport: Viewport, dirty: QRectF) -> NDArray[np.int64]:
    """Rows whose drawing may touch a rectangle in widget px."""
    reach = dirty.adjusted(-MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX)
    return table.rows_in(viewport.box_to_image(Box(reach.left(), reach.top(), reach.right(), reach.bottom())))


def choose_detail(table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport) -> Detail:
    """How the marks in view can be drawn within a frame, and still be told apart."""
    if rows.size > MAX_SINGLE_MARKS:
        return Detail.RASTER
    if rows.size <= MAX_CROWDED_MARKS:
        return Detail.FULL
    x0, y0, x1, y1 = table.extents[:, rows]
    cover = float(((x1 - x0) * (y1 - y0)).sum()) * viewport.scale**2
    return Detail.DOTS if cover > MAX_COVER * viewport.width * viewport.height else Detail.FULL


class MarkPainter:
    """Owns the sprites; everything else comes with the call."""

    def __init__(self) -> None:
        self._sprites = SpriteCache()

    def paint(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        """Paint these rows; call it with the same `look.detail` for a partial repaint as for the full one."""
        if not rows.size:
            return
        if look.detail is Detail.RASTER:
            _paint_raster(painter, table, rows, viewport, look=look)
        elif look.clear_class is None:
            self._paint_single(painter, table, rows, viewport, look=look)
        else:
            is_clear = table.class_rows_of(rows) == look.clear_class
            painter.setOpacity(FAINT)
            self._paint_single(painter, table, rows[~is_clear], viewport, look=look)
            painter.setOpacity(1.0)
            self._paint_single(painter, table, rows[is_clear], viewport, look=look)

    def _paint_single(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        if not rows.size:
            return
        as_dots = look.detail is Detail.DOTS or look.style is MarkStyle.DOT
        is_box = table.is_box[rows]
        diameter = (table.extents[2, rows] - table.extents[0, rows]) * viewport.scale
        is_dot = np.full(rows.size, True) if as_dots else ~is_box & (diameter > 0) & (diameter < SMALL_PX)
        self._paint_boxes(painter, table, rows[is_box & ~is_dot], viewport, look=look)
        self._paint_rings(painter, table, rows[~is_box & ~is_dot], viewport, look=look)
        self._paint_dots(painter, table, rows[is_dot], viewport, look=look)
        if look.style is MarkStyle.LABEL and not as_dots and rows.size <= MAX_LABELS:
            _paint_labels(painter, table, rows, viewport, look=look)
        self._paint_remarks(painter, table, rows, viewport, look=look)

    def _paint_remarks(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        """Signs at the upper right of what has a flag or a note."""
        remarks = table.remarks[rows]
        noticed = rows[remarks > 0]
        if not noticed.size:
            return
        corners = viewport.boxes_to_widget(table.extents[:, noticed])
        half = np.stack([corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 3]], axis=1) / 2
        half[~table.is_box[noticed]] *= np.sqrt(0.5)  # on the circle, not at the corner of its square
        if look.detail is Detail.DOTS or look.style is MarkStyle.DOT:
            half[:] = 0
        places = _centers_in_widget(table, noticed, viewport, look=look) + half + np.array(REMARK_OFFSET_PX)
        for kind, sprite in ((FLAGGED, self._sprites.flag), (NOTED, self._sprites.note)):
            paint_sprites(painter, places[remarks[remarks > 0] == kind], sprite(dpr=viewport.dpr), dpr=viewport.dpr)

    def paint_crosses(
        self, painter: QPainter, points: NDArray[np.float64], viewport: Viewport, *, color: str, dirty: QRectF
    ) -> None:
        """Paint predicted places; `points` is (N, 2) float64, x and y in image px."""
        places = viewport.points_to_widget(points)
        reach = dirty.adjusted(-MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX)
        inside = (places[:, 0] >= reach.left()) & (places[:, 0] <= reach.right())
        inside &= (places[:, 1] >= reach.top()) & (places[:, 1] <= reach.bottom())
        paint_sprites(painter, places[inside], self._sprites.cross(color, dpr=viewport.dpr), dpr=viewport.dpr)

    def _paint_dots(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        centers, class_rows = _centers_in_widget(table, rows, viewport, look=look), table.class_rows_of(rows)
        for class_row in np.flatnonzero(np.bincount(class_rows)):  # np.unique loads numpy.ma, 15 ms of the start
            sprite = self._sprites.dot(
                table.classes[class_row].color, dpr=viewport.dpr, bold=look.bold, hollow=look.dashed
            )
            paint_sprites(painter, centers[class_rows == class_row], sprite, dpr=viewport.dpr)

    def _paint_rings(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        if not rows.size:
            return
        centers, class_rows = _centers_in_widget(table, rows, viewport, look=look), table.class_rows_of(rows)
        diameters = (table.extents[2, rows] - table.extents[0, rows]) * viewport.scale
        diameters[diameters == 0] = POINT_PX
        is_large = diameters > LARGE_PX
        seen = np.flatnonzero(is_large)[_are_seen(centers[is_large], diameters[is_large] / 2, viewport)]
        for (x, y), diameter, class_row in zip(centers[seen], diameters[seen], class_rows[seen], strict=True):
            color = table.classes[class_row].color
            middle = QPointF(x, y)
            paint_large_ring(painter, middle, diameter / 2, color=color, bold=look.bold, dashed=look.dashed)
        device_px = np.rint(diameters * viewport.dpr).astype(np.int64)
        kinds = np.where(is_large, -1, class_rows * 65536 + device_px)
        for kind in np.unique(kinds[~is_large]):
            class_row, diameter_px = divmod(int(kind), 65536)
            color = table.classes[class_row].color
            sprite = self._sprites.ring(
                color, diameter=diameter_px, dpr=viewport.dpr, bold=look.bold, dashed=look.dashed
            )
            paint_sprites(painter, centers[kinds == kind], sprite, dpr=viewport.dpr)

    def _paint_boxes(
        self, painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
    ) -> None:
        if not rows.size:
            return
        frames = _frames_in_device_px(table.extents[:, rows], viewport, look=look)
        class_rows = table.class_rows_of(rows)
        line = max(1, round((2.0 if look.bold else 1.5) * viewport.dpr))
        rim = max(1, round((1.5 if look.bold else 1.0) * viewport.dpr))
        painter.save()
        painter.scale(1 / viewport.dpr, 1 / viewport.dpr)
        painter.setPen(Qt.PenStyle.NoPen)
        for class_row in np.flatnonzero(np.bincount(class_rows)):  # np.unique loads numpy.ma, 15 ms of the start
            color = QColor(table.classes[class_row].color)
            own = frames[class_rows == class_row]
            if rows.size <= MAX_RIMMED_BOXES:
                painter.setBrush(QColor(255, 255, 255, 235) if look.bold else halo_for(color))
                paint_rects(painter, _sides(own, line=line, rim=rim, dpr=viewport.dpr, look=look))
            painter.setBrush(color)
            paint_rects(painter, _sides(own, line=line, rim=0, dpr=viewport.dpr, look=look))
        painter.restore()


def _are_seen(centers: NDArray[np.float64], radii: NDArray[np.float64], viewport: Viewport) -> NDArray[np.bool_]:
    """(N,) bool: whether line or middle of a large circle is in view: stroking one costs as much unseen as seen."""
    size = np.array([viewport.width, viewport.height])
    nearest = np.hypot(*np.maximum(np.maximum(-centers, centers - size), 0).T)
    farthest = np.hypot(*np.maximum(np.abs(centers), np.abs(centers - size)).T)
    on_line = (nearest <= radii + MARGIN_PX) & (farthest >= radii - MARGIN_PX)
    return np.asarray(on_line | (nearest <= MARGIN_PX))


def _centers_in_widget(
    table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
) -> NDArray[np.float64]:
    centers = np.take(table.centers, rows, axis=1).T  # seven times as fast as indexing; this runs in each frame
    if look.shift_x or look.shift_y:
        centers = centers + np.array([look.shift_x, look.shift_y])
    return viewport.points_to_widget(centers)


def _frames_in_device_px(extents: NDArray[np.float64], viewport: Viewport, *, look: MarkLook) -> NDArray[np.int32]:
    """(N, 4) int32; far corners are brought near the view, since 64x a large image overflows nothing that way."""
    shift = np.array([[look.shift_x], [look.shift_y], [look.shift_x], [look.shift_y]])
    corners = viewport.boxes_to_widget(extents + shift)
    limit_x, limit_y = viewport.width + 4 * MARGIN_PX, viewport.height + 4 * MARGIN_PX
    corners[:, 0::2] = corners[:, 0::2].clip(-4 * MARGIN_PX, limit_x)
    corners[:, 1::2] = corners[:, 1::2].clip(-4 * MARGIN_PX, limit_y)
    frames: NDArray[np.int32] = np.rint(corners * viewport.dpr).astype(np.int32)
    return frames


def _sides(frames: NDArray[np.int32], *, line: int, rim: int, dpr: float, look: MarkLook) -> NDArray[np.int32]:
    if look.dashed and not (look.bold and rim):  # what is picked stands out by a closed rim
        return dashed_edges(frames, line=line, dpr=dpr, rim=rim)
    return _edges(frames, line=line + 2 * rim)


def _edges(frames: NDArray[np.int32], *, line: int) -> NDArray[np.int32]:
    """(4 N, 4) filled rectangles for the four sides of each frame, not overlapping, so that halos do not add up."""
    half = line // 2
    x0, y0, x1, y1 = frames.T
    outer_x0, outer_y0, outer_x1, outer_y1 = x0 - half, y0 - half, x1 - half + line, y1 - half + line
    sides = np.empty((4, len(frames), 4), dtype=np.int32)
    sides[0] = np.stack([outer_x0, outer_y0, outer_x1, outer_y0 + line], axis=1)
    sides[1] = np.stack([outer_x0, outer_y1 - line, outer_x1, outer_y1], axis=1)
    sides[2] = np.stack([outer_x0, outer_y0 + line, outer_x0 + line, outer_y1 - line], axis=1)
    sides[3] = np.stack([outer_x1 - line, outer_y0 + line, outer_x1, outer_y1 - line], axis=1)
    edges = sides.reshape(-1, 4)
    return edges[(edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])]


def _paint_raster(
    painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
) -> None:
    """Each mark as a small dot in an image of class numbers: its cost hardly depends on how many there are.

    The image is as large as the marks need: a partial repaint brings few of them, and costs little.
    """
    width, height = round(viewport.width * viewport.dpr), round(viewport.height * viewport.dpr)
    centers = _centers_in_widget(table, rows, viewport, look=look)
    x, y = (np.floor(places * viewport.dpr).astype(np.int32) for places in centers.T)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y, class_rows = x[inside], y[inside], table.class_rows_of(rows)[inside]
    if not x.size:
        return
    side = max(2, round(3 * viewport.dpr))
    left, top = max(int(x.min()) - side - 1, 0), max(int(y.min()) - side - 1, 0)
    right, bottom = min(int(x.max()) + side + 2, width), min(int(y.max()) + side + 2, height)
    width, height = right - left, bottom - top
    numbers = np.zeros((height, width), dtype=np.uint8)
    numbers.ravel()[(y - top) * width + (x - left)] = 2 + class_rows % 250
    dots = cv2.dilate(numbers, np.ones((side, side), np.uint8))
    _, taken = cv2.threshold(dots, 0, 1, cv2.THRESH_BINARY)
    rims = cv2.dilate(taken, np.ones((3, 3), np.uint8))
    pixels = cv2.max(dots, rims)
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(_raster_colors(table, look))
    # Converted here, in a tenth of the time that the painter takes to look each pixel up.
    image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(viewport.dpr)
    painter.drawImage(QPointF(left / viewport.dpr, top / viewport.dpr), image)


def _raster_colors(table: MarkColumns, look: MarkLook) -> list[int]:
    """ARGB of each number in the image of `_paint_raster`: 0 nothing, 1 the rim, then the classes."""
    colors = [QColor(0, 0, 0, 0), QColor(18, 18, 18, 112)]
    for row, object_class in enumerate(table.classes[:250]):
        color = QColor(object_class.color).lighter(150) if look.dashed else QColor(object_class.color)
        colors.append(QColor(255, 255, 255) if look.bold else color)
        if look.clear_class is not None and row != look.clear_class % 250:
            colors[-1].setAlphaF(FAINT)
    if look.clear_class is not None:
        colors[1].setAlphaF(colors[1].alphaF() * FAINT)
    return [color.rgba() for color in colors]


def _paint_labels(
    painter: QPainter, table: MarkColumns, rows: NDArray[np.int64], viewport: Viewport, *, look: MarkLook
) -> None:
    metrics = painter.fontMetrics()
    shift = np.array([[look.shift_x], [look.shift_y], [look.shift_x], [look.shift_y]])
    areas = viewport.boxes_to_widget(table.extents[:, rows] + shift)
    for row, (left, top, right, _) in zip(rows, areas, strict=True):
        object_class = table.class_of(int(row))
        text_width = metrics.horizontalAdvance(object_class.name) + 8
        # Over the top of a circle, not at the corner of its square.
        tag_left = left if table.is_box[row] else (left + right - text_width) / 2
        tag = QRectF(round(tag_left) - 1, round(top) - metrics.height() - 3, text_width, metrics.height() + 2)
        color = QColor(object_class.color)
        painter.fillRect(tag, color)
        painter.setPen(QPen(QColor("#101010") if halo_for(color).red() < 128 else QColor("#FFFFFF")))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, object_class.name)
