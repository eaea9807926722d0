"""What the right button offers for the selected annotations, and what is remarked about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import ObjectClass
from synthstudio.gui.actions import trigger_action
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.pages.annotate.note_dialog import NoteDialog
from synthstudio.gui.pages.annotate.similar import SIMILAR
from synthstudio.gui.pages.annotate.suggesting import Suggesting


class MarkMenu(QObject):
    """The context menu of the viewer.

    Args:
        view: Says where the menu is wanted, and what is selected.
        editor: Has the annotations, and changes them.
        classes: Gives the classes of the project.
        origin_of: Says where an annotation comes from that was suggested.
        suggesting: Judges the suggestions that are picked.
        window: Owns the menu and the dialog.
    """

    def __init__(
        self,
        view: SuggestedView,
        editor: Editor,
        classes: Callable[[], Mapping[ClassId, ObjectClass]],
        *,
        origin_of: Callable[[AnnotationId], str],
        suggesting: Suggesting,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._view, self._editor, self._classes, self._window = view, editor, classes, window
        self._origin_of, self._suggesting = origin_of, suggesting
        view.context_menu_requested.connect(self._on_requested)

    @Slot(QPoint, float, float)
    def _on_requested(self, position: QPoint, x: float, y: float) -> None:
        view, editor = self._view, self._editor
        under = view.annotation_at(x, y)
        if under is not None and under not in view.selection:
            view.set_selection([under])
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        suggested = view.suggestion_at(x, y) if under is None else None
        if suggested is not None and suggested not in view.picked:
            view.select_marks(())
            view.set_picked([suggested])
        if suggested is not None:
            self._offer_judging(menu)
        elif view.selection:
            self._tell_origin(menu)
            for object_class in self._classes().values():
                action = menu.addAction(f"Make it {object_class.name.replace('&', '&&')}")
                action.triggered.connect(partial(editor.set_class_of_selected, object_class.id))
            menu.addSeparator()
            menu.addAction("Flag, or take the flag away", editor.flag_selected)
            menu.addAction("Write a note…", self.write_note)
            menu.addAction("Find similar objects", partial(trigger_action, SIMILAR, self._window))
            menu.addAction("Delete", editor.remove_selected)
            menu.addSeparator()
        menu.addAction("Fit the image to the window", view.fit)
        menu.addAction("Show at 1:1", view.one_to_one)
        menu.addAction("Copy the picture", self.copy_picture)
        menu.popup(position)

    def _offer_judging(self, menu: QMenu) -> None:
        """Entries for the suggestions that are picked."""
        suggesting, n_picked = self._suggesting, len(self._view.picked)
        what = "the suggestion" if n_picked == 1 else f"{n_picked:,} suggestions"
        menu.addAction(f"Accept {what}", suggesting.take_picked)
        menu.addAction(f"Reject {what}", suggesting.reject_picked)
        menu.addSeparator()
        for object_class in self._classes().values():
            action = menu.addAction(f"Accept as {object_class.name.replace('&', '&&')}")
            action.triggered.connect(partial(suggesting.take_picked, object_class.id))
        menu.addSeparator()

    def _tell_origin(self, menu: QMenu) -> None:
        """Say of a single annotation that was suggested where it comes from."""
        origin = self._origin_of(next(iter(self._view.selection))) if len(self._view.selection) == 1 else ""
        if origin:
            menu.addAction(origin.replace("&", "&&")).setEnabled(False)
            menu.addSeparator()

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
