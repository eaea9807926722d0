"""Facts about the FOV that is shown: how far its annotation has come, its note, its split, its scale."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.records import FieldOfView, Split
from synthstudio.domain.tones import ToneScale
from synthstudio.gui.widgets.dialog_layout import add_row
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.segments import Segments

STATES = (
    ("none", "None", "Nothing is annotated: this field is not used for training or scoring"),
    ("partial", "Part", "Some objects are annotated: patches come from here, but what is unmarked means nothing"),
    ("exhaustive", "All", "Every object is annotated: what is unmarked is background"),
    ("reviewed", "Seen", "Every object is annotated, and a second look has confirmed it"),
)
NO_SPLIT = ""
MAX_UM_PER_PX = 1000.0
NOTE_AFTER_MS = 400
"""A note is stored when the hand rests, so that closing the window loses none."""


class FieldPanel(QWidget):
    """What the project knows of an FOV, to be changed.

    Signals:
        state_chosen: (str)
        split_chosen: (str, "" for none)
        calibration_chosen: (float, 0 for none)
        note_chosen: (`FovId`, str) Of the FOV at which it was written, though another may be shown by now.
        flag_chosen: (bool)
        tone_chosen: (int, 0 for unknown)
    """

    state_chosen = Signal(str)
    split_chosen = Signal(str)
    calibration_chosen = Signal(float)
    note_chosen = Signal(object, str)
    flag_chosen = Signal(bool)
    tone_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fov: FieldOfView | None = None
        self.state = Segments(STATES)
        self.state.chosen.connect(self.state_chosen)
        self.split = ElidedCombo()
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
        self.tone = ElidedCombo()
        self.tone.setToolTip("Level of the project's tone scale (Field, Tone scale…)")
        self.tone.activated.connect(lambda: self.tone_chosen.emit(self.tone.currentData()))
        self.size_text = QLabel()
        self.size_text.setProperty("muted", True)
        self.size_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        form = QFormLayout()
        form.setSpacing(8)
        for widget in (self.split, self.scale, self.tone):
            widget.setMinimumWidth(72)
        add_row(form, "Split", self.split)
        add_row(form, "Scale", self.scale)
        add_row(form, "Tone", self.tone)
        form.addRow("Size", self.size_text)
        self._form = form
        self.set_tone_scale(None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(self.state)
        layout.addLayout(self._note_row())
        layout.addLayout(form)

    def _note_row(self) -> QHBoxLayout:
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note")
        self.note.setAccessibleName("Note on the field")
        self.note.editingFinished.connect(self._end_note)
        self._note_timer = QTimer(self)
        self._note_timer.setSingleShot(True)
        self._note_timer.setInterval(NOTE_AFTER_MS)
        self._note_timer.timeout.connect(self._give_note)
        self.note.textEdited.connect(lambda _text: self._note_timer.start())
        self.flag = QToolButton()
        self.flag.setIcon(themed_icon("mdi6.flag-outline"))
        self.flag.setCheckable(True)
        self.flag.setToolTip("Flag the field for a further look")
        self.flag.setAccessibleName("Flag the field")
        self.flag.clicked.connect(self.flag_chosen)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.note, 1)
        row.addWidget(self.flag)
        return row

    def set_fov(self, fov: FieldOfView | None) -> None:
        """Show the facts of an FOV; what was written about the former one is given, too."""
        former, written = self._fov, self.note.text().strip()
        is_same = fov is not None and former is not None and fov.id == former.id
        self._fov = fov
        if not (is_same and self.note.isModified()):  # what is being typed stays
            self.note.setText(fov.note if fov else "")
        self.note.setToolTip(fov.note if fov else "")
        self.flag.setChecked(fov is not None and fov.is_flagged)
        self.setEnabled(fov is not None)
        self.state.set_value(fov.state.value if fov else None)
        self.split.setCurrentIndex(self.split.findData(fov.split.value if fov and fov.split else NO_SPLIT))
        self.scale.blockSignals(True)
        self.scale.setValue(fov.um_per_px or 0.0 if fov else 0.0)
        self.scale.blockSignals(False)
        self._show_tone()
        self.size_text.setText(f"{fov.width:,} × {fov.height:,} px" if fov else "")
        # Last: storing it leads to a re-reading, which comes back here.
        if former is not None and not is_same and written != former.note:
            self.note_chosen.emit(former.id, written)

    def set_tone_scale(self, scale: ToneScale | None) -> None:
        """Offer the levels of a scale; without one there is no row for it."""
        self.tone.clear()
        self.tone.addItem("unknown", 0)
        for number, level in enumerate(scale.levels if scale is not None else (), start=1):
            self.tone.addItem(level, number)
        self._form.setRowVisible(self.tone, scale is not None)
        self._show_tone()

    def _show_tone(self) -> None:
        tone = self._fov.tone if self._fov is not None else None
        self.tone.setCurrentIndex(max(0, self.tone.findData(tone or 0)))

    def forget(self) -> None:
        """Show nothing, and give nothing: the FOV is one of a project that is closed."""
        self._note_timer.stop()
        self._fov = None
        self.set_fov(None)

    def focus_note(self) -> None:
        """Let the user write about the field."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.note.selectAll()

    @Slot()
    def _end_note(self) -> None:
        self.note.setModified(False)  # a re-reading takes nothing from under the hand that types; now it may
        self._give_note()

    @Slot()
    def _give_note(self) -> None:
        self._note_timer.stop()
        text = self.note.text().strip()
        if self._fov is not None and text != self._fov.note:
            self.note_chosen.emit(self._fov.id, text)
