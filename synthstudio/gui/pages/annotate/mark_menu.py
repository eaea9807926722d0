"""What the right button offers for the selected annotations, and what is remarked about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import ObjectClass
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.note_dialog import NoteDialog


class MarkMenu(QObject):
    """The context menu of the viewer.

    Args:
        view: Says where the menu is wanted, and what is selected.
        editor: Has the annotations, and changes them.
        classes: Gives the classes of the project.
        window: Owns the menu and the dialog.
    """

    def __init__(
        self, view: FovView, editor: Editor, classes: Callable[[], Mapping[ClassId, ObjectClass]], window: QWidget
    ) -> None:
        super().__init__(window)
        self._view, self._editor, self._classes, self._window = view, editor, classes, window
        view.context_menu_requested.connect(self._on_requested)

    @Slot(QPoint, float, float)
    def _on_requested(self, position: QPoint, x: float, y: float) -> None:
        view, editor = self._view, self._editor
        under = view.annotation_at(x, y)
        if under is not None and under not in view.selection:
            view.set_selection([under])
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if view.selection:
            for object_class in self._classes().values():
                action = menu.addAction(f"Make it {object_class.name.replace('&', '&&')}")
                action.triggered.connect(partial(editor.set_class_of_selected, object_class.id))
            menu.addSeparator()
            menu.addAction("Flag, or take the flag away", editor.flag_selected)
            menu.addAction("Write a note…", self.write_note)
            menu.addAction("Delete", editor.remove_selected)
            menu.addSeparator()
        menu.addAction("Fit the image to the window", view.fit)
        menu.addAction("Show at 1:1", view.one_to_one)
        menu.addAction("Copy the picture", self.copy_picture)
        menu.popup(position)

    def copy_picture(self) -> None:
        """Put what the viewer shows onto the clipboard."""
        QApplication.clipboard().setPixmap(self._view.grab())

    def write_note(self) -> None:
        """Ask for a note on the selection."""
        known = self._editor.annotations
        marks = [known[each] for each in self._view.selection if each in known]
        if marks:
            what = "Note on the selected annotation" if len(marks) == 1 else f"Note on {len(marks):,} annotations"
            NoteDialog(what, marks[0].note, save=self._editor.note_selected, parent=self._window).open()

    def remark_at(self, x: float, y: float) -> str:
        """What is remarked about the annotation at a place of the image, or nothing."""
        under = self._view.annotation_at(x, y)
        mark = self._editor.annotations.get(under) if under is not None else None
        if mark is None:
            return ""
        return " · ".join(part for part in ("flagged" if mark.is_flagged else "", mark.note) if part)
