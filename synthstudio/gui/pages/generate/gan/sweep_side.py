"""What a sweep changes, what it holds, and what becomes of its images."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.synthesis.sweeps import Axis
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

SIDE_WIDTH_PX = 272
AXES: dict[Axis, str] = {"tone": "Tone", "size": "Size of the regions", "condition": "Condition"}
MIN_SIZES, MAX_SIZES = 2, 12
LAST_SEED = 2**31 - 1
EDITOR_MAP = "The editor's map"
NO_NOISE = "This GAN was trained without noise: the map alone decides."


class SweepSide(QFrame):
    """Controls; what they mean is the panel's.

    Signals:
        changed: Another sweep is wanted.
        save_requested, keep_requested: A button was pressed.
        set_name_changed: Keeping may be possible now, or no longer.
    """

    changed = Signal()
    save_requested = Signal()
    keep_requested = Signal()
    set_name_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns = self._choice("Changed from column to column")
        self.rows = self._choice("Changed from row to row")
        for axis, word in AXES.items():
            self.columns.addItem(word, axis)
        self.rows.addItem("Nothing: one row", "")
        for axis, word in AXES.items():
            self.rows.addItem(word, axis)
        self.sizes = QSpinBox(self)
        self.sizes.setRange(MIN_SIZES, MAX_SIZES)
        self.sizes.setValue(6)
        self.sizes.setAccessibleName("Number of sizes")
        self.base = self._choice("Map that is held")
        self.tone = self._choice("Tone that is held")
        self.seed = QSpinBox(self)
        self.seed.setRange(0, LAST_SEED)
        self.seed.setAccessibleName("Seed of the noise")
        self.note = WrappedLabel("muted", self)
        self.save = QPushButton("Save as picture…", self)
        self.set_name = QLineEdit("sweep", self)
        self.set_name.setAccessibleName("Set to keep the images in")
        self.keep = QPushButton("Keep images in the set", self)
        for box in (self.sizes, self.seed):
            guard_wheel(box)
            inset_number(box)
        self.base.setToolTip("One box of this condition in the middle, or the map of the tab Editor")
        self.rows.setCurrentIndex(self.rows.findData("condition"))
        self._lay_out()
        for choice in (self.columns, self.rows, self.base, self.tone):
            choice.currentIndexChanged.connect(self.changed)
        for box in (self.sizes, self.seed):
            box.valueChanged.connect(self.changed)
        self.save.clicked.connect(self.save_requested)
        self.keep.clicked.connect(self.keep_requested)
        self.set_name.textChanged.connect(self.set_name_changed)

    def _choice(self, name: str) -> QComboBox:
        choice = ElidedCombo(self, least_letters=0)
        choice.setAccessibleName(name)
        guard_wheel(choice)
        return choice

    def _lay_out(self) -> None:
        self.setProperty("panel", True)
        self.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        form = QFormLayout()
        form.setSpacing(2 * GRID_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Columns", self.columns),
            ("Rows", self.rows),
            ("Sizes", self.sizes),
            ("Start from", self.base),
            ("Tone", self.tone),
            ("Seed", self.seed),
        )
        for word, widget in rows:
            form.addRow(word, widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(form)
        column.addWidget(self.note)
        column.addStretch(1)
        column.addWidget(self.save)
        column.addWidget(QLabel("Set", self))
        column.addWidget(self.set_name)
        column.addWidget(self.keep)

    def show_gan(self, *, conditions: Sequence[str], tones: Sequence[tuple[int, str]], has_noise: bool) -> None:
        """Offer what a GAN knows; what is chosen stays chosen where the GAN knows it."""
        has_editor = self.base.findData("") >= 0
        has_tones = any(level != UNKNOWN_TONE for level, _ in tones)
        fill_choice(self.base, [(name, name) for name in conditions])
        self.offer_editor(is_there=has_editor)
        fill_choice(self.tone, [(name, level) for level, name in tones])
        for axis in (self.columns, self.rows):
            if not has_tones and axis.currentData() == "tone":
                axis.blockSignals(True)
                axis.setCurrentIndex(axis.findData("size"))
                axis.blockSignals(False)
        self.seed.setEnabled(has_noise)
        self.seed.setToolTip("" if has_noise else NO_NOISE)

    def offer_editor(self, *, is_there: bool) -> None:
        """Offer the editor's map, or no longer."""
        place = self.base.findData("")
        if is_there and place < 0:
            self.base.addItem(EDITOR_MAP, "")
        elif not is_there and place >= 0:
            self.base.removeItem(place)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What changes: down the rows first, where anything does."""
        chosen = [self.rows.currentData(), self.columns.currentData()]
        return tuple(axis for wanted in chosen for axis in AXES if axis == wanted)
