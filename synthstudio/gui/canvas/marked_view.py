"""The viewer with annotations: which are shown, how they are drawn, which are selected. Tools come with `FovView`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, Box, ObjectClass
from synthstudio.gui.canvas.annotation_table import AnnotationTable
from synthstudio.gui.canvas.image_view import ImageView
from synthstudio.gui.canvas.mark_painter import (
    MARGIN_PX,
    Detail,
    MarkLook,
    MarkStyle,
    choose_detail,
    rows_in_view,
)
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.reading_grid import ReadingGrid, paint_grid
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.theme import current_theme

MAX_PARTIAL_UPDATES = 64
"""More changed marks than this are repainted with the whole view."""

FRAME_SURROUNDINGS = 0.5
"""Seen on each side of a framed part, as a share of its side."""


class MarkedView(ImageView):
    """Shows an FOV with its annotations; the selection lives here, the annotations themselves elsewhere."""

    annotations_replaced = Signal()
    """`set_annotations` was called: another FOV is shown, or this one anew."""
    selection_changed = Signal(object)
    """Tuple of `AnnotationId`s, ascending."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = AnnotationTable((), {}, None)
        self._hidden: frozenset[ClassId] = frozenset()
        self._hidden_authors: frozenset[str] = frozenset()
        self._selection: frozenset[AnnotationId] = frozenset()
        self._current_class: ObjectClass | None = None
        self._style = MarkStyle.OUTLINE
        self._detail: tuple[Viewport, Detail] | None = None
        self._dims_others = False
        self._grid: ReadingGrid | None = None
        self._frame: Box | None = None

    @override
    def set_image(self, pyramid: ImagePyramid | None, *, keep_view: bool = False) -> None:
        """Show another image; set the annotations that belong to it next."""
        self._grid = self._frame = None
        super().set_image(pyramid, keep_view=keep_view)

    def set_annotations(
        self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        """Show these annotations instead of the former ones; what stays selected is what is still there.

        Args:
            annotations: In drawing order, later ones on top; each class must be among `classes`.
            um_per_px: Calibration of the image; gives the classes their size in px, and the scale bar its unit.
        """
        self._table = AnnotationTable(annotations, classes, um_per_px)
        self._table.hide_classes(self._hidden)
        self._table.hide_authors(self._hidden_authors)
        self._um_per_px = um_per_px
        if self._current_class is not None:
            self._current_class = classes.get(self._current_class.id)
        self._detail = None
        self._set_selection(frozenset(i for i in self._selection if i in self._table))
        self.update()
        self.annotations_replaced.emit()

    def add_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Show more annotations, on top; repaints only where they are.

        A single one, that of a click, is painted before this returns: lists and counts beside the view come after it.
        """
        self._table.add(annotations)
        self._update_marks([annotation.id for annotation in annotations], at_once=len(annotations) == 1)

    def replace_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Show changed annotations in place of those with the same ids."""
        ids = [annotation.id for annotation in annotations]
        self._update_marks(ids)
        self._table.replace(annotations)
        self._update_marks(ids)

    def remove_annotations(self, ids: Iterable[AnnotationId]) -> None:
        """Show these annotations no longer."""
        gone = list(ids)
        self._update_marks(gone)
        self._table.remove(gone)
        self._set_selection(self._selection.difference(gone))

    @property
    def selection(self) -> frozenset[AnnotationId]:
        return self._selection

    def set_selection(self, ids: Iterable[AnnotationId]) -> None:
        """Select those of the ids that are shown here."""
        self._set_selection(frozenset(i for i in ids if i in self._table))

    def select_all(self) -> None:
        """Select every annotation that is drawn."""
        self.set_selection(self._table.ids_with_center_in(Box(-np.inf, -np.inf, np.inf, np.inf)))

    def reveal(self, annotation_id: AnnotationId) -> None:
        """Bring an annotation to the middle where it is out of view."""
        annotation, visible = self._table.get(annotation_id), self.viewport.visible_box()
        if not (visible.x0 <= annotation.x <= visible.x1 and visible.y0 <= annotation.y <= visible.y1):
            self.center_on(annotation.x, annotation.y)

    def annotation_at(self, x: float, y: float) -> AnnotationId | None:
        """The mark under an image point, for instance for a context menu."""
        return self._table.find_at(x, y, scale=self._state.scale)

    def set_current_class(self, object_class: ObjectClass | None) -> None:
        """Choose the class whose size and colour the pointer foreshows."""
        self._current_class = object_class
        self.update()

    def set_hidden_classes(self, hidden: Collection[ClassId]) -> None:
        """Neither draw nor hit annotations of these classes."""
        self._hidden = frozenset(hidden)
        self._table.hide_classes(self._hidden)
        self._detail = None
        self.update()

    def set_hidden_authors(self, hidden: Collection[str]) -> None:
        """Neither draw nor hit annotations of these authors."""
        self._hidden_authors = frozenset(hidden)
        self._table.hide_authors(self._hidden_authors)
        self._detail = None
        self.update()

    def class_size_px(self, class_id: ClassId) -> float:
        """The class's mean side in image px, as it is drawn; 0 where it has none."""
        return self._table.class_size_px(class_id)

    def resize_class(self, class_id: ClassId, size_px: float) -> None:
        """Draw a class at another mean size, px, before it is stored."""
        self._table.resize_class(class_id, size_px)
        self._detail = None
        self.update()

    def set_others_dimmed(self, dimmed: bool) -> None:
        """Draw the marks of all classes but the current one faintly."""
        self._dims_others = dimmed
        self.update()

    def set_grid(self, grid: ReadingGrid | None) -> None:
        """Lay tiles for reading over the image; None takes them away, as another image does."""
        self._grid = grid
        self.update()

    def show_framed(self, part: Box) -> None:
        """Bring a part of the image into view with some of its surroundings, framed until another image is shown."""
        margin = FRAME_SURROUNDINGS * max(part.width, part.height)
        self.show_box(Box(part.x0 - margin, part.y0 - margin, part.x1 + margin, part.y1 + margin))
        self._frame = part
        self.update()

    @property
    def frame(self) -> Box | None:
        """The part of the image that is framed."""
        return self._frame

    def set_mark_style(self, style: MarkStyle) -> None:
        self._style = style
        self.update()

    @property
    def image_box(self) -> Box:
        """The image's area in image px."""
        return (
            Box(0.0, 0.0, float(self._pyramid.width), float(self._pyramid.height)) if self._pyramid else Box(0, 0, 0, 0)
        )

    def box_of(self, annotation_id: AnnotationId) -> Box:
        """The box of an annotation; of a centre the square of its size."""
        annotation = self._table.get(annotation_id)
        return annotation.extent(self._table.class_size_px(annotation.class_id))

    def bounds_of(self, ids: frozenset[AnnotationId]) -> Box:
        """What must stay inside the image when these move."""
        return self._table.bounds_of(ids) or self.image_box

    def _set_selection(self, ids: frozenset[AnnotationId]) -> None:
        if ids == self._selection:
            return
        self._update_marks(ids ^ self._selection)
        self._selection = ids
        self.selection_changed.emit(tuple(sorted(ids)))

    def _update_marks(self, ids: Collection[AnnotationId], *, at_once: bool = False) -> None:
        """Ask for a repaint of just these marks where they are few, or repaint them before anything else."""
        rows = self._table.rows_of(ids) if len(ids) <= MAX_PARTIAL_UPDATES else None
        if rows is None or self._style is MarkStyle.LABEL:
            self.update()
            return
        for left, top, right, bottom in self.viewport.boxes_to_widget(self._table.extents[:, rows]):
            area = QRectF(QPointF(left, top), QPointF(right, bottom)).adjusted(
                -MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX
            )
            dirty = area.intersected(QRectF(self.rect())).toAlignedRect()
            if at_once:
                self.repaint(dirty)
            else:
                self.update(dirty)

    def _current_detail(self, viewport: Viewport, rows: NDArray[np.int64], dirty: QRectF) -> Detail:
        """One decision per region, so that a partial repaint, of `rows` in `dirty`, matches what surrounds it."""
        if self._detail is None or self._detail[0] != viewport:
            whole = QRectF(0, 0, viewport.width, viewport.height)
            in_view = rows if dirty.contains(whole) else rows_in_view(self._table, viewport, whole)
            self._detail = viewport, choose_detail(self._table, in_view, viewport)
        return self._detail[1]

    @override
    def _paint_over_image(self, painter: QPainter, viewport: Viewport, dirty: QRectF) -> None:
        rows = rows_in_view(self._table, viewport, dirty)
        detail = self._current_detail(viewport, rows, dirty)
        selected = self._table.rows_of(self._selection)
        if selected.size:
            rows = rows[~np.isin(rows, selected, assume_unique=True)]
        if self._grid is not None:
            paint_grid(painter, self._grid, viewport, accent=current_theme().accent)
        if self._frame is not None:
            _paint_frame(painter, viewport.box_to_widget(self._frame))
        look = MarkLook(self._style, detail, clear_class=self._clear_class())
        self._mark_painter.paint(painter, self._table, rows, viewport, look=look)
        self._paint_selected(painter, viewport)

    def _clear_class(self) -> int | None:
        if not self._dims_others or self._current_class is None:
            return None
        return self._table.find_class_row(self._current_class.id)

    def _paint_selected(self, painter: QPainter, viewport: Viewport) -> None:
        self._paint_bold(painter, viewport, self._selection)

    def _paint_bold(
        self,
        painter: QPainter,
        viewport: Viewport,
        ids: Collection[AnnotationId],
        *,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Paint selected marks, moved by a way in image px."""
        rows = self._table.rows_of(ids)
        if rows.size:
            detail = choose_detail(self._table, rows, viewport)
            look = MarkLook(self._style, detail, bold=True, shift_x=shift[0], shift_y=shift[1])
            self._mark_painter.paint(painter, self._table, rows, viewport, look=look)


def _paint_frame(painter: QPainter, area: Box) -> None:
    """Paint a frame over a dark line that sets it off from any stain; `area` in widget px."""
    rectangle = QRectF(area.x0, area.y0, area.width, area.height)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 130), 4), QPen(QColor(current_theme().accent), 2)):
        painter.setPen(pen)
        painter.drawRect(rectangle)
