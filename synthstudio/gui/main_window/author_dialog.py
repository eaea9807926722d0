"""The name that new annotations carry."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFormLayout, QLineEdit, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.workspace import Workspace


class AuthorDialog(QDialog):
    """Asks who annotates; an empty name is that of the system's user."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Your name")
        self._workspace = workspace
        preferences = workspace.preferences
        self.name = QLineEdit(preferences.author)
        self.name.setPlaceholderText(dataclasses.replace(preferences, author="").author_name)
        hint = hint_label(
            "It is stored with each annotation that you make, so that the work of several can be compared."
        )
        form = QFormLayout()
        add_row(form, "Name", self.name)
        fill_dialog(self, form, hint, save=self.save, width=360)

    def save(self) -> None:
        """Keep the name and close; an error is reported in the window, the name holds anyway."""
        preferences = dataclasses.replace(self._workspace.preferences, author=self.name.text().strip())
        try:
            self._workspace.set_preferences(preferences)
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
        self.accept()
