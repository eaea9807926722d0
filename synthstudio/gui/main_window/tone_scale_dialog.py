"""Choosing the tone scale of a project."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QLabel, QLineEdit, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.tones import FITZPATRICK, ToneScale
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.workspace import Workspace
from synthstudio.project.tones import find_tone_scale, set_tone_scale

NONE, SKIN, OWN = "none", "fitzpatrick", "own"


class ToneScaleDialog(QDialog):
    """Asks which tones fields can have."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Tone scale")
        self._workspace, self._main_window = workspace, parent
        scale = find_tone_scale(workspace.require_project())
        self.kind = QComboBox()
        self.kind.addItem("no tones", NONE)
        self.kind.addItem("skin: Fitzpatrick I to VI", SKIN)
        self.kind.addItem("levels of your own", OWN)
        self.levels = QLineEdit()
        self.levels.setPlaceholderText("pale, normal, dark")
        if scale is not None and scale != FITZPATRICK:
            self.levels.setText(", ".join(scale.levels))
        kind = NONE if scale is None else SKIN if scale == FITZPATRICK else OWN
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self.problem = QLabel()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        form = QFormLayout()
        add_row(form, "Tones", self.kind)
        self.levels_label = add_row(form, "Levels", self.levels)
        hint = hint_label("The tone of a field is an ordered attribute: of the skin, of the background, or of a stain.")
        fill_dialog(self, form, hint, self.problem, save=self.save, width=380)
        self.kind.currentIndexChanged.connect(self._show_levels)
        self._show_levels()

    def _show_levels(self) -> None:
        is_own = self.kind.currentData() == OWN
        self.levels.setEnabled(is_own)
        self.levels_label.setEnabled(is_own)

    def chosen(self) -> ToneScale | None:
        """The scale that is asked for. Raises UserError where its levels cannot be."""
        kind = self.kind.currentData()
        if kind == OWN:
            return ToneScale.parse(self.levels.text())
        return FITZPATRICK if kind == SKIN else None

    def save(self) -> None:
        """Keep the scale and close; what is wrong with it is said in the dialog."""
        try:
            told = set_tone_scale(self._workspace.require_writable_project(), self.chosen())
        except UserError as error:
            self.problem.setText(f"{error.message} {error.hint}")
            self.problem.show()
            return
        self._workspace.announce(told)
        self.accept()
