"""A remark about annotations."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from synthstudio.gui.theme import scaled_px


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
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("primary", True)
        buttons.accepted.connect(self.accept_note)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(QLabel(what))
        layout.addWidget(self.note)
        layout.addWidget(buttons)
        self.setMinimumWidth(scaled_px(360))
        self.note.selectAll()

    def accept_note(self) -> None:
        """Give the note and close."""
        self._save(self.note.text().strip())
        self.accept()
