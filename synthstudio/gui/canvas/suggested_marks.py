"""The viewer with what a model suggests: dashed, with scores; what the expert has marked needs no suggestion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId, SuggestionId
from synthstudio.domain.records import Annotation, Box, ObjectClass
from synthstudio.domain.suggestions import Suggestion
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.mark_painter import MARGIN_PX, Detail, MarkLook, MarkStyle, choose_detail, rows_in_view
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.score_labels import MAX_SCORES, ScoreLabels
from synthstudio.gui.canvas.suggestion_table import SuggestionTable
from synthstudio.gui.canvas.view_state import Viewport

MAX_PARTIAL_UPDATES = 64
"""More changed suggestions than this are repainted with the whole view."""
LABEL_ROOM_PX = 24.0
"""Widget px above a mark in which its score stands."""
EDGE_PX = 48.0
"""Widget px from the edge of the view within which a suggestion counts as out of sight: its surroundings matter."""


class SuggestedMarks(FovView):
    """Draws suggestions below the annotations; those that are picked stand out."""

    picked_changed = Signal(object)
    """Tuple of `SuggestionId`s, ascending."""
    shown_changed = Signal()
    """Other suggestions are drawn now, or as many in other places."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._suggestions = SuggestionTable((), {}, None)
        self._picked: frozenset[SuggestionId] = frozenset()
        self._room: tuple[Viewport, Detail, bool] | None = None
        self._shows_suggestions = True
        self._score_labels = ScoreLabels()

    # What is shown

    @override
    def set_image(self, pyramid: ImagePyramid | None, *, keep_view: bool = False) -> None:
        """Show another image; the suggestions of the last one go."""
        self.set_suggestions(SuggestionTable((), {}, None))
        super().set_image(pyramid, keep_view=keep_view)

    def set_suggestions(self, table: SuggestionTable) -> None:
        """Show the suggestions of a table instead of the former ones; what stays picked is what is still there.

        Args:
            table: Belongs to the view from now on. A large one is best made off the GUI thread.
        """
        self._suggestions = table
        table.hide_classes(self._hidden)
        table.set_marked(self._marked_extents())
        self._on_suggestions_changed()

    def set_thresholds(self, thresholds: Mapping[ClassId, float]) -> None:
        """Draw what has at least the score that is given for its class: cheap enough to follow a slider."""
        self._suggestions.set_thresholds(thresholds)
        self._on_suggestions_changed()

    def set_suggestions_visible(self, visible: bool) -> None:
        """Draw and hit suggestions, or none."""
        self._shows_suggestions = visible
        self._on_suggestions_changed()

    @property
    def n_suggestions(self) -> int:
        """How many there are, drawn or not."""
        return len(self._suggestions)

    @property
    def shows_suggestions(self) -> bool:
        return self._shows_suggestions

    def add_suggestions(self, suggestions: Sequence[Suggestion]) -> None:
        """Show more, or put back what was removed."""
        self._suggestions.put_back(suggestions, self._marked_extents())
        self._update_suggestions(self._suggestions.rows_of([each.id for each in suggestions]))
        self.shown_changed.emit()

    def remove_suggestions(self, ids: Iterable[SuggestionId]) -> None:
        """Show these no longer: they have been judged."""
        gone = list(ids)
        self._update_suggestions(self._suggestions.rows_of(gone))
        self._suggestions.remove(gone)
        self._set_picked(self._picked.difference(gone))
        self.shown_changed.emit()

    def suggestion(self, suggestion_id: SuggestionId) -> Suggestion:
        """Return one of the suggestions; KeyError where it is not here."""
        return self._suggestions.get(suggestion_id)

    def shown_counts(self) -> Mapping[ClassId, int]:
        """How many suggestions are drawn, by class."""
        return self._suggestions.shown_counts() if self._shows_suggestions else {}

    def suggestions_in_view(self) -> tuple[SuggestionId, ...]:
        """Those that are drawn and have their centre in view, in drawing order."""
        return self._suggestions.ids_with_center_in(self.viewport.visible_box()) if self._shows_suggestions else ()

    def _marked_extents(self) -> NDArray[np.float64]:
        return self._table.extents[:, self._table.living_rows]

    def _on_suggestions_changed(self) -> None:
        self._room = None
        self._set_picked(frozenset(self._suggestions.ids_of(self._suggestions.rows_of(self._picked))))
        self.update()
        self.shown_changed.emit()

    # What the expert marks answers suggestions

    @override
    def set_annotations(
        self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        super().set_annotations(annotations, classes, um_per_px)
        if len(self._suggestions):
            self._suggestions.set_marked(self._marked_extents())
            self._on_suggestions_changed()

    @override
    def add_annotations(self, annotations: Sequence[Annotation]) -> None:
        super().add_annotations(annotations)
        self._count_marked([each.id for each in annotations], sign=1)

    @override
    def replace_annotations(self, annotations: Sequence[Annotation]) -> None:
        ids = [each.id for each in annotations]
        self._count_marked(ids, sign=-1)
        super().replace_annotations(annotations)
        self._count_marked(ids, sign=1)

    @override
    def remove_annotations(self, ids: Iterable[AnnotationId]) -> None:
        gone = list(ids)
        self._count_marked(gone, sign=-1)
        super().remove_annotations(gone)

    def _count_marked(self, ids: Sequence[AnnotationId], *, sign: int) -> None:
        if len(self._suggestions):
            changed = self._suggestions.add_marked(self._table.extents_of(ids), sign=sign)
            if changed.size:
                self._update_suggestions(changed)
                self._set_picked(frozenset(self._suggestions.ids_of(self._suggestions.rows_of(self._picked))))
                self.shown_changed.emit()

    @override
    def set_hidden_classes(self, hidden: Collection[ClassId]) -> None:
        super().set_hidden_classes(hidden)
        self._suggestions.hide_classes(self._hidden)
        self._on_suggestions_changed()

    # What is picked

    @property
    def picked(self) -> frozenset[SuggestionId]:
        """The suggestions that the next key judges."""
        return self._picked

    def set_picked(self, ids: Iterable[SuggestionId]) -> None:
        """Pick those of the ids that are drawn."""
        self._set_picked(frozenset(self._suggestions.ids_of(self._suggestions.rows_of(ids))))

    def select_marks(self, ids: Iterable[AnnotationId]) -> None:
        """Select annotations, and pick no suggestion: the next key is for those."""
        self.set_picked(())
        self.set_selection(ids)

    def step_from(self, suggestion_id: SuggestionId | None, step: int) -> SuggestionId | None:
        """The drawn suggestion after (1) or before (-1) another on the way over the FOV; None for none."""
        return self._suggestions.step_from(suggestion_id, step) if self._shows_suggestions else None

    def reveal_suggestion(self, suggestion_id: SuggestionId) -> None:
        """Bring a suggestion to the middle where it, or what surrounds it, is out of view."""
        each, margin = self._suggestions.get(suggestion_id), EDGE_PX / self.viewport.scale
        visible = self.viewport.visible_box()
        inside_x = visible.x0 + margin <= each.x <= visible.x1 - margin
        inside_y = visible.y0 + margin <= each.y <= visible.y1 - margin
        if not (inside_x and inside_y) and not self._shows_all(visible):
            self.center_on(each.x, each.y)

    def _shows_all(self, visible: Box) -> bool:
        image = self.image_box
        return visible.x0 <= image.x0 and visible.y0 <= image.y0 and visible.x1 >= image.x1 and visible.y1 >= image.y1

    def _set_picked(self, ids: frozenset[SuggestionId]) -> None:
        if ids != self._picked:
            self._update_suggestions(self._suggestions.rows_of(ids ^ self._picked))
            self._picked = ids
            self.picked_changed.emit(tuple(sorted(ids)))

    # Painting

    def _update_suggestions(self, rows: NDArray[np.int64]) -> None:
        """Ask for a repaint of just these where they are few."""
        if rows.size > MAX_PARTIAL_UPDATES:
            self.update()
            return
        for left, top, right, bottom in self.viewport.boxes_to_widget(self._suggestions.extents[:, rows]):
            area = QRectF(left, top, right - left, bottom - top)
            dirty = area.adjusted(-LABEL_ROOM_PX, -LABEL_ROOM_PX, LABEL_ROOM_PX, MARGIN_PX)
            self.update(dirty.intersected(QRectF(self.rect())).toAlignedRect())

    @override
    def _paint_over_image(self, painter: QPainter, viewport: Viewport, dirty: QRectF) -> None:
        if self._shows_suggestions and len(self._suggestions):
            self._paint_suggestions(painter, viewport, dirty)
        super()._paint_over_image(painter, viewport, dirty)
        if self._shows_suggestions and self._picked:
            self._paint_picked(painter, viewport)

    def _paint_suggestions(self, painter: QPainter, viewport: Viewport, dirty: QRectF) -> None:
        table = self._suggestions
        reach = dirty.adjusted(-LABEL_ROOM_PX, -LABEL_ROOM_PX, LABEL_ROOM_PX, LABEL_ROOM_PX)
        rows = rows_in_view(table, viewport, reach)
        picked = table.rows_of(self._picked)
        if picked.size:
            rows = rows[~np.isin(rows, picked, assume_unique=True)]
        detail, has_scores = self._room_for_all(viewport)
        look = MarkLook(self._style, detail, clear_class=self._clear_class(), dashed=True)
        self._mark_painter.paint(painter, table, rows, viewport, look=look)
        if has_scores:
            self._score_labels.paint(painter, table, rows, viewport, always=False)

    def _paint_picked(self, painter: QPainter, viewport: Viewport) -> None:
        table, shift = self._suggestions, self._picked_shift()
        rows = table.rows_of(self._picked)
        if not rows.size:
            return
        detail = choose_detail(table, rows, viewport)
        look = MarkLook(self._style, detail, bold=True, shift_x=shift[0], shift_y=shift[1], dashed=True)
        self._mark_painter.paint(painter, table, rows, viewport, look=look)
        if detail is Detail.FULL and rows.size <= MAX_SCORES:
            self._score_labels.paint(painter, table, rows, viewport, always=True, shift=shift)

    def _picked_shift(self) -> tuple[float, float]:
        """Image px by which what is picked is drawn elsewhere: it is being dragged."""
        return 0.0, 0.0

    def _room_for_all(self, viewport: Viewport) -> tuple[Detail, bool]:
        """How much of each mark there is room for, and whether there is for scores: one decision per region."""
        if self._room is None or self._room[0] != viewport:
            rows = rows_in_view(self._suggestions, viewport, QRectF(0, 0, viewport.width, viewport.height))
            detail = choose_detail(self._suggestions, rows, viewport)
            is_roomy = detail is Detail.FULL and rows.size <= MAX_SCORES and self._style is not MarkStyle.DOT
            self._room = viewport, detail, is_roomy
        return self._room[1], self._room[2]
