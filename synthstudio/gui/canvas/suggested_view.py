"""The viewer in which suggestions are picked, dragged and taken with the pointer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from typing_extensions import override

from synthstudio.domain.ids import SuggestionId
from synthstudio.gui.canvas import drafts
from synthstudio.gui.canvas.drafts import Pointer, Wish
from synthstudio.gui.canvas.suggested_marks import SuggestedMarks
from synthstudio.gui.canvas.suggestion_table import SuggestionTable
from synthstudio.gui.canvas.tools import DRAG_THRESHOLD_PX


@dataclass(frozen=True, slots=True)
class SuggestionPress:
    """A press on a suggestion; `dx`, `dy` (image px) tell where it is dragged, once it is a drag."""

    id: SuggestionId
    start: Pointer
    is_drag: bool = False
    dx: float = 0.0
    dy: float = 0.0


class SuggestedView(SuggestedMarks):
    """With the tool "select" (or Ctrl) a click picks a suggestion, the rubber band and the lasso pick several.

    With "center" a click on the middle of one takes it. A drag takes it to another place. What is picked is what the
    keys judge.
    """

    take_requested = Signal(object, float, float)
    """Tuple of `SuggestionId`s, dx, dy in image px: they are right, there."""

    _suggestion_press: SuggestionPress | None = None  # the base class asks for the cursor while it is made

    @override
    def set_suggestions(self, table: SuggestionTable) -> None:
        self._suggestion_press = None
        super().set_suggestions(table)

    def suggestion_at(self, x: float, y: float) -> SuggestionId | None:
        """The suggestion under an image point."""
        return self._suggestions.find_at(x, y, scale=self._state.scale) if self._shows_suggestions else None

    def _pressed_suggestion(self, pointer: Pointer) -> SuggestionId | None:
        """What a press takes hold of: a centre before all but marks' own, a mark where nothing of the expert lies."""
        if not self._shows_suggestions or not len(self._suggestions):
            return None
        is_selecting = self.tool == "select" or pointer.ctrl
        if (self.tool != "center" and not is_selecting) or pointer.alt:
            return None
        target = self._target_at(pointer)
        if target.handle is not None or target.grabbed is not None:
            return None
        center = self._suggestions.find_center_at(pointer.x, pointer.y, scale=self._state.scale)
        if center is not None or not is_selecting or target.mark is not None:
            return center
        return self.suggestion_at(pointer.x, pointer.y)

    @override
    def _on_left_pressed(self, pointer: Pointer) -> None:
        pressed = self._pressed_suggestion(pointer) if self._draft is None else None
        if pressed is None:
            super()._on_left_pressed(pointer)
        else:
            self._suggestion_press = SuggestionPress(pressed, pointer)

    @override
    def _on_pointer_moved(self, pointer: Pointer, *, is_left_down: bool) -> None:
        press = self._suggestion_press
        if press is None or not is_left_down:
            self._suggestion_press = None
            super()._on_pointer_moved(pointer, is_left_down=is_left_down)
            return
        start = press.start
        way = max(abs(pointer.widget_x - start.widget_x), abs(pointer.widget_y - start.widget_y))
        if press.is_drag or way >= DRAG_THRESHOLD_PX:
            if press.id not in self._picked:
                self._set_picked(frozenset({press.id}))
            dx, dy = self.limited_shift(pointer.x - start.x, pointer.y - start.y)
            self._suggestion_press = replace(press, is_drag=True, dx=dx, dy=dy)
            self.update()

    @override
    def _on_left_released(self, pointer: Pointer) -> None:
        press, self._suggestion_press = self._suggestion_press, None
        if press is None:
            super()._on_left_released(pointer)
        elif press.is_drag:
            self.take_requested.emit(tuple(sorted(self._picked)), press.dx, press.dy)
        elif self.tool == "center" and not press.start.ctrl:
            self.take_requested.emit((press.id,), 0.0, 0.0)
        elif press.start.shift:
            self.set_picked(self._picked ^ {press.id})
        else:
            self.set_selection(())
            self.set_picked([press.id])

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        has_draft = self._draft is not None or self._suggestion_press is not None
        if event.key() == Qt.Key.Key_Escape and self._picked and not has_draft:
            self.set_picked(())
        else:
            super().keyPressEvent(event)

    @override
    def can_place_center(self, position: QPointF) -> bool:
        x, y = self.widget_to_image(position)
        pointer = Pointer(x, y, position.x(), position.y())
        return super().can_place_center(position) and self._pressed_suggestion(pointer) is None

    @override
    def _ghost_area(self) -> QRectF | None:
        if self._hover is not None and self._pressed_suggestion(self._hover[0]) is not None:
            return None
        return super()._ghost_area()

    @override
    def cancel_draft(self) -> bool:
        had_press = self._suggestion_press is not None and self._suggestion_press.is_drag
        self._suggestion_press = None
        return super().cancel_draft() or had_press

    def limited_shift(self, dx: float, dy: float) -> tuple[float, float]:
        """The part of a way (image px) that leaves what is picked inside the image."""
        bounds, image = self._suggestions.bounds_of(self._picked) or self.image_box, self.image_box
        dx = min(max(dx, min(image.x0 - bounds.x0, 0.0)), max(image.x1 - bounds.x1, 0.0))
        return dx, min(max(dy, min(image.y0 - bounds.y0, 0.0)), max(image.y1 - bounds.y1, 0.0))

    @override
    def _utter(self, wish: Wish) -> None:
        super()._utter(wish)
        match wish:
            case drafts.BandWish(area, adds):
                self._pick_more(self._suggestions.ids_with_center_in(area), adds=adds)
            case drafts.LassoWish(points, adds):
                self._pick_more(self._suggestions.ids_with_center_within(np.array(points)), adds=adds)
            case drafts.SelectWish():
                self._set_picked(frozenset())

    def _pick_more(self, ids: Iterable[SuggestionId], *, adds: bool) -> None:
        found = frozenset(ids) if self._shows_suggestions else frozenset()
        self.set_picked(self._picked | found if adds else found)

    @override
    def _idle_cursor(self) -> Qt.CursorShape:
        if self._suggestion_press is not None and self._suggestion_press.is_drag:
            return Qt.CursorShape.SizeAllCursor
        if self._draft is None and self._hover is not None and self.tool == "center":
            pointer, target = self._hover
            if target.grabbed is None and self._pressed_suggestion(pointer) is not None:
                return Qt.CursorShape.PointingHandCursor
        return super()._idle_cursor()

    @override
    def _picked_shift(self) -> tuple[float, float]:
        press = self._suggestion_press
        return (press.dx, press.dy) if press is not None else (0.0, 0.0)
