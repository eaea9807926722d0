"""How annotations are drawn."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.widgets.segments import Segments

STYLES = (
    (MarkStyle.OUTLINE.value, "Outline", "Boxes and circles of the class's size"),
    (MarkStyle.DOT.value, "Dot", "Only the middle of each object"),
    (MarkStyle.LABEL.value, "Label", "Outlines with the class's name"),
)


class DisplayPanel(QWidget):
    """Signals: style_chosen (str), marks_toggled (bool), scale_bar_toggled (bool)."""

    style_chosen = Signal(str)
    marks_toggled = Signal(bool)
    scale_bar_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.style_choice = Segments(STYLES)
        self.style_choice.set_value(MarkStyle.OUTLINE.value)
        self.style_choice.chosen.connect(self.style_chosen)
        self.marks = QCheckBox("Show annotations (H)")
        self.marks.setChecked(True)
        self.marks.clicked.connect(self.marks_toggled)
        self.scale_bar = QCheckBox("Show scale bar")
        self.scale_bar.setChecked(True)
        self.scale_bar.clicked.connect(self.scale_bar_toggled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(8)
        for widget in (self.style_choice, self.marks, self.scale_bar):
            layout.addWidget(widget)

    def set_marks_shown(self, *, shown: bool) -> None:
        """Follow the shortcut."""
        self.marks.setChecked(shown)
