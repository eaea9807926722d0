"""The map that is edited: its states, the steps between them, and what the hand and the keys do with its boxes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QUndoStack

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.map_canvas import MapCanvas
from synthstudio.gui.pages.generate.gan.editor_commands import MapCommand, Merged
from synthstudio.gui.pages.generate.gan.map_gan import MapGan
from synthstudio.gui.pages.generate.gan.map_state import MapState


class MapEditing(QObject):
    """Fulfils the wishes of the canvas.

    Attributes:
        gan: Whose map it is; None while there is none.
        state: The map as it was last left; what the hand is just doing comes with `present_state`.
        start: What `reset` goes back to.
        current_class: Condition of the boxes that are drawn next.
        undo_stack: Steps of the map, and images that were kept of it.
    """

    state_changed = Signal()
    """Another state, or another GAN: what shows the map reads it anew."""
    class_changed = Signal(object)
    """`ClassId`: `current_class` is another one."""
    possibilities_changed = Signal()
    """Something may be selected now, or undone, that could not before."""

    def __init__(self, canvas: MapCanvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.gan: MapGan | None = None
        self.state: MapState | None = None
        self.start: MapState | None = None
        self.current_class = ClassId(1)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.indexChanged.connect(self._on_undo_stack_index_changed)
        canvas.box_requested.connect(self._on_canvas_box_requested)
        canvas.move_requested.connect(self._on_canvas_move_requested)
        canvas.resize_requested.connect(self._on_canvas_resize_requested)
        canvas.grow_requested.connect(self._on_canvas_grow_requested)
        canvas.selection_changed.connect(self._on_canvas_selection_changed)

    @Slot(int)
    def _on_undo_stack_index_changed(self, _index: int) -> None:
        self.possibilities_changed.emit()

    def set_gan(self, gan: MapGan | None) -> None:
        """Edit maps of another GAN; `begin_with` comes next, where there is one."""
        self.gan, self.state, self.start = gan, None, None
        self.undo_stack.clear()
        self._canvas.set_annotations((), {}, None)
        if gan is not None:
            self._canvas.set_side(gan.card.side)
            self._set_current_class(next(iter(gan.classes)))

    def begin_with(self, state: MapState) -> None:
        """Start anew from a map: nothing is left to undo."""
        self.start = state
        self.undo_stack.clear()
        self._show(state)

    def begin_empty(self) -> None:
        """Start anew from a map with one box, so that there is something to see and to drag."""
        if self.gan is not None:
            tone = self.gan.tones[len(self.gan.tones) // 2][0]
            self.begin_with(MapState(self.gan.card.side, tone).with_middle_box(self.current_class))

    def present_state(self) -> MapState | None:
        """The map with what the hand is doing at this moment."""
        state, canvas = self.state, self._canvas
        if state is None:
            return None
        if canvas.present_shift is not None:
            return state.moved(*canvas.present_shift)
        if canvas.present_resize is not None:
            return state.resized(*canvas.present_resize)
        return state.with_box(self.current_class, canvas.present_box) if canvas.present_box is not None else state

    @property
    def has_selection(self) -> bool:
        return self.state is not None and bool(self._canvas.selection)

    def _change(self, text: str, state: MapState | None, *, merged: Merged = Merged.NEVER) -> None:
        """Go to another state, as one step that can be undone."""
        if state is not None and self.state is not None and state != self.state:
            self.undo_stack.push(MapCommand(text, self.state, state, show=self._show, merged=merged))

    def _show(self, state: MapState) -> None:
        if self.gan is not None:
            self.state = state
            self._canvas.set_annotations(state.boxes, self.gan.classes, None)
            self.state_changed.emit()

    @Slot(object)
    def _on_canvas_box_requested(self, box: Box) -> None:
        if self.state is not None:
            self._change("draw a box", self.state.with_box(self.current_class, box))
            self._canvas.set_selection(self.state.ids[-1:])

    @Slot(object, float, float)
    def _on_canvas_move_requested(self, ids: Sequence[AnnotationId], dx: float, dy: float) -> None:
        if self.state is not None:
            self._change("move boxes", self.state.moved(ids, dx, dy))

    @Slot(object, object)
    def _on_canvas_resize_requested(self, box_id: AnnotationId, box: Box) -> None:
        if self.state is not None:
            self._change("resize a box", self.state.resized(box_id, box))

    @Slot(object, float)
    def _on_canvas_grow_requested(self, ids: Sequence[AnnotationId], factor: float) -> None:
        if self.state is not None:
            self._change("resize boxes", self.state.grown(ids, factor), merged=Merged.SIZES)

    @Slot(object)
    def _on_canvas_selection_changed(self, ids: Sequence[AnnotationId]) -> None:
        """The condition of what is selected becomes the current one, so that the next box is like it."""
        if self.state is not None:
            chosen = {each.class_id for each in self.state.boxes if each.id in ids}
            if len(chosen) == 1:
                self._set_current_class(chosen.pop())
        self.possibilities_changed.emit()

    def _set_current_class(self, class_id: ClassId) -> None:
        if self.gan is not None:
            self.current_class = class_id
            self._canvas.set_current_class(self.gan.classes[class_id])
            self.class_changed.emit(class_id)

    @Slot(object)
    def choose_class(self, class_id: ClassId) -> None:
        """Give the selected boxes this condition, and those that are drawn next."""
        if self.gan is not None and self.state is not None and class_id in self.gan.classes:
            self._set_current_class(class_id)
            self._change(f"make it {self.gan.names[class_id]}", self.state.of_class(self._canvas.selection, class_id))

    def add_box(self) -> None:
        """Put a new box into the middle."""
        if self.state is not None:
            self._change("add a box", self.state.with_middle_box(self.current_class))
            self._select(self.state.ids[-1])

    def remove_selected(self) -> None:
        """Remove the selected boxes."""
        if self.state is not None:
            self._change("delete boxes", self.state.without(self._canvas.selection))

    def select_next(self, step: int) -> None:
        """Select the box after the selected one, or before it."""
        if self.state is None or not self.state.boxes:
            return
        ids = self.state.ids
        chosen = [place for place, each in enumerate(ids) if each in self._canvas.selection]
        place = (chosen[-1 if step > 0 else 0] + step) % len(ids) if chosen else min(step - 1, 0)
        self._select(ids[place])

    def _select(self, box_id: AnnotationId) -> None:
        """Select a box by key; the arrows are its own from now on."""
        self._canvas.set_selection((box_id,))
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def nudge(self, dx: int, dy: int) -> None:
        """Move the selected boxes."""
        if self.state is not None:
            self._change("move boxes", self.state.moved(self._canvas.selection, dx, dy), merged=Merged.NUDGES)

    def stretch(self, wider: int, taller: int) -> None:
        """Move the right and lower edges of the selected boxes."""
        if self.state is not None:
            state = self.state.stretched(self._canvas.selection, wider=wider, taller=taller)
            self._change("resize boxes", state, merged=Merged.SIZES)

    def grow(self, factor: float) -> None:
        """Make the selected boxes larger or smaller."""
        self._on_canvas_grow_requested(tuple(self._canvas.selection), factor)

    @Slot(int)
    def set_tone(self, tone: int) -> None:
        """Choose a tone."""
        if self.state is not None:
            self._change("change the tone", self.state.with_tone(tone), merged=Merged.TONES)

    @Slot(int)
    def set_seed(self, seed: int) -> None:
        """Choose the seed of the noise."""
        if self.state is not None:
            self._change("change the seed", self.state.with_seed(seed), merged=Merged.SEEDS)

    @Slot()
    def reset(self) -> None:
        """Go back to the map that was started from."""
        self._change("reset the map", self.start)
