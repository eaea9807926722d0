"""Choosing, finding, adding, editing and removing classes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import ObjectClass
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.pages.annotate.class_dialog import ClassDialog, new_class
from synthstudio.gui.pages.annotate.editor import Editor
from synthstudio.gui.removals import remove_class_undoably
from synthstudio.gui.widgets.command_palette import CommandPalette, PaletteItem
from synthstudio.gui.workspace import Workspace


class ClassActions(QObject):
    """What the page's actions do with classes.

    Attributes:
        classes: Those of the project, in their order; kept up to date by the page.

    Signals:
        class_chosen: (`ClassId`) By its key or its name: for the next click, and for what is selected.
    """

    class_chosen = Signal(object)

    def __init__(self, workspace: Workspace, editor: Editor, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._editor, self._window = workspace, editor, parent
        self.classes: Mapping[ClassId, ObjectClass] = {}
        self.finder = CommandPalette(parent, search=self._search)
        self.finder.field.setPlaceholderText("Class: type a part of its name")
        self.finder.field.setAccessibleName("Find a class")

    def choose_by_key(self, key: str) -> None:
        """Choose the class with this number key."""
        found = next((each.id for each in self.classes.values() if each.key == key), None)
        if found is None:
            hint = "Give it to a class: double-click the class and set its number key."
            errors.post(Notice(f"No class has the key {key}.", hint, Severity.INFO), parent=self._window)
            return
        self.class_chosen.emit(found)

    def find(self) -> None:
        """Let the user type a part of a class's name: for more classes than there are number keys."""
        self.finder.open()

    def _search(self, text: str) -> list[PaletteItem]:
        words, counts = text.casefold().split(), self._editor.counts
        found = [each for each in self.classes.values() if all(word in each.name.casefold() for word in words)]
        found.sort(key=lambda each: not each.name.casefold().startswith(text.casefold().strip()))
        return [
            PaletteItem(each.name, partial(self.class_chosen.emit, each.id), f"{counts[each.id]:,} here", each.key)
            for each in found
        ]

    def add(self) -> None:
        """Open the dialog for a new class."""
        self._open_dialog(new_class(list(self.classes.values())))

    def edit(self, class_id: ClassId | None = None) -> None:
        """Open the dialog for a class, by default the current one."""
        chosen = class_id if class_id is not None else self._workspace.current_class_id
        if chosen is not None:
            self._open_dialog(self.classes[chosen])

    def _open_dialog(self, draft: ObjectClass) -> None:
        try:
            self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        others = [each for each in self.classes.values() if each.id != draft.id]
        ClassDialog(draft, others, save=self._editor.save_class, parent=self._window).open()

    def remove(self) -> None:
        """Remove the current class, where no annotation uses it."""
        class_id = self._workspace.current_class_id
        if class_id is None:
            return
        try:
            remove_class_undoably(self._workspace, class_id, window=self._window)
        except UserError as error:
            errors.report(error, parent=self._window)
