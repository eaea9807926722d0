"""Shows one image: zoom, pan, overlay, predicted places, scale bar, minimap. Annotations come with `FovView`."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal, Slot
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
    QResizeEvent,
    QSinglePointEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.decorations import minimap_area, minimap_to_image, paint_minimap, paint_scale_bar
from synthstudio.gui.canvas.drafts import Pointer
from synthstudio.gui.canvas.mark_painter import MarkPainter
from synthstudio.gui.canvas.pyramid import ImagePyramid, paint_pyramid
from synthstudio.gui.canvas.turned_picture import TurnedPicture
from synthstudio.gui.canvas.view_state import Viewport, ViewState, clamped_state, fit_scale
from synthstudio.gui.theme import current_theme

WHEEL_STEP = 2**0.5
"""Zoom per notch of the wheel."""
SHOWN_BOX_FILLS = 0.96
"""Of the view, by an area that is shown as large as it fits."""
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


class ImageView(QWidget):
    """A viewer that owns what is on the screen and nothing else: image, region, overlay, predicted places."""

    view_changed = Signal(object)
    """The `ViewState` that is now shown."""
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
        self._pyramid: ImagePyramid | None = None
        self._state = ViewState(0.0, 0.0, 1.0)
        self._is_fitted = True
        self._um_per_px: float | None = None
        self._overlay: QImage | None = None
        self._overlay_opacity = 1.0
        self._mark_points: NDArray[np.float64] = np.zeros((0, 2))
        self._mark_color = "#FFFFFF"
        self._mark_painter = MarkPainter()
        self._placeholder = ""
        self._has_scale_bar = True
        self._pan_from: QPointF | None = None
        self._is_in_minimap = False
        self._is_space_held = False
        self._is_telling = False
        self._turned_picture = TurnedPicture()

    # What is shown

    @property
    def pyramid(self) -> ImagePyramid | None:
        return self._pyramid

    @property
    def viewport(self) -> Viewport:
        """The mapping between image px and widget px at this moment."""
        return Viewport(self._state, self.width(), self.height(), self.devicePixelRatioF())

    @property
    def view_state(self) -> ViewState:
        return self._state

    def set_image(self, pyramid: ImagePyramid | None, *, keep_view: bool = False) -> None:
        """Show another image, fitted unless `keep_view`; the overlay and the predicted places of the last one go."""
        if self._pyramid is not None:
            self._pyramid.remove_viewer(self)
        self._pyramid = pyramid
        if pyramid is not None:
            pyramid.add_viewer(self)
        self._overlay = None
        self._mark_points = np.zeros((0, 2))
        if not keep_view:
            self._is_fitted = True
            self._state = replace(self._state, turns=0)
        self._refit_or_clamp()
        self.update()

    def set_um_per_px(self, um_per_px: float | None) -> None:
        """Set the calibration that the scale bar speaks of; None makes it count px."""
        self._um_per_px = um_per_px
        self.update()

    def set_placeholder(self, text: str) -> None:
        """Say what to do next, while there is no image."""
        self._placeholder = text
        self.update()

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

    # Where it is looked at

    @Slot(object)
    def set_view_state(self, state: ViewState) -> None:
        """Show another region, within the limits; tells it by `view_changed` where it is new."""
        self._is_fitted = False
        self._apply_state(state)

    def link_view(self, other: ImageView) -> None:
        """Let both show the same region from now on; the other takes over this one's at once."""
        self.view_changed.connect(other._on_linked_view_changed)
        other.view_changed.connect(self._on_linked_view_changed)
        other._on_linked_view_changed(self._state)

    def unlink_view(self, other: ImageView) -> None:
        """Undo `link_view`."""
        self.view_changed.disconnect(other._on_linked_view_changed)
        other.view_changed.disconnect(self._on_linked_view_changed)

    @Slot(object)
    def _on_linked_view_changed(self, state: ViewState) -> None:
        if not self._is_telling:  # else it is this view's own change coming back through the link
            self.set_view_state(state)

    @Slot()
    def zoom_in(self) -> None:
        self.zoom_by(WHEEL_STEP)

    @Slot()
    def zoom_out(self) -> None:
        self.zoom_by(1 / WHEEL_STEP)

    @Slot()
    def fit(self) -> None:
        """Show the whole image, and keep doing so while the widget is resized."""
        self._is_fitted = True
        self._refit_or_clamp()

    @property
    def is_fitted(self) -> bool:
        """Whether the whole image is shown and stays so while the widget is resized."""
        return self._is_fitted

    def turn(self, quarters: int) -> None:
        """Turn the view clockwise by quarters about its middle; a fitted image stays fitted."""
        if self._pyramid is None:
            return
        is_fitted = self._is_fitted
        self.set_view_state(self._state.turned(quarters))
        if is_fitted:
            self.fit()

    @Slot()
    def one_to_one(self) -> None:
        """Show one image pixel per device pixel, about the middle of the view."""
        self._zoom_to(1 / self.devicePixelRatioF())

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor, with the point under `at` (widget px; the middle without it) staying in place."""
        self._zoom_to(self._state.scale * factor, at)

    def _zoom_to(self, scale: float, at: QPointF | None = None) -> None:
        if self._pyramid is None:
            return
        viewport = self.viewport
        at = at or QPointF(viewport.width / 2, viewport.height / 2)
        scale = self._clamped(replace(self._state, scale=scale)).scale
        self.set_view_state(viewport.zoomed(scale, at_x=at.x(), at_y=at.y()))

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the image by widget px."""
        self.set_view_state(self.viewport.panned(dx, dy))

    def show_box(self, box: Box) -> None:
        """Show an area in image px as large as it fits."""
        across, down = (self.height(), self.width()) if self._state.turns % 2 else (self.width(), self.height())
        scale = min(across / max(box.width, 1.0), down / max(box.height, 1.0)) * SHOWN_BOX_FILLS
        self.set_view_state(replace(self._state, center_x=box.center[0], center_y=box.center[1], scale=scale))

    def center_on(self, x: float, y: float) -> None:
        """Bring an image point to the middle of the view."""
        self.set_view_state(replace(self._state, center_x=x, center_y=y))

    def image_to_widget(self, x: float, y: float) -> QPointF:
        """Widget position of an image point."""
        return QPointF(*self.viewport.to_widget(x, y))

    def widget_to_image(self, position: QPointF) -> tuple[float, float]:
        """Image px under the middle of the device pixel that a pointer is on."""
        half = 0.5 / self.devicePixelRatioF()
        return self.viewport.to_image(position.x() + half, position.y() + half)

    def pixels_in(self, area: Box, scale: float = 1.0) -> NDArray[np.uint8] | None:
        """The pixels of a part of the image as stored, upright, for instance to look for an object there.

        Returns:
            (h, w, 3) uint8 RGB, `scale` px per image px; None where there is no image.
        """
        if self._pyramid is None:
            return None
        width, height = max(round(area.width * scale), 1), max(round(area.height * scale), 1)
        state = ViewState(area.x0 + width / 2 / scale, area.y0 + height / 2 / scale, scale)
        picture = QImage(width, height, QImage.Format.Format_RGB32)
        with QPainter(picture) as painter:
            self._pyramid.paint(painter, Viewport(state, width, height, 1.0))
        stored = np.frombuffer(picture.constBits(), dtype=np.uint8).reshape(height, -1, 4)
        return np.ascontiguousarray(stored[:, :width, 2::-1])

    def _clamped(self, state: ViewState) -> ViewState:
        if self._pyramid is None:
            return state
        size = self._pyramid.width, self._pyramid.height
        return clamped_state(state, self.viewport, image_width=size[0], image_height=size[1])

    def _apply_state(self, state: ViewState) -> None:
        state = self._clamped(state)
        if state == self._state:
            return
        self._state = state
        self._tell_state()

    def _tell_state(self) -> None:
        self.update()
        self._is_telling = True
        self.view_changed.emit(self._state)
        self._is_telling = False

    def _refit_or_clamp(self) -> None:
        if self._pyramid is None:
            return
        if not self._is_fitted:
            self._apply_state(self._state)
            return
        width, height = self._pyramid.width, self._pyramid.height
        turns = self._state.turns
        scale = fit_scale(width, height, width=self.width(), height=self.height(), turns=turns)
        self._apply_state(ViewState(width / 2, height / 2, scale, turns))

    # Painting

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._refit_or_clamp()

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
