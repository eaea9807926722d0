"""Brings what others point at into view, as soon as the image that it lies on is shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Annotation
from synthstudio.gui.canvas.marked_view import MarkedView
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.workspace import Workspace


class WantedPlaces(QObject):
    """Annotations and parts of images that other pages and dialogs led to."""

    def __init__(self, workspace: Workspace, view: MarkedView, editor: Editor, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._view, self._editor = workspace, view, editor
        self._wanted: tuple[FovId, tuple[Annotation, ...]] | None = None
        workspace.annotation_wanted.connect(self.select_annotation)
        workspace.region_wanted.connect(self.show_region)
        # Later: the view is put where it was last as the end of showing a field.
        view.annotations_replaced.connect(self._reveal_marks, Qt.ConnectionType.QueuedConnection)

    @Slot()
    def select_annotation(self) -> None:
        """Select the annotation that another page led here, once its image is shown."""
        wanted = self._workspace.wanted_annotation_id
        if wanted is not None and wanted in self._editor.annotations:
            self._workspace.wanted_annotation_id = None
            self._view.set_selection([wanted])
            self._view.reveal(wanted)

    @Slot()
    def show_region(self) -> None:
        """Frame the part of the image that another page led to, once its image is shown."""
        wanted, shown = self._workspace.wanted_region, self._editor.fov
        if wanted is not None and shown is not None and shown.id == wanted[0]:
            self._workspace.wanted_region = None
            self._view.show_framed(wanted[1])

    def reveal(self, fov_id: FovId, marks: tuple[Annotation, ...]) -> None:
        """Show annotations of an FOV, selected and in the middle, as soon as its image is there."""
        self._wanted = (fov_id, marks)
        self._workspace.set_current_fov(fov_id)
        self._reveal_marks()

    @Slot()
    def _reveal_marks(self) -> None:
        shown = self._editor.fov
        if self._wanted is None or shown is None or shown.id != self._wanted[0]:
            return
        (_, marks), self._wanted = self._wanted, None
        self._view.set_selection([mark.id for mark in marks])
        if marks:
            self._view.center_on(marks[0].x, marks[0].y)
