"""The name that new annotations carry."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.dialog_layout import add_row
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
        hint = QLabel("It is stored with each annotation that you make, so that the work of several can be compared.")
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        form = QFormLayout()
        add_row(form, "Name", self.name)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("primary", True)
        buttons.accepted.connect(self.save)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(hint)
        layout.addWidget(buttons)
        self.setMinimumWidth(scaled_px(360))

    def save(self) -> None:
        """Keep the name and close; an error is reported in the window, the name holds anyway."""
        preferences = dataclasses.replace(self._workspace.preferences, author=self.name.text().strip())
        try:
            self._workspace.set_preferences(preferences)
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
        self.accept()
