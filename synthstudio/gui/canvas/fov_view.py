"""The viewer with annotations and tools. It draws records and utters wishes; whoever owns the store fulfils them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, Box, ObjectClass
from synthstudio.gui.canvas import drafts, tools
from synthstudio.gui.canvas.decorations import (
    HANDLE_REACH_PX,
    handle_position,
    paint_frame,
    paint_handles,
    shown_handles,
)
from synthstudio.gui.canvas.drafts import Draft, Handle, Line, Pointer, Target, ToolName, Wish
from synthstudio.gui.canvas.mark_painter import (
    MarkLook,
    choose_detail,
    rows_in_view,
)
from synthstudio.gui.canvas.marked_view import MarkedView
from synthstudio.gui.canvas.pyramid import ImagePyramid, paint_pyramid
from synthstudio.gui.canvas.turned_picture import TurnedPicture
from synthstudio.gui.canvas.view_aids import (
    loupe_area,
    loupe_viewport,
    paint_crosshair,
    paint_lasso,
    paint_loupe,
    paint_ruler,
)
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.theme import current_theme

MAX_BOXES_WITH_HANDLES = 20
GROWTH = 1.05
"""By which a notch of the wheel resizes."""

_RESIZE_CURSORS = {
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
}


class FovView(MarkedView):
    """Shows an FOV with its annotations, and tools to make, move and select them.

    Left button by tool: "select" picks, drags and rubber-bands; "center" asks for a centre at each press, except on
    an existing centre, which it picks or drags; "box" draws a box by dragging or by two corners; "lasso" selects by a
    loop; "ruler" and "calibrate" draw a line. Ctrl lends "select" to the others, with Alt it lassoes.
    """

    center_requested = Signal(float, float)
    """x, y in image px."""
    box_requested = Signal(object)
    """`Box`."""
    move_requested = Signal(object, float, float)
    """Tuple of `AnnotationId`s, dx, dy in image px."""
    resize_requested = Signal(object, object)
    """`AnnotationId`, `Box`."""
    grow_requested = Signal(object, float)
    """Tuple of `AnnotationId`s, factor: one object or the selection is to be drawn larger or smaller."""
    class_grow_requested = Signal(object, float)
    """`ClassId`, factor: the mean size of a class."""
    calibration_drawn = Signal(float)
    """Length in image px of a line that was drawn over a scale bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tool: ToolName = "select"
        self._draft: Draft | None = None
        self._hover: tuple[Pointer, Target] | None = None
        self._ruler: Line | None = None
        self._has_crosshair, self._loupe_power = False, 0
        self._loupe_picture = TurnedPicture()
        self._refresh_cursor()

    # Annotations

    @override
    def set_image(self, pyramid: ImagePyramid | None, *, keep_view: bool = False) -> None:
        """Show another image. A draft is dropped; set the annotations that belong to it next."""
        self._draft = self._hover = self._ruler = None
        super().set_image(pyramid, keep_view=keep_view)

    @override
    def set_annotations(
        self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        """Show these annotations instead of the former ones. A draft is dropped."""
        self._draft = None
        super().set_annotations(annotations, classes, um_per_px)

    def can_place_center(self, position: QPointF) -> bool:
        """Whether a click at a widget position would set a new centre: inside the image, off centres, grips and map."""
        x, y = self.widget_to_image(position)
        target = self._target_at(Pointer(x, y, position.x(), position.y()))
        area = self.image_box
        inside = area.x0 <= x < area.x1 and area.y0 <= y < area.y1
        return inside and not self._is_over_minimap(position) and target.grabbed is None and target.handle is None

    # How it is shown and what the pointer does

    @property
    def tool(self) -> ToolName:
        return self._tool

    def set_tool(self, tool: ToolName) -> None:
        """Choose what the left button does; drops a draft."""
        self.cancel_draft()
        self._tool = tool
        self._refresh_cursor()
        self.update()

    def set_crosshair(self, shown: bool) -> None:
        """Draw lines through the pointer."""
        self._has_crosshair = shown
        self.update()

    def set_loupe(self, power: int) -> None:
        """Magnify the place under the pointer so many times; 0 takes the loupe away."""
        self._loupe_power = power
        self.update()

    @property
    def ruler(self) -> Line | None:
        """The line that was measured last and is still shown."""
        return self._ruler

    def cancel_draft(self) -> bool:
        """Drop what is being drawn, moved or resized; False where there was nothing to drop."""
        had_draft = self._draft is not None
        self._draft = None
        self.update()
        return had_draft

    # What the tools ask (ToolScene)

    # Pointer

    @override
    def _on_left_pressed(self, pointer: Pointer) -> None:
        if isinstance(self._draft, drafts.BoxDraft) and self._draft.is_pinned:
            self._take(tools.press_again(self._draft, pointer, self))
            return
        self._ruler = None
        self._take(tools.press(self._tool, pointer, self._target_at(pointer), self))

    @override
    def _on_pointer_moved(self, pointer: Pointer, *, is_left_down: bool) -> None:
        self._update_aids()
        if self._draft is not None:
            self._take(tools.drag(self._draft, pointer, self))
            self._hover = (pointer, Target())
            self._update_aids()
            return
        self._update_ghost()
        self._hover = (pointer, self._target_at(pointer))
        self._update_ghost()
        self._update_aids()
        self._refresh_cursor()

    @override
    def _on_left_released(self, pointer: Pointer) -> None:
        if self._draft is not None:
            self._take(tools.release(self._draft, pointer, self))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._update_ghost()
        self._update_aids()
        self._hover = None
        super().leaveEvent(event)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Alt the wheel resizes what is under the pointer or selected, with Alt and Shift its class."""
        if self._pyramid is None or not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().wheelEvent(event)
            return
        event.accept()
        turned = event.angleDelta()
        # With Alt, Qt takes the wheel for a horizontal one on some platforms.
        factor = GROWTH ** ((turned.y() or turned.x()) / 120)
        under = self.annotation_at(*self.widget_to_image(event.position()))
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._grow_class(under, factor)
        else:
            self._grow(under, factor)

    def _grow(self, under: AnnotationId | None, factor: float) -> None:
        is_one = under is not None and under not in self._selection
        ids = frozenset({under}) if is_one and under is not None else self._selection
        if ids and factor != 1:
            self.grow_requested.emit(tuple(sorted(ids)), factor)

    def _grow_class(self, under: AnnotationId | None, factor: float) -> None:
        current = self._current_class.id if self._current_class is not None else None
        class_id = self._table.get(under).class_id if under is not None else current
        if class_id is not None and factor != 1:
            self.class_grow_requested.emit(class_id, factor)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.cancel_draft():
            self._refresh_cursor()
        elif event.key() == Qt.Key.Key_Escape and self._ruler is not None:
            self._ruler = None
            self.update()
        else:
            super().keyPressEvent(event)

    def _target_at(self, pointer: Pointer) -> Target:
        scale = self._state.scale
        return Target(
            self._handle_at(pointer),
            self._table.find_center_at(pointer.x, pointer.y, scale=scale),
            self._table.find_at(pointer.x, pointer.y, scale=scale),
        )

    def _handle_at(self, pointer: Pointer) -> tuple[AnnotationId, Handle] | None:
        viewport = self.viewport
        for annotation_id, box in self._boxes_with_handles():
            for handle in shown_handles(box, viewport):
                x, y = handle_position(box, handle, viewport)
                if max(abs(x - pointer.widget_x), abs(y - pointer.widget_y)) <= HANDLE_REACH_PX:
                    return annotation_id, handle
        return None

    def _boxes_with_handles(self) -> list[tuple[AnnotationId, Box]]:
        if len(self._selection) > MAX_BOXES_WITH_HANDLES:
            return []
        selected = [self._table.get(i) for i in self._table.ids_of(self._table.rows_of(self._selection))]
        return [(annotation.id, annotation.box) for annotation in selected if annotation.box is not None]

    def _take(self, step: tools.Step) -> None:
        """Adopt a step: the draft first, so that a slot that changes annotations meets a settled view."""
        if step.draft != self._draft:
            self._draft = step.draft
            if not isinstance(step.draft, drafts.MarkPress):
                self.update()
        for wish in step.wishes:
            self._utter(wish)
        self._refresh_cursor()

    def _utter(self, wish: Wish) -> None:
        match wish:
            case drafts.SelectWish(ids):
                self.set_selection(ids)
            case drafts.BandWish(area, adds):
                picked = frozenset(self._table.ids_with_center_in(area))
                self.set_selection(self._selection | picked if adds else picked)
            case drafts.LassoWish(points, adds):
                picked = frozenset(self._table.ids_with_center_within(np.array(points)))
                self.set_selection(self._selection | picked if adds else picked)
            case drafts.LineWish(line, calibrates):
                self._ruler = line
                self.update()
                if calibrates:
                    self.calibration_drawn.emit(line.length)
            case drafts.CenterWish(x, y):
                self.center_requested.emit(x, y)
            case drafts.BoxWish(box):
                self.box_requested.emit(box)
            case drafts.MoveWish(ids, dx, dy):
                self.move_requested.emit(tuple(sorted(ids)), dx, dy)
            case drafts.ResizeWish(annotation_id, box):
                self.resize_requested.emit(annotation_id, box)

    @override
    def _idle_cursor(self) -> Qt.CursorShape:
        if isinstance(self._draft, drafts.MoveDraft):
            return Qt.CursorShape.SizeAllCursor
        target = self._hover[1] if self._hover is not None else Target()
        handle = self._draft.handle if isinstance(self._draft, drafts.ResizeDraft) else None
        if handle is None and target.handle is not None and self._draft is None:
            handle = target.handle[1]
        if handle is not None:
            side_x, side_y = (round(side) for side in self.viewport.turned(handle.side_x, handle.side_y))
            side_x, side_y = (side_x, side_y) if side_x >= 0 else (-side_x, -side_y)
            return _RESIZE_CURSORS[side_x, abs(side_y) if side_x == 0 else side_y]
        if self._tool == "select":
            return Qt.CursorShape.ArrowCursor
        if self._tool in ("lasso", "ruler", "calibrate"):
            return Qt.CursorShape.CrossCursor
        return Qt.CursorShape.PointingHandCursor if target.grabbed is not None else Qt.CursorShape.CrossCursor

    # Painting

    def _update_ghost(self) -> None:
        area = self._ghost_area()
        if area is not None:
            self.update(area.adjusted(-4, -4, 4, 4).intersected(QRectF(self.rect())).toAlignedRect())

    def _update_aids(self) -> None:
        """Ask for a repaint of where crosshair and loupe are; called before and after they move."""
        if self._hover is None:
            return
        if self._has_crosshair:
            self.update()
        elif self._loupe_power:
            area = loupe_area(self._hover[0], self.viewport).adjusted(-4, -4, 4, 4)
            self.update(area.toAlignedRect())

    def _ghost_area(self) -> QRectF | None:
        """Where the pointer foreshows the size of the mark that a click would make."""
        if self._hover is None or self._tool != "center" or self._current_class is None:
            return None
        pointer, target = self._hover
        if target.grabbed is not None or target.handle is not None or pointer.ctrl:
            return None
        radius = (self._current_class.size_in(self._um_per_px) or 0.0) * self._state.scale / 2
        if radius < 3:
            return None
        middle = self.image_to_widget(pointer.x, pointer.y)
        return QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)

    @override
    def _paint_on_top(self, painter: QPainter, viewport: Viewport) -> None:
        if self._ruler is not None:
            paint_ruler(painter, self._ruler, viewport, self._um_per_px)
        if self._hover is None or self._is_panning:
            return
        pointer, _ = self._hover
        if self._has_crosshair:
            paint_crosshair(painter, pointer, viewport)
        if self._loupe_power and self._pyramid is not None:
            area = loupe_area(pointer, viewport)
            paint_loupe(painter, self._magnified(self._pyramid, pointer, viewport), area, power=self._loupe_power)

    def _magnified(self, pyramid: ImagePyramid, pointer: Pointer, viewport: Viewport) -> QImage:
        """The picture in the loupe: the image and, over it, its marks."""
        close = loupe_viewport(pointer, viewport, power=self._loupe_power)
        side = round(close.width * close.dpr)
        picture = QImage(side, side, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(close.dpr)
        picture.fill(QColor(current_theme().surround))
        everything = QRectF(0, 0, close.width, close.height)
        with QPainter(picture) as painter:
            if close.turns:
                self._loupe_picture.paint(painter, pyramid, close, everything)
            else:
                paint_pyramid(painter, pyramid, close)
            rows = rows_in_view(self._table, close, everything)
            look = MarkLook(self._style, choose_detail(self._table, rows, close), clear_class=self._clear_class())
            self._mark_painter.paint(painter, self._table, rows, close, look=look)
        return picture

    @override
    def _paint_selected(self, painter: QPainter, viewport: Viewport) -> None:
        draft = self._draft
        is_resized = isinstance(draft, drafts.ResizeDraft)
        ids = self._selection - {draft.id} if isinstance(draft, drafts.ResizeDraft) else self._selection
        shift = (draft.dx, draft.dy) if isinstance(draft, drafts.MoveDraft) else (0.0, 0.0)
        self._paint_bold(painter, viewport, ids, shift=shift)
        if ids and not is_resized and (draft is None or isinstance(draft, drafts.MarkPress)):
            for _, box in self._boxes_with_handles():
                paint_handles(painter, box, viewport, accent=current_theme().accent)
        self._paint_draft(painter, viewport)

    def _paint_draft(self, painter: QPainter, viewport: Viewport) -> None:
        match self._draft:
            case drafts.BandDraft() as band:
                color = QColor(current_theme().accent)
                paint_frame(painter, band.area, viewport, color=color, filled=True)
            case drafts.LassoDraft(points=points):
                paint_lasso(painter, points, viewport, color=QColor(current_theme().accent))
            case drafts.LineDraft(line=line):
                paint_ruler(painter, line, viewport, self._um_per_px)
            case drafts.BoxDraft(box=box):
                color = QColor(self._current_class.color if self._current_class else "#FFFFFF")
                paint_frame(painter, box, viewport, color=color, filled=False)
            case drafts.ResizeDraft(id=annotation_id, box=box):
                object_class = self._table.classes[self._table.class_row(self._table.get(annotation_id).class_id)]
                paint_frame(painter, box, viewport, color=QColor(object_class.color), filled=False)
                paint_handles(painter, box, viewport, accent=current_theme().accent)
            case None:
                self._paint_ghost(painter)

    def _paint_ghost(self, painter: QPainter) -> None:
        area = self._ghost_area()
        if area is None or self._current_class is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        color = QColor(self._current_class.color)
        color.setAlpha(200)
        for paint, width in ((QColor(255, 255, 255, 90), 3.0), (color, 1.25)):
            painter.setPen(QPen(paint, width))
            painter.drawEllipse(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
