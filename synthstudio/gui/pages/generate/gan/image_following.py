"""The image that follows the hand: the newest state of the map goes to the engine, once per turn of the event loop."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, Signal, Slot

from synthstudio.domain.errors import UserError
from synthstudio.gui.drawing import Drawing, DrawingWish, Drawn
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.map_editing import MapEditing


class ImageFollowing(QObject):
    """Asks for images of the present map, while it is switched on.

    Attributes:
        shown: The image that came last, with the map that it is of.
        latency_s: From the hand to that image being handed over.
    """

    map_changed = Signal(object)
    """`MapRequest`: the map at this moment, with what the hand is doing."""
    image_drawn = Signal(object)
    """`Drawn`."""
    drawing_failed = Signal(str)
    """Why, and what to do."""
    _moved = Signal()

    def __init__(self, editing: MapEditing, drawing: Drawing, parent: QObject) -> None:
        super().__init__(parent)
        self._editing, self._drawing = editing, drawing
        self._is_on = False
        self._hand_at_s = 0.0
        self._asked: dict[DrawingWish, float] = {}
        self.shown: Drawn | None = None
        self.latency_s = 0.0
        self._is_to_ask = False
        # Once for all moves that have come, and before they are painted, as a timer of 0 ms would not be.
        self._moved.connect(self._ask, Qt.ConnectionType.QueuedConnection)

    def set_on(self, is_on: bool) -> None:
        """Follow the hand, or rest while nobody looks."""
        self._is_on = is_on
        if is_on:
            self.follow()

    def forget(self) -> None:
        """Another GAN: no image that is still on its way counts."""
        self._drawing.forget(self)
        self._asked.clear()
        self.shown = None

    def ask_again(self) -> None:
        """The weights may have changed: ask for the same map once more."""
        self._asked.clear()
        self.shown = None
        self.follow()

    @Slot()
    def follow(self) -> None:
        """The map has changed, or is just being changed."""
        if not self._is_to_ask:
            self._is_to_ask = True
            self._hand_at_s = time.perf_counter()
            self._moved.emit()
        # At once, so that the map is painted together with the box that the hand moves, not after it.
        wish = self._present_wish()
        if wish is not None:
            self.map_changed.emit(wish.request)

    def _present_wish(self) -> DrawingWish | None:
        state, gan = self._editing.present_state(), self._editing.gan
        if state is None or gan is None or not self._is_on:
            return None
        return DrawingWish(gan.run_id, state.request(gan.names), state.seed if gan.has_noise else 0)

    @Slot()
    def _ask(self) -> None:
        self._is_to_ask = False
        wish = self._present_wish()
        if wish is None:
            return
        is_shown = self.shown is not None and self.shown.wish == wish and not self._asked
        if not is_shown and wish not in self._asked:
            self._asked[wish] = self._hand_at_s
            self._drawing.draw([wish], done=self._on_drawn, failed=self._on_failed, owner=self)

    def _on_drawn(self, drawn: Drawn) -> None:
        asked_at_s = self._asked.get(drawn.wish)
        if asked_at_s is None:  # of a map of the past: of another GAN, or asked for again
            return
        self.latency_s = time.perf_counter() - asked_at_s
        # Wishes before this one were skipped for it and will not be fulfilled; a newer one is on its way.
        self._asked = {wish: at_s for wish, at_s in self._asked.items() if at_s > asked_at_s}
        self.shown = drawn
        self.image_drawn.emit(drawn)

    def _on_failed(self, error: Exception) -> None:
        self._asked.clear()
        if isinstance(error, UserError):
            self.drawing_failed.emit(f"{error.message} {error.hint}".strip())
        else:
            report(error, parent=None)
