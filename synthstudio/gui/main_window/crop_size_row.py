"""Which crops are labelled: their side and working scale, as a training cuts them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QHBoxLayout, QLabel, QSpinBox, QWidget
from typing_extensions import override

from synthstudio.gui.main_window.crop_walk import CropCut
from synthstudio.gui.widgets.inset import inset_number

MIN_SIDE_PX, MAX_SIDE_PX = 32, 8192
MAX_SCALE = 2.0
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class CropSizeRow(QWidget):
    """Two numbers and what they come to.

    Signals:
        chosen: (int, float) Side and scale of other crops; a scale of 0 is the one that a training chooses.
        left: Enter was pressed: the hand goes back to the crops.
    """

    chosen = Signal(int, float)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.side, self.scale = _Side(), _Scale()
        for box, name in ((self.side, "Side of a crop"), (self.scale, "Working scale")):
            inset_number(box)
            box.setAccessibleName(name)
            box.setKeyboardTracking(False)
            box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # Tab goes through the answers
            box.lineEdit().returnPressed.connect(self.left)
        self.side.setRange(MIN_SIDE_PX, MAX_SIDE_PX)
        self.side.setSingleStep(32)
        self.side.setSuffix(" px")
        self.side.setToolTip("Side of the training images, in px of the working scale")
        self.scale.setRange(0.0, MAX_SCALE)
        self.scale.setDecimals(2)
        self.scale.setSingleStep(0.05)
        self.scale.setSpecialValueText("by training")
        self.scale.setToolTip("How far images are reduced before they are cut; at the lowest, as a training chooses it")
        self.result = QLabel()
        self.result.setProperty("muted", True)
        for changed in (self.side.valueChanged, self.scale.valueChanged):
            changed.connect(self._on_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for text, box in (("Crops of", self.side), ("at scale", self.scale)):
            label = QLabel(text)
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
        layout.addWidget(self.result)
        layout.addStretch()

    def show_cut(self, cut: CropCut, *, others: int) -> None:
        """Show which crops are walked through, and how many crops of other sizes have a label."""
        self.side.blockSignals(True)
        self.side.setValue(cut.side_px)
        self.side.blockSignals(False)
        in_image = f"= {cut.side_px / cut.scale:,.0f} px of the image, at scale {cut.scale:.3g}"
        kept = "1 label of other crops is kept" if others == 1 else f"{others:,} labels of other crops are kept"
        self.result.setText(f"{in_image} · {kept}" if others else in_image)

    @Slot()
    def _on_changed(self) -> None:
        self.chosen.emit(self.side.value(), self.scale.value())


class _Side(QSpinBox):
    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        _keep_enter(self, event)


class _Scale(QDoubleSpinBox):
    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        _keep_enter(self, event)


def _keep_enter(box: QAbstractSpinBox, event: QKeyEvent) -> None:
    """Enter ends the typing of a number; it must not reach the dialog, where it labels the crop."""
    if event.key() in ENTER:
        box.interpretText()
        event.accept()
