"""The list of reasons that reviewers choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui.widgets.wrapped_label import WrappedLabel


class ReasonsDialog(QDialog):
    """One reason a line.

    Args:
        reasons: As they are.
        adopt: Stores the new ones; what it raises as UserError is shown here.
    """

    def __init__(self, reasons: Sequence[str], adopt: Callable[[Sequence[str]], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reasons")
        self._adopt = adopt
        self.text = QPlainTextEdit("\n".join(reasons), self)
        self.text.setAccessibleName("Reasons, one a line")
        self.text.setTabChangesFocus(True)
        note = WrappedLabel("muted", self)
        note.setText("One reason a line. The first nine are given by the keys 1 to 9, after the verdict.")
        self.problem = WrappedLabel("danger", self)
        self.problem.hide()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        layout = QVBoxLayout(self)
        for widget in (note, self.text, self.problem, self.buttons):
            layout.addWidget(widget)
        self.buttons.accepted.connect(self._on_buttons_accepted)
        self.buttons.rejected.connect(self.reject)

    @Slot()
    def _on_buttons_accepted(self) -> None:
        try:
            self._adopt(self.text.toPlainText().splitlines())
        except UserError as error:
            self.problem.setText(f"{error.message} {error.hint}")
            self.problem.show()
        else:
            self.accept()
