"""A grid of small images with their boxes, all fitted into the view, or larger and scrolled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QMenu, QToolTip, QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.gui.theme import GRID_PX, current_theme
from synthstudio.gui.widgets.saving import save_image

GAP_PX = 2 * GRID_PX
MAX_ZOOM = 12.0
MAX_ENLARGEMENT = 4.0
"""At zoom 1 a small patch is not blown up by more than this."""
WHEEL_STEP = 1.25


@dataclass(frozen=True, slots=True)
class GridBox:
    """A rectangle on an image, in its px.

    Attributes:
        is_quiet: Drawn dotted: something that gives no label.
        source: Where it comes from, handed back by `source_requested`; None where there is nowhere to go.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    color: str
    is_quiet: bool = False
    source: tuple[FovId, AnnotationId] | None = None


@dataclass(frozen=True, slots=True)
class GridImage:
    """One picture of a grid; the caption is its tooltip."""

    image: QImage
    boxes: tuple[GridBox, ...] = ()
    caption: str = ""


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Copy `(H, W, 3)` uint8 RGB into an image of the format that is painted fastest; safe in any thread."""
    data = np.ascontiguousarray(pixels)
    height, width = data.shape[:2]
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )


class ImageGrid(QAbstractScrollArea):
    """Paints images in equal tiles. Ctrl and wheel, or + and -, zoom; a double click opens one.

    Ctrl and click on a box, or its context menu, ask for what it was made from.
    """

    zoom_changed = Signal(float)
    image_activated = Signal(int)
    source_requested = Signal(object)
    """The `source` of a `GridBox`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: tuple[GridImage, ...] = ()
        self._zoom = 1.0
        self._has_boxes = True
        self._fixed_columns = 0
        self._aspect = 1.0
        self._placeholder = ""
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Images")
        self.verticalScrollBar().setSingleStep(32)

    @property
    def images(self) -> tuple[GridImage, ...]:
        return self._images

    @property
    def zoom(self) -> float:
        return self._zoom

    def set_images(self, images: Sequence[GridImage]) -> None:
        """Show these instead; the place stays where it is."""
        self._images = tuple(images)
        self._arrange()

    def set_columns(self, columns: int) -> None:
        """Stand in this many columns, whatever the room; 0 for as many as leave the images largest."""
        self._fixed_columns = columns
        self._arrange()

    def set_aspect(self, aspect: float) -> None:
        """Give the tiles this width for each px of height: 2 for pictures of two squares beside one another."""
        self._aspect = aspect
        self._arrange()

    def set_placeholder(self, text: str) -> None:
        """Say what to do while there is nothing to show."""
        self._placeholder = text
        self.viewport().update()

    def set_boxes_visible(self, visible: bool) -> None:
        self._has_boxes = visible
        self.viewport().update()

    def set_zoom(self, zoom: float) -> None:
        """1 fits all images into the view; larger ones are scrolled."""
        zoom = min(max(zoom, 1.0), MAX_ZOOM)
        if zoom != self._zoom:
            self._zoom = zoom
            self._arrange()
            self.zoom_changed.emit(zoom)

    def _fitted_side(self) -> float:
        """Width of a tile at which all images are seen at once."""
        width, height = self.viewport().width() - GAP_PX, self.viewport().height() - GAP_PX
        count = max(1, len(self._images))
        best = 16.0
        for columns in (self._fixed_columns,) if self._fixed_columns else range(1, count + 1):
            rows = math.ceil(count / columns)
            best = max(best, min(width / columns - GAP_PX, (height / rows - GAP_PX) * self._aspect))
        largest = max((max(each.image.width(), each.image.height()) for each in self._images), default=64)
        return min(best, MAX_ENLARGEMENT * largest)

    def _tile_side(self) -> float:
        return self._fitted_side() * self._zoom

    def _row_step(self) -> float:
        """From one row to the next."""
        return self._tile_side() / self._aspect + GAP_PX

    def _columns(self) -> int:
        if self._fixed_columns:
            return self._fixed_columns
        step = self._tile_side() + GAP_PX
        return max(1, min(len(self._images), int((self.viewport().width() - GAP_PX + 0.5) / step)))

    def _arrange(self) -> None:
        step = self._tile_side() + GAP_PX
        rows = math.ceil(len(self._images) / self._columns()) if self._images else 0
        height, width = int(rows * self._row_step()) + GAP_PX, int(self._columns() * step) + GAP_PX
        view = self.viewport().size()
        self.verticalScrollBar().setRange(0, max(0, height - view.height() - 2))
        self.verticalScrollBar().setPageStep(view.height())
        self.horizontalScrollBar().setRange(0, max(0, width - view.width() - 2))
        self.horizontalScrollBar().setPageStep(view.width())
        self.viewport().update()

    def tile_rect(self, index: int) -> QRectF:
        """Where image `index` is drawn, in px of the viewport."""
        side, columns = self._tile_side(), self._columns()
        free = max(0.0, self.viewport().width() - columns * (side + GAP_PX) - GAP_PX)
        x = GAP_PX + free / 2 + (index % columns) * (side + GAP_PX) - self.horizontalScrollBar().value()
        y = GAP_PX + (index // columns) * self._row_step() - self.verticalScrollBar().value()
        return QRectF(x, y, side, side / self._aspect)

    def index_at(self, position: QPoint) -> int:
        """Number of the image under a point of the viewport, or -1."""
        for index in range(len(self._images)):
            if self.tile_rect(index).contains(position):
                return index
        return -1

    def box_at(self, position: QPoint) -> GridBox | None:
        """The topmost box under a point of the viewport."""
        index = self.index_at(position)
        if index < 0:
            return None
        image = self._images[index]
        area, scale = _picture_area(image, self.tile_rect(index))
        x, y = (position.x() - area.x()) / scale, (position.y() - area.y()) / scale
        return next((box for box in reversed(image.boxes) if box.x0 <= x < box.x1 and box.y0 <= y < box.y1), None)

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        theme = current_theme()
        painter.fillRect(event.rect(), QColor(theme.surround))
        if not self._images:
            painter.setPen(QColor(theme.text_muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.viewport().rect()).adjusted(32, 32, -32, -32), int(flags), self._placeholder)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        dirty = QRectF(event.rect())
        for index, image in enumerate(self._images):
            tile = self.tile_rect(index)
            if tile.intersects(dirty):
                self._paint_tile(painter, image, tile)

    def _paint_tile(self, painter: QPainter, image: GridImage, tile: QRectF) -> None:
        area, scale = _picture_area(image, tile)
        painter.drawImage(area, image.image)
        if self._has_boxes:
            for box in image.boxes:
                pen = QPen(QColor(box.color), 0)
                pen.setStyle(Qt.PenStyle.DotLine if box.is_quiet else Qt.PenStyle.SolidLine)
                painter.setPen(pen)
                painter.drawRect(
                    QRectF(
                        area.x() + box.x0 * scale,
                        area.y() + box.y0 * scale,
                        (box.x1 - box.x0) * scale,
                        (box.y1 - box.y0) * scale,
                    )
                )

    @override
    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self._zoom * WHEEL_STEP ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            super().wheelEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.set_zoom(self._zoom * WHEEL_STEP)
        elif event.key() == Qt.Key.Key_Minus:
            self.set_zoom(self._zoom / WHEEL_STEP)
        else:
            super().keyPressEvent(event)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        wants = event.button() == Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        box = self.box_at(event.position().toPoint()) if wants else None
        if box is not None and box.source is not None:
            self.source_requested.emit(box.source)
        else:
            super().mousePressEvent(event)

    @override
    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            index = self.index_at(event.pos())
            QToolTip.showText(event.globalPos(), self._images[index].caption if index >= 0 else "", self.viewport())
            return True
        return super().viewportEvent(event)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if index >= 0:
            self.image_activated.emit(index)

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.index_at(event.pos())
        if index < 0:
            return
        image = self._images[index].image
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box = self.box_at(event.pos())
        if box is not None and box.source is not None:
            source = box.source
            action = menu.addAction("Go to the annotation that it was cut from\tCtrl+Click")
            action.triggered.connect(lambda: self.source_requested.emit(source))
            menu.addSeparator()
        menu.addAction("Copy image").triggered.connect(lambda: QGuiApplication.clipboard().setImage(image))
        menu.addAction("Save image as…").triggered.connect(lambda: save_image(self, image, "image.png"))
        menu.popup(event.globalPos())


def _picture_area(image: GridImage, tile: QRectF) -> tuple[QRectF, float]:
    """Where an image is drawn within its tile, and its magnification."""
    width, height = max(1, image.image.width()), max(1, image.image.height())
    scale = min(tile.width() / width, tile.height() / height)
    area = QRectF(0, 0, width * scale, height * scale)
    area.moveCenter(tile.center())
    return area, scale
