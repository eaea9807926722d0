"""Where an image is looked at: zoom, pan, quarter turns, linked views. What is painted there comes with `ImageView`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import Viewport, ViewState, clamped_state, fit_scale

WHEEL_STEP = 2**0.5
"""Zoom per notch of the wheel."""
SHOWN_BOX_FILLS = 0.96
"""Of the view, by an area that is shown as large as it fits."""


class ZoomView(QWidget):
    """A widget that knows which part of which image it shows."""

    view_changed = Signal(object)
    """The `ViewState` that is now shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pyramid: ImagePyramid | None = None
        self._state = ViewState(0.0, 0.0, 1.0)
        self._is_fitted = True
        self._is_telling = False

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

    def _adopt_image(self, pyramid: ImagePyramid | None, *, keep_view: bool) -> None:
        if self._pyramid is not None:
            self._pyramid.remove_viewer(self)
        self._pyramid = pyramid
        if pyramid is not None:
            pyramid.add_viewer(self)
        if not keep_view:
            self._is_fitted = True
            self._state = replace(self._state, turns=0)
        self._refit_or_clamp()
        self.update()

    @Slot(object)
    def set_view_state(self, state: ViewState) -> None:
        """Show another region, within the limits; tells it by `view_changed` where it is new."""
        self._is_fitted = False
        self._apply_state(state)

    def link_view(self, other: ZoomView) -> None:
        """Let both show the same region from now on; the other takes over this one's at once."""
        self.view_changed.connect(other._on_linked_view_changed)
        other.view_changed.connect(self._on_linked_view_changed)
        other._on_linked_view_changed(self._state)

    def unlink_view(self, other: ZoomView) -> None:
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

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._refit_or_clamp()
