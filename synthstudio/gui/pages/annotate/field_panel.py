"""Facts about the FOV that is shown: how far its annotation has come, its split, its scale."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from synthstudio.domain.records import FieldOfView, Split
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.segments import Segments

STATES = (
    ("none", "None", "Nothing is annotated: this field is not used for training or scoring"),
    ("partial", "Partial", "Some objects are annotated: patches come from here, but what is unmarked means nothing"),
    ("exhaustive", "All", "Every object is annotated: what is unmarked is background"),
)
NO_SPLIT = ""
MAX_UM_PER_PX = 1000.0


class FieldPanel(QWidget):
    """Signals: state_chosen (str), split_chosen (str, "" for none), calibration_chosen (float, 0 for none)."""

    state_chosen = Signal(str)
    split_chosen = Signal(str)
    calibration_chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = Segments(STATES)
        self.state.chosen.connect(self.state_chosen)
        self.split = QComboBox()
        self.split.addItem("no split", NO_SPLIT)
        for split in Split:
            self.split.addItem(split.value, split.value)
        self.split.setToolTip("Of the whole sample: all its fields move together")
        self.split.activated.connect(lambda: self.split_chosen.emit(self.split.currentData()))
        self.scale = QDoubleSpinBox()
        inset_number(self.scale)
        self.scale.setRange(0.0, MAX_UM_PER_PX)
        self.scale.setDecimals(4)
        self.scale.setSingleStep(0.01)
        self.scale.setSuffix(" µm/px")
        self.scale.setSpecialValueText("not calibrated")
        self.scale.setKeyboardTracking(False)
        self.scale.setToolTip("Micrometres per pixel of this field; Calibrate… sets it for many")
        self.scale.valueChanged.connect(self.calibration_chosen)
        self.size_text = QLabel()
        self.size_text.setProperty("muted", True)
        self.size_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        form = QFormLayout()
        form.setSpacing(8)
        for widget in (self.split, self.scale):
            widget.setMinimumWidth(72)
        form.addRow("Split", self.split)
        form.addRow("Scale", self.scale)
        form.addRow("Size", self.size_text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(self.state)
        layout.addLayout(form)

    def set_fov(self, fov: FieldOfView | None) -> None:
        """Show the facts of an FOV."""
        self.setEnabled(fov is not None)
        self.state.set_value(fov.state.value if fov else None)
        self.split.setCurrentIndex(self.split.findData(fov.split.value if fov and fov.split else NO_SPLIT))
        self.scale.blockSignals(True)
        self.scale.setValue(fov.um_per_px or 0.0 if fov else 0.0)
        self.scale.blockSignals(False)
        self.size_text.setText(f"{fov.width:,} × {fov.height:,} px" if fov else "")
