"""A remark about annotations."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QWidget

from synthstudio.gui.widgets.dialog_layout import fill_dialog


class NoteDialog(QDialog):
    """Asks for one line; `save` gets it when the user accepts.

    Args:
        what: What the note is about.
        note: As it is.
    """

    def __init__(self, what: str, note: str, *, save: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Note")
        self._save = save
        self.note = QLineEdit(note)
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("Empty for no note")
        fill_dialog(self, QLabel(what), self.note, save=self.accept_note, width=360)
        self.note.selectAll()

    def accept_note(self) -> None:
        """Give the note and close."""
        self._save(self.note.text().strip())
        self.accept()
