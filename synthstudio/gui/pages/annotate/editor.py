"""Fulfils the viewer's wishes: every edit is committed at once, shown, and can be undone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, AnnotationState, Box, FieldOfView, ObjectClass, changes
from synthstudio.gui import errors
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.item_models.annotation_rows import AnnotationRowsModel
from synthstudio.gui.pages.annotate.edits import NUDGE_ID, AnnotationEdit, ClassCommand, EditCommand, commit_edit
from synthstudio.gui.workspace import Workspace


class Editor(QObject):
    """Edits the annotations of the FOV that the viewer shows.

    Signals:
        counts_changed: The FOV's annotations are others now.
    """

    counts_changed = Signal()

    def __init__(self, workspace: Workspace, view: FovView, rows: AnnotationRowsModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._workspace, self._view, self._rows = workspace, view, rows
        self.fov: FieldOfView | None = None
        self.annotations: dict[AnnotationId, Annotation] = {}
        self.is_announcing = False
        view.center_requested.connect(self._on_center_requested)
        view.box_requested.connect(self._on_box_requested)
        view.move_requested.connect(self.move)
        view.resize_requested.connect(self._on_resize_requested)

    # Wishes

    @Slot(float, float)
    def _on_center_requested(self, x: float, y: float) -> None:
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
            self._report(UserError("There is no class to annotate with.", "Add a class in the panel on the right."))
            return
        author = self._workspace.preferences.author
        new = Annotation(AnnotationId(0), self.fov.id, class_id, x, y, box=box, author=author)
        self.do(AnnotationEdit(self.fov.id, after=(new,)), "add annotation")

    @Slot(object, float, float)
    def move(self, ids: Sequence[AnnotationId], dx: float, dy: float) -> None:
        """Shift annotations by (dx, dy) image px."""
        before = self._pick(ids)
        self._change(before, [each.moved(dx, dy) for each in before], _worded("move", len(before)))

    def nudge(self, dx: float, dy: float) -> None:
        """Shift the selection as far as the image allows; nudges in a row are one step of undo."""
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

    def _pick(self, ids: Iterable[AnnotationId]) -> list[Annotation]:
        return [self.annotations[each] for each in sorted(ids) if each in self.annotations]

    def _change(
        self, before: Sequence[Annotation], after: Sequence[Annotation], text: str, *, merge_id: int = -1
    ) -> None:
        if before and self.fov is not None:
            self.do(AnnotationEdit(self.fov.id, tuple(before), tuple(after)), text, merge_id=merge_id)

    # Doing

    def do(self, edit: AnnotationEdit, text: str, *, merge_id: int = -1) -> None:
        """Commit an edit, show it, and put it on the undo stack; an error is reported and nothing has changed."""
        try:
            self._workspace.require_writable_project()
            done = self._apply(edit)
        except UserError as error:
            self._report(error)
            return
        command = EditCommand(done, text, apply=self._apply, failed=self._report, merge_id=merge_id)
        self._workspace.undo_stack.push(command)

    def _apply(self, edit: AnnotationEdit) -> AnnotationEdit:
        project = self._workspace.require_writable_project()
        done, told = commit_edit(project, edit)
        if self.fov is not None and self.fov.id == edit.fov_id:
            self._show(done)
            if done.added and self.fov.state is AnnotationState.NONE:
                told |= project.fovs.set_state(edit.fov_id, AnnotationState.PARTIAL)
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
        for annotation_id in removed:
            del self.annotations[annotation_id]
        self.annotations.update((each.id, each) for each in edit.after)
        if removed:
            self._view.remove_annotations(removed)
            self._rows.remove(removed)
        if edit.changed:
            self._view.replace_annotations(edit.changed)
            self._rows.replace(edit.changed)
        if edit.added:
            self._view.add_annotations(edit.added)
            self._rows.add(edit.added)
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
            )
            self._workspace.announce(changes("classes"))
            self._workspace.set_current_class(added.id)
            return
        before = project.classes.get(record.id)
        if record != before:
            self._update_class(record)
            command = ClassCommand(before, record, apply=self._update_class, failed=self._report)
            self._workspace.undo_stack.push(command)

    def _update_class(self, record: ObjectClass) -> None:
        self._workspace.announce(self._workspace.require_writable_project().classes.update(record))

    def _report(self, error: UserError) -> None:
        errors.report(error, parent=self._window)


def _worded(verb: str, n: int) -> str:
    return f"{verb} annotation" if n == 1 else f"{verb} {n} annotations"
