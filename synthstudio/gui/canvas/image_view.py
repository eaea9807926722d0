"""Shows one image: overlay, predicted places, scale bar, minimap; the hand zooms and pans. See also `MarkedView`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QCursor,
    QFocusEvent,
    QImage,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QSinglePointEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.canvas.decorations import minimap_area, minimap_to_image, paint_minimap, paint_scale_bar
from synthstudio.gui.canvas.drafts import Pointer
from synthstudio.gui.canvas.line_layer import LineLayer, paint_lines
from synthstudio.gui.canvas.mark_painter import MarkPainter
from synthstudio.gui.canvas.pyramid import ImagePyramid, paint_pyramid
from synthstudio.gui.canvas.turned_picture import TurnedPicture
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.canvas.zoom_view import WHEEL_STEP, ZoomView
from synthstudio.gui.theme import current_theme

ARROW_PX = 64.0
"""Widget px that an arrow key pans; with Shift it pans most of the view."""
MAX_OVERLAY_PX = 2048
"""An overlay is smooth by nature: larger ones are kept at this longer side."""


_ARROWS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class ImageView(ZoomView):
    """A viewer that owns what is on the screen and nothing else: image, region, overlay, predicted places."""

    cursor_moved = Signal(float, float, object)
    """x, y in image px and the pixel's (r, g, b), or None outside the image."""
    cursor_left = Signal()
    context_menu_requested = Signal(QPoint, float, float)
    """Global position for the menu; x, y in image px."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Image viewer")
        self._um_per_px: float | None = None
        self._overlay: QImage | None = None
        self._overlay_opacity = 1.0
        self._mark_points: NDArray[np.float64] = np.zeros((0, 2))
        self._mark_color = "#FFFFFF"
        self._line_layers: tuple[LineLayer, ...] = ()
        self._mark_painter = MarkPainter()
        self._placeholder = ""
        self._has_scale_bar = True
        self._pan_from: QPointF | None = None
        self._is_in_minimap = False
        self._is_space_held = False
        self._turned_picture = TurnedPicture()

    # What is shown

    def set_image(self, pyramid: ImagePyramid | None, *, keep_view: bool = False) -> None:
        """Show another image, fitted unless `keep_view`; overlay, predicted places and lines of the last one go."""
        self._overlay = None
        self._mark_points = np.zeros((0, 2))
        self._line_layers = ()
        self._adopt_image(pyramid, keep_view=keep_view)

    def set_um_per_px(self, um_per_px: float | None) -> None:
        """Set the calibration that the scale bar speaks of; None makes it count px."""
        self._um_per_px = um_per_px
        self.update()

    def set_placeholder(self, text: str) -> None:
        """Say what to do next, while there is no image."""
        self._placeholder = text
        self.update()

    @property
    def placeholder(self) -> str:
        """What is said while there is no image."""
        return self._placeholder

    def set_scale_bar_visible(self, visible: bool) -> None:
        self._has_scale_bar = visible
        self.update()

    def set_overlay(self, rgba: NDArray[np.uint8] | None, opacity: float = 1.0) -> None:
        """Lay a picture over the whole image, such as a CAM.

        Args:
            rgba: (h, w, 4) uint8, straight alpha, of any size: it is stretched over the image. None removes it.
            opacity: 0 to 1, on top of the picture's own alpha.
        """
        self._overlay_opacity = opacity
        self._overlay = None if rgba is None else _overlay_image(rgba)
        self.update()

    def set_overlay_opacity(self, opacity: float) -> None:
        """Change the opacity alone: cheap enough to follow a slider."""
        self._overlay_opacity = opacity
        self.update()

    def set_marks(self, points: NDArray[np.float64], color: str = "#FFFFFF") -> None:
        """Show predicted places as crosses; `points` is (N, 2) float, x and y in image px."""
        self._mark_points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        self._mark_color = color
        self.update()

    def set_lines(self, layers: Sequence[LineLayer]) -> None:
        """Draw lines over the image and its overlay, such as the contours of a CAM."""
        self._line_layers = tuple(layers)
        self.update()

    # Painting

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()  # theme, font, enabled: all of them are seen

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current_theme()
        dirty = QRectF(event.rect())
        painter.fillRect(dirty, QColor(theme.surround))
        if self._pyramid is None:
            painter.setPen(QColor(theme.text_muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(32, 32, -32, -32), int(flags), self._placeholder)
            return
        viewport = self.viewport
        self._paint_image(painter, self._pyramid, viewport, dirty)
        self._paint_overlay(painter, viewport)
        paint_lines(painter, self._line_layers, viewport, dirty)
        self._paint_over_image(painter, viewport, dirty)
        if len(self._mark_points):
            self._mark_painter.paint_crosses(painter, self._mark_points, viewport, color=self._mark_color, dirty=dirty)
        if self._has_scale_bar:
            paint_scale_bar(painter, viewport, self._um_per_px)
        area = minimap_area(self._pyramid, viewport)
        if area is not None and area.intersects(dirty):
            paint_minimap(painter, area, self._pyramid, viewport)
        self._paint_on_top(painter, viewport)

    def _paint_image(self, painter: QPainter, pyramid: ImagePyramid, viewport: Viewport, dirty: QRectF) -> None:
        if viewport.turns:
            self._turned_picture.paint(painter, pyramid, viewport, dirty)
        else:
            paint_pyramid(painter, pyramid, viewport)

    def _paint_overlay(self, painter: QPainter, viewport: Viewport) -> None:
        if self._overlay is None or self._pyramid is None or self._overlay_opacity <= 0:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(self._overlay_opacity)
        cos, sin = viewport.turn
        painter.setTransform(QTransform(cos, sin, -sin, cos, *viewport.origin), True)
        size = QSizeF(self._pyramid.width * viewport.scale, self._pyramid.height * viewport.scale)
        painter.drawImage(QRectF(QPointF(0, 0), size), self._overlay)
        painter.restore()

    def _paint_over_image(self, painter: QPainter, viewport: Viewport, dirty: QRectF) -> None:
        """For views that show more: paint above image and overlay, below crosses and decorations."""

    def _paint_on_top(self, painter: QPainter, viewport: Viewport) -> None:
        """For views that show more: paint above everything else."""

    # Pointer and keys; a subclass takes the left button through the four hooks below

    def _on_left_pressed(self, pointer: Pointer) -> None:
        """The left button went down on the image or beside it."""

    def _on_pointer_moved(self, pointer: Pointer, *, is_left_down: bool) -> None:
        """The pointer moved while the view was not being panned."""

    def _on_left_released(self, pointer: Pointer) -> None:
        """The left button went up again."""

    def _idle_cursor(self) -> Qt.CursorShape:
        """Cursor while nothing is dragged."""
        return Qt.CursorShape.ArrowCursor

    def _pointer_at(self, event: QSinglePointEvent) -> Pointer:
        position, modifiers = event.position(), event.modifiers()
        x, y = self.widget_to_image(position)
        return Pointer(
            x,
            y,
            position.x(),
            position.y(),
            shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
        )

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._pyramid is None:
            event.ignore()
            return
        button, pointer = event.button(), self._pointer_at(event)
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._is_space_held):
            self._pan_from = event.position()
            self._refresh_cursor()
        elif button == Qt.MouseButton.RightButton:
            self.context_menu_requested.emit(event.globalPosition().toPoint(), pointer.x, pointer.y)
        elif button == Qt.MouseButton.LeftButton:
            self._is_in_minimap = self._is_over_minimap(event.position())
            if self._is_in_minimap:
                self._follow_minimap(event.position())
            else:
                self._on_left_pressed(pointer)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)  # two quick clicks are two clicks

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pyramid is None:
            return
        if self._pan_from is not None:
            way = event.position() - self._pan_from
            self._pan_from = event.position()
            self.pan_by(way.x(), way.y())
        elif self._is_in_minimap:
            self._follow_minimap(event.position())
        else:
            is_left_down = bool(event.buttons() & Qt.MouseButton.LeftButton)
            self._on_pointer_moved(self._pointer_at(event), is_left_down=is_left_down)
        x, y = self.widget_to_image(event.position())
        self.cursor_moved.emit(x, y, self._pyramid.color_at(x, y))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
            self._refresh_cursor()
        elif event.button() == Qt.MouseButton.LeftButton and self._pyramid is not None:
            if not self._is_in_minimap:
                self._on_left_released(self._pointer_at(event))
            self._is_in_minimap = False

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.cursor_left.emit()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()  # the mouse's was emitted at the press, also where the platform sends this on release
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._pyramid is not None:
            position = QPointF(self.mapFromGlobal(QCursor.pos()))
            if not self.rect().contains(position.toPoint()):
                position = QPointF(self.rect().center())
            x, y = self.widget_to_image(position)
            self.context_menu_requested.emit(self.mapToGlobal(position.toPoint()), x, y)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms at the cursor; a trackpad's two fingers pan, and zoom with Ctrl."""
        if self._pyramid is None:
            event.ignore()
            return
        event.accept()
        is_trackpad = (
            event.phase() != Qt.ScrollPhase.NoScrollPhase or event.device().type() == QInputDevice.DeviceType.TouchPad
        )
        wants_zoom = not is_trackpad or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if wants_zoom:
            self.zoom_by(WHEEL_STEP ** (event.angleDelta().y() / 120), event.position())
        elif event.hasPixelDelta():
            self.pan_by(event.pixelDelta().x(), event.pixelDelta().y())
        else:
            self.pan_by(event.angleDelta().x() / 2, event.angleDelta().y() / 2)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and self._pyramid is not None:
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_by(max(0.2, 1 + event.value()), event.position())
                return True
            if event.gestureType() == Qt.NativeGestureType.SmartZoomNativeGesture:
                self.one_to_one() if self._is_fitted else self.fit()
                return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._is_space_held = True
                self._refresh_cursor()
        elif event.key() in _ARROWS and self._pyramid is not None:
            dx, dy = _ARROWS[Qt.Key(event.key())]
            is_far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.pan_by(
                dx * (0.8 * self.width() if is_far else ARROW_PX), dy * (0.8 * self.height() if is_far else ARROW_PX)
            )
        else:
            super().keyPressEvent(event)

    @override
    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_held = False
            self._refresh_cursor()
        else:
            super().keyReleaseEvent(event)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._is_space_held = False
        self._refresh_cursor()
        super().focusOutEvent(event)

    @property
    def _is_panning(self) -> bool:
        return self._pan_from is not None

    def _refresh_cursor(self) -> None:
        if self._pan_from is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._is_space_held:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(self._idle_cursor())

    def _is_over_minimap(self, position: QPointF) -> bool:
        area = minimap_area(self._pyramid, self.viewport) if self._pyramid is not None else None
        return area is not None and area.contains(position)

    def _follow_minimap(self, position: QPointF) -> None:
        area = minimap_area(self._pyramid, self.viewport) if self._pyramid is not None else None
        if area is not None and self._pyramid is not None:
            self.center_on(*minimap_to_image(area, position, self._pyramid, self.viewport))


def _overlay_image(rgba: NDArray[np.uint8]) -> QImage:
    height, width = rgba.shape[:2]
    shrink = MAX_OVERLAY_PX / max(height, width)
    if shrink < 1:
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        rgba = np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    pixels = np.ascontiguousarray(rgba)
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
