"""Beside the field: one threshold for each class, what is drawn, and the way from mistake to mistake."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

STEPS = 100
"""Of a slider, from score 0 to 1."""


class ThresholdRow(QWidget):
    """A class: its name, its threshold as slider and number, and what was found of it."""

    changed = Signal()

    def __init__(self, name: str, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLabel(name, self)
        self.swatch = QLabel(self)
        self._show_color(color_icon(color))
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, STEPS)
        self.slider.setAccessibleName(f"Threshold of {name}")
        self.number = QDoubleSpinBox(self)
        self.number.setRange(0.0, 1.0)
        self.number.setDecimals(2)
        self.number.setSingleStep(0.01)
        self.number.setAccessibleName(f"Threshold of {name}")
        self.words = QLabel(self)
        self.words.setProperty("muted", True)
        self.words.setProperty("small", True)
        for control in (self.slider, self.number):
            control.setToolTip("Detections with a lower score do not count.")
            guard_wheel(control)
        self._lay_out()
        self.slider.valueChanged.connect(self._on_slider_value_changed)
        self.number.valueChanged.connect(self._on_number_value_changed)

    def _show_color(self, icon: QIcon) -> None:
        self.swatch.setPixmap(icon.pixmap(12, 12))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID_PX)
        head.addWidget(self.swatch)
        head.addWidget(self.name, 1)
        head.addWidget(self.words)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(GRID_PX)
        grid.addLayout(head, 0, 0, 1, 2)
        grid.addWidget(self.slider, 1, 0)
        grid.addWidget(self.number, 1, 1)

    @property
    def threshold(self) -> float:
        return self.number.value()

    def set_threshold(self, value: float) -> None:
        """Show a threshold, without telling that it changed."""
        for control in (self.slider, self.number):
            control.blockSignals(True)
        self.slider.setValue(round(value * STEPS))
        self.number.setValue(value)
        for control in (self.slider, self.number):
            control.blockSignals(False)

    @Slot(int)
    def _on_slider_value_changed(self, value: int) -> None:
        self.set_threshold(value / STEPS)
        self.changed.emit()

    @Slot(float)
    def _on_number_value_changed(self, value: float) -> None:
        self.set_threshold(value)
        self.changed.emit()


class DetectionControls(QWidget):
    """All that can be set and asked for beside the field."""

    thresholds_changed = Signal()
    look_changed = Signal()
    reset_requested = Signal()
    step_requested = Signal(int)
    """+1 for the next mistake, -1 for the one before."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ThresholdRow] = []
        self.heading = QLabel("Thresholds", self)
        self.heading.setProperty("heading", True)
        self.reset = QPushButton("As chosen on validation", self)
        self.reset.setToolTip("Back to the thresholds that maximise F1 on the validation images")
        self.annotations = QCheckBox("Annotations (dashed)", self)
        self.scores = QCheckBox("Scores", self)
        self.only_wrong = QCheckBox("Only what is wrong", self)
        self.annotations.setChecked(True)
        self.scores.setChecked(True)
        self.previous = QPushButton("Previous wrong", self)
        self.next = QPushButton("Next wrong", self)
        self.previous.setToolTip("The mistake before this one, also on other searched fields (Shift+F7)")
        self.next.setToolTip("The next mistake, also on other searched fields (F7)")
        self.mistake = WrappedLabel("muted", self)
        self.note = WrappedLabel("muted", self)
        self.note.setProperty("small", True)
        self.note.setText(
            "Solid: found by the detector. Dashed: annotated. A red rim is a mistake: missed, a false alarm, or another"
            " class. A double click leads to the place under Annotate."
        )
        self._row_column = QVBoxLayout()
        self._row_column.setSpacing(3 * GRID_PX)
        self._lay_out()
        for box in (self.annotations, self.scores, self.only_wrong):
            box.toggled.connect(self.look_changed)
        self.reset.clicked.connect(self.reset_requested)
        self.previous.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next.clicked.connect(lambda: self.step_requested.emit(1))

    def _lay_out(self) -> None:
        steps = QHBoxLayout()
        steps.setSpacing(2 * GRID_PX)
        steps.addWidget(self.previous)
        steps.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(3 * GRID_PX)
        column.addWidget(self.heading)
        column.addLayout(self._row_column)
        column.addWidget(self.reset)
        for box in (self.annotations, self.scores, self.only_wrong):
            column.addWidget(box)
        column.addLayout(steps)
        column.addWidget(self.mistake)
        column.addStretch(1)
        column.addWidget(self.note)

    @property
    def thresholds(self) -> tuple[float, ...]:
        return tuple(row.threshold for row in self.rows)

    def show_classes(self, names: Sequence[str], colors: Sequence[str], thresholds: Sequence[float]) -> None:
        """Show these classes; the rows stay where they are the same."""
        if [row.name.text() for row in self.rows] != list(names):
            for row in self.rows:
                self._row_column.removeWidget(row)
                row.deleteLater()
            self.rows = [ThresholdRow(name, color, self) for name, color in zip(names, colors, strict=True)]
            for row in self.rows:
                self._row_column.addWidget(row)
                row.changed.connect(self.thresholds_changed)
        for row, value in zip(self.rows, thresholds, strict=True):
            row.set_threshold(value)

    def set_usable(self, usable: bool) -> None:
        """Whether there is anything to set: a field that was searched."""
        for widget in (self.heading, self.reset, self.annotations, self.scores, self.only_wrong):
            widget.setEnabled(usable)
        for row in self.rows:
            row.setEnabled(usable)
