"""Where a semantic map is drawn: boxes on a square ground, and the news of every move of the hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas import drafts, tools
from synthstudio.gui.canvas.drafts import Pointer, Target
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pictures import paint_picture, to_picture
from synthstudio.gui.canvas.pyramid import ImagePyramid, WholePyramid
from synthstudio.gui.canvas.view_state import Viewport

MIN_DRAWN_PX = 3.0
"""Image px: a box that is just being drawn is told of from this size on."""


class MapCanvas(FovView):
    """A press on a box moves it, on one of its grips resizes it, elsewhere draws a new one.

    While `draws_over` is set, or Alt is held, a press on a box draws a new one over it.
    """

    hand_moved = Signal()
    """What is being drawn, moved or resized has changed; see the `present_…` properties."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draws_over = False
        self._ground: QImage | None = None
        self.set_tool("box")
        self.set_scale_bar_visible(False)
        self.setAccessibleName("Semantic map")

    def set_side(self, side: int) -> None:
        """Show an empty map of this side in px."""
        self._ground = None
        self.set_image(WholePyramid((to_picture(np.zeros((side, side, 3), np.uint8)),)))

    def set_ground(self, pixels: NDArray[np.uint8]) -> None:
        """Show other pixels, (S, S, 3) uint8 RGB, under the boxes; what the hand is doing goes on."""
        self._ground = to_picture(pixels)
        self.update()

    @property
    def present_shift(self) -> tuple[frozenset[AnnotationId], float, float] | None:
        """Boxes that are being moved, and by how many px."""
        draft = self._draft
        return (draft.ids, draft.dx, draft.dy) if isinstance(draft, drafts.MoveDraft) else None

    @property
    def present_resize(self) -> tuple[AnnotationId, Box] | None:
        """The box that is being resized, and its extent now."""
        return (self._draft.id, self._draft.box) if isinstance(self._draft, drafts.ResizeDraft) else None

    @property
    def present_box(self) -> Box | None:
        """The box that is being drawn, once it is one."""
        draft = self._draft
        if isinstance(draft, drafts.BoxDraft) and min(draft.box.width, draft.box.height) >= MIN_DRAWN_PX:
            return draft.box
        return None

    @override
    def cancel_draft(self) -> bool:
        had_draft = super().cancel_draft()
        if had_draft:
            self.hand_moved.emit()
        return had_draft

    @override
    def _on_left_pressed(self, pointer: Pointer) -> None:
        target = self._target_at(pointer)
        is_waiting = isinstance(self._draft, drafts.BoxDraft) and self._draft.is_pinned
        if is_waiting or (target.mark is None and target.handle is None):
            super()._on_left_pressed(pointer)
        elif self._draws_at(pointer):
            self._take(tools.press("box", pointer, Target(mark=target.mark), self))
        else:
            self._take(tools.press("select", pointer, target, self))

    def _draws_at(self, pointer: Pointer) -> bool:
        return self.draws_over or pointer.alt

    @override
    def _take(self, step: tools.Step) -> None:
        former = self._draft
        super()._take(step)
        if self._draft != former:
            self.hand_moved.emit()

    @override
    def _idle_cursor(self) -> Qt.CursorShape:
        hover = self._hover
        is_free = self._draft is None and hover is not None and hover[1].handle is None
        if is_free and hover is not None and hover[1].mark is not None and not self._draws_at(hover[0]):
            return Qt.CursorShape.SizeAllCursor
        return super()._idle_cursor()

    @override
    def _paint_image(self, painter: QPainter, pyramid: ImagePyramid, viewport: Viewport, dirty: QRectF) -> None:
        if self._ground is None or viewport.turns:
            super()._paint_image(painter, pyramid, viewport, dirty)
        else:
            paint_picture(painter, self._ground, (pyramid.width, pyramid.height), viewport)
