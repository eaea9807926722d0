"""An empty state: what is missing, what to do next, and a button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.theme import GRID_PX

TEXT_WIDTH_PX = 360


class NextStep(QWidget):
    """A title, a sentence or two, and one button where there is something to do."""

    button_clicked = Signal()

    def __init__(self, title: str = "", text: str = "", button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.title.setProperty("heading", True)
        self.text = QLabel(self)
        self.text.setProperty("muted", True)
        for label in (self.title, self.text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setFixedWidth(TEXT_WIDTH_PX)
        self.button = QPushButton(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID_PX)
        layout.addStretch(2)
        for widget in (self.title, self.text, self.button):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self.button.clicked.connect(self.button_clicked)
        self.show_step(title, text, button)

    def show_step(self, title: str, text: str, button: str = "") -> None:
        """Say something else."""
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._fit_heights()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_heights()  # before it has a window, its font is not the one that it is shown in

    def _fit_heights(self) -> None:
        for label in (self.title, self.text):
            # The layout asks a centred label for its height before the label knows its font: lines would be lost.
            label.ensurePolished()
            label.setMinimumHeight(0)
            label.setMinimumHeight(label.heightForWidth(TEXT_WIDTH_PX) if label.text() else 0)
