"""Fulfils the viewer's wishes: every edit is committed at once, shown, and can be undone."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.core.annotations.resizing import as_box, as_center, resized, resized_class_px
from synthstudio.core.fields.blobs import find_blob_center
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass, changes
from synthstudio.gui import errors
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.item_models.annotation_rows import AnnotationRowsModel
from synthstudio.gui.pages.annotate.edits import (
    NUDGE_ID,
    AnnotationEdit,
    ClassAddedCommand,
    ClassCommand,
    EditCommand,
    commit_edit,
)
from synthstudio.gui.pages.annotate.gesture import GESTURE_MS, Gesture
from synthstudio.gui.workspace import Workspace

SNAP_FROM_PX, SNAP_AT_MOST_PX = 4.0, 96.0
"""Smaller classes have no blob to speak of; larger ones are looked for in a picture shrunk to this size."""

SIZE_HINT = "Set the class's size: double-click the class, or turn the wheel with Alt and Shift."


class Editor(QObject):
    """Edits the annotations of the FOV that the viewer shows.

    Signals:
        counts_changed: The FOV's annotations are others now.
        judged: (tuple of `Judgement`) Suggestions on the FOV were accepted, rejected or opened again.
        added: (tuple of `Annotation`) The user has made these just now.
    """

    counts_changed = Signal()
    judged = Signal(object)
    added = Signal(object)

    def __init__(self, workspace: Workspace, view: FovView, rows: AnnotationRowsModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._workspace, self._view, self._rows = workspace, view, rows
        self.fov: FieldOfView | None = None
        self.annotations: dict[AnnotationId, Annotation] = {}
        self.counts: Counter[ClassId] = Counter()
        self.is_announcing = False
        view.center_requested.connect(self._on_center_requested)
        view.box_requested.connect(self._on_box_requested)
        view.move_requested.connect(self.move)
        view.resize_requested.connect(self._on_resize_requested)
        view.grow_requested.connect(self.grow)
        view.class_grow_requested.connect(self.grow_class)
        self.snaps = False
        self.gesture = Gesture()
        self._news = QTimer(self)
        self._news.setSingleShot(True)
        self._news.setInterval(GESTURE_MS)
        self._news.timeout.connect(self._announce_classes)

    def set_annotations(self, annotations: Iterable[Annotation]) -> None:
        """Take these for the annotations of the FOV: they were read anew."""
        self.annotations = {each.id: each for each in annotations}
        self.counts = Counter(each.class_id for each in self.annotations.values())

    # Wishes

    @Slot(float, float)
    def _on_center_requested(self, x: float, y: float) -> None:
        if self.snaps:
            x, y = self._snapped(x, y)
        self._add(x, y, box=None)

    @Slot(object)
    def _on_box_requested(self, box: Box) -> None:
        x, y = box.center
        self._add(x, y, box=box)

    def _add(self, x: float, y: float, *, box: Box | None) -> None:
        class_id = self._workspace.current_class_id
        if self.fov is None:
            return
        if class_id is None:
            workspace, hint = self._workspace, "Add a class in the panel on the right."
            told = Notice("There is no class to annotate with.", hint, holds=lambda: workspace.current_class_id is None)
            errors.post(told, parent=self._window)
            return
        author = self._workspace.preferences.author_name
        new = Annotation(AnnotationId(0), self.fov.id, class_id, x, y, box=box, author=author)
        self.do(AnnotationEdit(self.fov.id, after=(new,)), "add annotation")

    @Slot(object, float, float)
    def move(self, ids: Sequence[AnnotationId], dx: float, dy: float) -> None:
        """Shift annotations by (dx, dy) image px."""
        before = self._pick(ids)
        self._change(before, [each.moved(dx, dy) for each in before], _worded("move", len(before)))

    def nudge(self, dx: float, dy: float) -> None:
        """Shift the selection along the screen by image px, within the image; nudges in a row are one step of undo."""
        dx, dy = self._view.viewport.unturned(dx, dy)
        bounds, image = self._view.bounds_of(self._view.selection), self._view.image_box
        dx = min(max(dx, min(image.x0 - bounds.x0, 0.0)), max(image.x1 - bounds.x1, 0.0))
        dy = min(max(dy, min(image.y0 - bounds.y0, 0.0)), max(image.y1 - bounds.y1, 0.0))
        before = self._pick(self._view.selection)
        if before and (dx or dy):
            after = [each.moved(dx, dy) for each in before]
            self._change(before, after, _worded("nudge", len(before)), merge_id=NUDGE_ID)

    @Slot(object, object)
    def _on_resize_requested(self, annotation_id: AnnotationId, box: Box) -> None:
        before = self._pick([annotation_id])
        self._change(before, [each.with_box(box) for each in before], "resize box")

    @Slot(object, float)
    def grow(self, ids: Sequence[AnnotationId], factor: float) -> None:
        """Make annotations `factor` times as large; what one turn of the wheel does is one step of undo."""
        before, within = self._pick(ids), self._view.image_box
        after = [
            resized(each, factor, class_size_px=self._view.class_size_px(each.class_id), within=within)
            for each in before
        ]
        merge_id = self.gesture.number_of(tuple(each.id for each in before))
        self._change_some(before, after, "resize", merge_id=merge_id)

    def grow_selected(self, factor: float) -> None:
        """Make the selection `factor` times as large."""
        self.grow(sorted(self._view.selection), factor)

    def convert_selected(self) -> None:
        """Make boxes of the selected centres; where all are boxes, centres."""
        before, within = self._pick(self._view.selection), self._view.image_box
        if all(each.is_box for each in before):
            after = [as_center(each) for each in before]
        else:
            sizes = {each.id: self._view.class_size_px(each.class_id) for each in before}
            after = [as_box(each, class_size_px=sizes[each.id], within=within) for each in before]
        if before and after == before:
            self._report(UserError("A centre without a size has no box.", SIZE_HINT))
            return
        self._change_some(before, after, "convert")

    def _change_some(
        self, before: Sequence[Annotation], after: Sequence[Annotation], verb: str, *, merge_id: int = -1
    ) -> None:
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        old, new = [each for each, _ in pairs], [each for _, each in pairs]
        self._change(old, new, _worded(verb, len(pairs)), merge_id=merge_id)

    def _snapped(self, x: float, y: float) -> tuple[float, float]:
        """The middle of the object at a click; the click itself where there is none."""
        class_id = self._workspace.current_class_id
        size_px = self._view.class_size_px(class_id) if class_id is not None else 0.0
        if class_id is not None and not size_px:
            # A size that is made up would find another object, or a part of one: the click stays, and one reads why.
            text = "This click did not snap to an object: its class has no size."
            errors.post(Notice(text, SIZE_HINT, Severity.INFO), parent=self._window)
        if size_px < SNAP_FROM_PX:
            return x, y
        scale, image = min(1.0, SNAP_AT_MOST_PX / size_px), self._view.image_box
        left, top = max(math.floor(x - size_px), 0), max(math.floor(y - size_px), 0)
        area = Box(left, top, min(math.ceil(x + size_px), image.x1), min(math.ceil(y + size_px), image.y1))
        pixels = self._view.pixels_in(area, scale)
        if pixels is None:
            return x, y
        place = find_blob_center(pixels, (x - left) * scale, (y - top) * scale, size_px=size_px * scale)
        return (x, y) if place is None else (left + place[0] / scale, top + place[1] / scale)

    def remove_selected(self) -> None:
        """Remove the selection."""
        before = self._pick(self._view.selection)
        if before and self.fov is not None:
            self.do(AnnotationEdit(self.fov.id, before=tuple(before)), _worded("delete", len(before)))

    def set_class_of_selected(self, class_id: ClassId) -> None:
        """Give the selection another class."""
        before = [each for each in self._pick(self._view.selection) if each.class_id != class_id]
        after = [dataclasses.replace(each, class_id=class_id) for each in before]
        self._change(before, after, _worded("change class of", len(before)))

    def flag_selected(self) -> None:
        """Flag the selection for a further look, or take the flags away where all have one."""
        before = self._pick(self._view.selection)
        flagged = not all(each.is_flagged for each in before)
        after = [dataclasses.replace(each, is_flagged=flagged) for each in before]
        self._change_some(before, after, "flag")

    def note_selected(self, note: str) -> None:
        """Write the same note on all of the selection; empty for none."""
        before = self._pick(self._view.selection)
        self._change_some(before, [dataclasses.replace(each, note=note) for each in before], "note on")

    def _pick(self, ids: Iterable[AnnotationId]) -> list[Annotation]:
        return [self.annotations[each] for each in sorted(ids) if each in self.annotations]

    def _change(
        self, before: Sequence[Annotation], after: Sequence[Annotation], text: str, *, merge_id: int = -1
    ) -> None:
        if before and self.fov is not None:
            self.do(AnnotationEdit(self.fov.id, tuple(before), tuple(after)), text, merge_id=merge_id)

    # Doing

    def do(self, edit: AnnotationEdit, text: str, *, merge_id: int = -1) -> AnnotationEdit | None:
        """Commit an edit, show it, and put it on the undo stack; an error is reported and nothing has changed.

        Returns:
            The edit as it was stored, with the ids of what it adds; None where it failed.
        """
        try:
            self._workspace.require_writable_project()
            done = self._apply(edit)
        except UserError as error:
            self._report(error)
            return None
        if done.added:
            self.added.emit(done.added)
        command = EditCommand(done, text, apply=self._apply, failed=self._report, merge_id=merge_id)
        self._workspace.undo_stack.push(command)
        return done

    def _apply(self, edit: AnnotationEdit) -> AnnotationEdit:
        project = self._workspace.require_writable_project()
        done, told = commit_edit(project, edit)
        is_shown = self.fov is not None and self.fov.id == edit.fov_id
        if is_shown:
            self._show(done)
        else:
            self._workspace.set_current_fov(edit.fov_id)
        self.is_announcing = True
        try:
            self._workspace.announce(told)
        finally:
            self.is_announcing = False
        return done

    def _show(self, edit: AnnotationEdit) -> None:
        removed = [each.id for each in edit.removed]
        for each in edit.before:
            self.counts[self.annotations.pop(each.id).class_id] -= 1
        self.annotations.update((each.id, each) for each in edit.after)
        self.counts.update(each.class_id for each in edit.after)
        if removed:
            self._view.remove_annotations(removed)
            self._rows.remove(removed)
        if edit.changed:
            self._view.replace_annotations(edit.changed)
            self._rows.replace(edit.changed)
        if edit.added:
            self._view.add_annotations(edit.added)
            self._rows.add(edit.added)
        if edit.judged:
            self.judged.emit(edit.judged)
        self.counts_changed.emit()

    # Classes

    def save_class(self, record: ObjectClass) -> None:
        """Add or change a class. Raises UserError where the name is taken or the project is read-only."""
        project = self._workspace.require_writable_project()
        if record.id == 0:
            added = project.classes.add(
                record.name,
                role=record.role,
                size_um=record.size_um,
                size_px=record.size_px,
                color=record.color,
                key=record.key,
                goal=record.goal,
            )
            self._workspace.announce(changes("classes"))
            self._workspace.set_current_class(added.id)
            self._workspace.undo_stack.push(
                ClassAddedCommand(added, restore=self._restore_class, remove=self._remove_class, failed=self._report)
            )
            return
        before = project.classes.get(record.id)
        if record != before:
            self._update_class(record)
            command = ClassCommand(before, record, apply=self._update_class, failed=self._report)
            self._workspace.undo_stack.push(command)

    @Slot(object, float)
    def grow_class(self, class_id: ClassId, factor: float) -> None:
        """Make a class's mean size `factor` times as large: stored at each step, told to others when the hand rests."""
        try:
            project = self._workspace.require_writable_project()
            before = project.classes.get(class_id)
            um_per_px = self.fov.um_per_px if self.fov is not None else None
            size_px = resized_class_px(before.size_in(um_per_px), factor)
            if before.size_um is not None and um_per_px:
                after = dataclasses.replace(before, size_um=float(f"{size_px * um_per_px:.4g}"))
            else:
                after = dataclasses.replace(before, size_px=size_px)
            project.classes.update(after)
        except UserError as error:
            self._report(error)
            return
        merge_id = self.gesture.number_of(class_id)
        command = ClassCommand(before, after, apply=self._update_class, failed=self._report, merge_id=merge_id)
        self._workspace.undo_stack.push(command)
        self._view.resize_class(class_id, size_px)
        self._news.start()

    @Slot()
    def _announce_classes(self) -> None:
        if self._workspace.project is not None:
            self._workspace.announce(changes("classes"))

    def _restore_class(self, record: ObjectClass) -> None:
        self._workspace.announce(self._workspace.require_writable_project().classes.restore(record))
        self._workspace.set_current_class(record.id)

    def _remove_class(self, record: ObjectClass) -> None:
        self._workspace.announce(self._workspace.require_writable_project().classes.remove(record.id))

    def _update_class(self, record: ObjectClass) -> None:
        self._workspace.announce(self._workspace.require_writable_project().classes.update(record))

    def _report(self, error: UserError) -> None:
        errors.report(error, parent=self._window)


def _worded(verb: str, n: int) -> str:
    return f"{verb} annotation" if n == 1 else f"{verb} {n} annotations"
