"""The user guide, and what this is: all offline."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QTextBrowser, QVBoxLayout, QWidget

import synthstudio
from synthstudio.domain.errors import UserError
from synthstudio.gui.errors import log_path
from synthstudio.settings.resources import resource_path


class TextDialog(QDialog):
    """Shows a text; Ctrl+F or typing finds in it."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.find_field = QLineEdit()
        self.find_field.setPlaceholderText("Find in the text")
        self.find_field.setClearButtonEnabled(True)
        self.find_field.returnPressed.connect(self._find)
        self.find_field.textEdited.connect(self._find)
        self.browser = QTextBrowser()
        self.browser.setOpenLinks(False)  # nothing here opens a network connection
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.find_field)
        layout.addWidget(self.browser)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.buttons)
        self.resize(760, 640)

    def _find(self) -> None:
        text = self.find_field.text()
        if text and not self.browser.find(text):
            self.browser.moveCursor(self.browser.textCursor().MoveOperation.Start)
            self.browser.find(text)


def guide_dialog(parent: QWidget) -> TextDialog:
    """Return the dialog with the user guide. Raises UserError where its file is missing."""
    path = resource_path("guide.md")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"The user guide {path} cannot be read.", "Install SynthStudio again.") from error
    dialog = TextDialog("User guide", parent)
    dialog.browser.setSearchPaths([str(path.parent)])  # for its pictures
    dialog.browser.setMarkdown(text)
    return dialog


def about_dialog(parent: QWidget) -> TextDialog:
    """Return the dialog that says what this is and what it runs on."""
    dialog = TextDialog("About SynthStudio", parent)
    dialog.browser.setMarkdown(
        f"# SynthStudio {synthstudio.__version__}\n\n"
        "From a few hundred clicks on microscope or clinical images to a trained, explained and checked model, "
        "on your own machine, offline.\n\n"
        "Licence: Apache 2.0. Icons: Material Design Icons (Apache 2.0).\n\n"
        f"Python {platform.python_version()}, Qt {PySide6.__version__}, {platform.platform()}\n\n"
        f"Log: `{log_path()}`\n"
    )
    dialog.find_field.hide()
    dialog.buttons.setFocus()
    dialog.resize(520, 320)
    return dialog
