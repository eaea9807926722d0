"""The column beside the map: condition, tone, seed, what to start from, and the set to keep images in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.synthesis.region_crops import PlannedCrop
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.gui.pages.generate.gan.map_gan import MapGan
from synthstudio.gui.pages.generate.gan.map_state import MapState
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.wheel_guard import guard_wheel

SIDE_WIDTH_PX = 272
LAST_SEED = 2**31 - 1
EMPTY_MAP = "An empty map"
NO_NOISE = "This GAN was trained without noise: the map alone decides."


class EditorSide(QFrame):
    """Controls; what they mean is the editor's."""

    class_chosen = Signal(object)
    """`ClassId`: of new boxes, and of the selected ones."""
    tone_chosen = Signal(int)
    seed_chosen = Signal(int)
    start_chosen = Signal(object)
    """`PlannedCrop`, or None for an empty map."""
    reset_requested = Signal()
    keep_requested = Signal()
    set_name_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tones: tuple[tuple[int, str], ...] = ()
        self._crops: dict[FovId, list[PlannedCrop]] = {}
        self._start: PlannedCrop | None = None
        self.classes = self._combobox("Condition of new and selected boxes")
        self.tone = QSlider(Qt.Orientation.Horizontal, self)
        self.tone.setAccessibleName("Tone")
        self.tone.setPageStep(1)
        self.tone.setTickPosition(QSlider.TickPosition.TicksBelow)
        guard_wheel(self.tone)
        self.tone_name = QLabel(self)
        self.seed = QSpinBox(self)
        inset_number(self.seed)
        self.seed.setRange(0, LAST_SEED)
        self.seed.setAccessibleName("Seed")
        guard_wheel(self.seed)
        self.dice = self._button("mdi6.dice-multiple-outline", "Another seed")
        self.seed_note = self._note(NO_NOISE)
        self.fields = self._combobox("Start from")
        self.previous = self._button("mdi6.chevron-left", "Crop before this one")
        self.next = self._button("mdi6.chevron-right", "Crop after this one")
        self.place = QLabel(self)
        self.reset = QPushButton("Reset the map", self)
        self.set_name = QLineEdit("kept", self)
        self.set_name.setAccessibleName("Set that images are kept in")
        self.keep = QPushButton("Add to set", self)
        self.keep.setProperty("primary", True)
        self.set_note = self._note("")
        self._lay_out()
        self._connect()

    def _combobox(self, name: str) -> QComboBox:
        box = ElidedCombo(self, least_letters=10)
        box.setAccessibleName(name)
        guard_wheel(box)
        return box

    def _button(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(themed_icon(icon))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def _note(self, text: str) -> QLabel:
        note = QLabel(text, self)
        note.setWordWrap(True)
        for name in ("muted", "small"):
            note.setProperty(name, True)
        return note

    def _lay_out(self) -> None:
        self.setProperty("panel", True)
        self.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(GRID_PX)
        self._add(column, "Condition", self.classes)
        self._add(column, "Tone", self.tone, self.tone_name)
        self._add(column, "Seed", self.seed, self.dice)
        column.addWidget(self.seed_note)
        self._add(column, "Start from", self.fields)
        self._add(column, "", self.previous, self.place, self.next)
        column.addWidget(self.reset)
        column.addStretch(1)
        self._add(column, "Keep in the set", self.set_name)
        column.addWidget(self.keep)
        column.addWidget(self.set_note)

    def _add(self, column: QVBoxLayout, title: str, *controls: QWidget) -> None:
        if title:
            label = QLabel(title, self)
            label.setProperty("strong", True)
            label.setBuddy(controls[0])
            column.addSpacing(2 * GRID_PX)
            column.addWidget(label)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        for control in controls:
            is_wide = isinstance(control, QComboBox | QSlider | QSpinBox | QLineEdit) or control is self.place
            row.addWidget(control, 1 if is_wide else 0)
        column.addLayout(row)

    def _connect(self) -> None:
        self.classes.activated.connect(lambda _place: self.class_chosen.emit(self.classes.currentData()))
        self.tone.valueChanged.connect(self._on_tone_value_changed)
        self.seed.valueChanged.connect(self.seed_chosen)
        self.dice.clicked.connect(self.draw_seed)
        self.fields.activated.connect(self._on_fields_activated)
        self.previous.clicked.connect(lambda: self.step_crop(-1))
        self.next.clicked.connect(lambda: self.step_crop(1))
        self.reset.clicked.connect(self.reset_requested)
        self.keep.clicked.connect(self.keep_requested)
        self.set_name.textChanged.connect(self.set_name_changed)

    def show_gan(self, gan: MapGan) -> None:
        """Offer what this GAN knows."""
        self.classes.clear()
        for each in gan.classes.values():
            key = f"  ({each.key})" if each.key else ""
            self.classes.addItem(color_icon(each.color), f"{each.name}{key}", each.id)
        self._tones = gan.tones
        self.tone.blockSignals(True)
        self.tone.setRange(0, len(self._tones) - 1)
        self.tone.blockSignals(False)
        self.tone.setEnabled(len(self._tones) > 1)
        self.tone.setToolTip("" if len(self._tones) > 1 else "The project had no tones when this GAN was trained.")
        names = [name for _, name in self._tones]
        self.tone_name.setFixedWidth(max(self.fontMetrics().horizontalAdvance(name) for name in names) + GRID_PX)
        for control in (self.seed, self.dice):
            control.setEnabled(gan.has_noise)
            control.setToolTip("Of the generator's noise" if gan.has_noise else NO_NOISE)
        self.seed_note.setVisible(not gan.has_noise)
        self.show_crops(())

    def show_crops(self, crops: Sequence[PlannedCrop]) -> None:
        """Offer these crops of the project to start from; an empty map is chosen."""
        self._crops = {}
        for crop in crops:
            self._crops.setdefault(crop.fov_id, []).append(crop)
        self.fields.clear()
        self.fields.addItem(EMPTY_MAP, None)
        for fov_id, own in self._crops.items():
            self.fields.addItem(own[0].fov_name, fov_id)
        self.show_start(None)

    def show_state(self, state: MapState) -> None:
        """Show tone and seed of a map."""
        place = next((place for place, (tone, _) in enumerate(self._tones) if tone == state.tone), 0)
        for control, value in ((self.tone, place), (self.seed, state.seed)):
            control.blockSignals(True)
            control.setValue(value)
            control.blockSignals(False)
        self._show_tone_name()

    def show_class(self, class_id: ClassId) -> None:
        """Show which condition new boxes get."""
        self.classes.setCurrentIndex(self.classes.findData(class_id))

    def show_start(self, crop: PlannedCrop | None) -> None:
        """Show what the map was started from."""
        self._start = crop
        self.fields.setCurrentIndex(max(self.fields.findData(crop.fov_id if crop is not None else None), 0))
        own = self._crops.get(crop.fov_id, []) if crop is not None else []
        n_crops = sum(len(each) for each in self._crops.values())
        any_crop = f"any of {n_crops:,} real crops" if n_crops else "no real crops"
        is_known = crop is not None and crop in own
        self.place.setText(f"Crop {own.index(crop) + 1} of {len(own)}" if crop is not None and is_known else any_crop)
        for button in (self.previous, self.next):
            button.setEnabled(bool(self._crops))

    @property
    def start(self) -> PlannedCrop | None:
        """The crop that the map was started from, or is being started from."""
        return self._start

    @property
    def chosen_set(self) -> str:
        """Name of the set that images are kept in."""
        return self.set_name.text().strip()

    @Slot()
    def draw_seed(self) -> None:
        """Choose another seed at random."""
        self.seed.setValue(secrets.randbelow(100_000))

    def step_tone(self, step: int) -> None:
        """Choose the next tone, or one before."""
        self.tone.setValue(self.tone.value() + step)

    def step_crop(self, step: int) -> None:
        """Ask for the next or the previous crop, across the FOVs."""
        crops = [crop for own in self._crops.values() for crop in own]
        if crops:
            place = crops.index(self._start) if self._start in crops else (-1 if step > 0 else 0)
            self.start_chosen.emit(crops[(place + step) % len(crops)])

    @Slot(int)
    def _on_fields_activated(self, _place: int) -> None:
        own = self._crops.get(self.fields.currentData())
        self.start_chosen.emit(own[0] if own else None)

    @Slot(int)
    def _on_tone_value_changed(self, place: int) -> None:
        self._show_tone_name()
        self.tone_chosen.emit(self._tones[place][0])

    def _show_tone_name(self) -> None:
        name = self._tones[self.tone.value()][1] if self._tones else ""
        self.tone_name.setText(name)
        self.tone.setAccessibleDescription(name)
