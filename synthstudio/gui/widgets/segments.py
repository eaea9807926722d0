"""A choice of few, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

GAP_PX, INSET_PX = 4, 6


class Segments(QWidget):
    """Buttons of which one is pressed.

    Args:
        choices: (value, text, tooltip) of each button.

    Signals:
        chosen: (value) By the user, not by `set_value`.
    """

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_PX)
        for value, text, tip in choices:
            button = QPushButton(text)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setProperty("segment", True)  # three fit a narrow panel
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(24)
            button.clicked.connect(lambda _checked=False, value=value: self.chosen.emit(value))
            self._group.addButton(button)
            self._buttons[value] = button
            layout.addWidget(button, 1)

    def fit_texts(self) -> None:
        """As wide as the texts want, all buttons alike: for a place that has room to spare."""
        for button in self._buttons.values():
            button.ensurePolished()  # or it would count with another font
        widest = max(button.sizeHint().width() for button in self._buttons.values()) + 2 * INSET_PX
        n_buttons = len(self._buttons)
        self.setFixedWidth(n_buttons * widest + (n_buttons - 1) * GAP_PX)

    def set_value(self, value: str | None) -> None:
        """Press the button of a value; None presses none."""
        self._group.setExclusive(value is not None)
        for each, button in self._buttons.items():
            button.setChecked(each == value)

    def button(self, value: str) -> QPushButton:
        """The button of a value."""
        return self._buttons[value]
