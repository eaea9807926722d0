"""Room before the number of a spin box: a style sheet's padding does not reach the line that it holds."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QTimeEdit

INSET_PX = 6


def inset_number(box: QSpinBox | QDoubleSpinBox | QTimeEdit) -> None:
    """Keep the number off the frame, where other inputs have their text."""
    box.lineEdit().setTextMargins(INSET_PX, 0, 0, 0)
