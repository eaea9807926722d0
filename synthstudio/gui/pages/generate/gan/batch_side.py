"""The form of a generated set, and the classifier that tells whether such a set helps."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.domain.records import SyntheticSet
from synthstudio.gui.forms import PresetBar, SettingsForm, list_presets
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.section import Section
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.generate import PROMPT_SETTINGS, GenerateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings

SHOWN_OF_TRAINING = ("network.name", "optimization.steps", "real_share", "seed")
MIX_SHARE = 0.5


class BatchSide(QFrame):
    """What a set is told; the button that writes it; and the comparison below.

    Signals:
        settings_changed: (`GenerateSettings`)
        write_requested, compare_requested: A button was pressed.
        possibilities_changed: Other things may be possible now.
    """

    settings_changed = Signal(object)
    write_requested = Signal()
    compare_requested = Signal()
    possibilities_changed = Signal()

    def __init__(self, start: GenerateSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_write = False
        choices = {"requests.classes": (), "requests.tones": ()}
        self.form = SettingsForm(
            GenerateSettings, start, choices=choices, hidden={"run", "generator", *PROMPT_SETTINGS}, parent=self
        )
        self.trouble = WrappedLabel("danger", self)
        self.write = QPushButton("Write set", self)
        self.write.setProperty("primary", True)
        self.comparison = Comparison(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.form, 1)
        column.addWidget(self.trouble)
        column.addWidget(self.write)
        column.addWidget(self.comparison)
        self.trouble.hide()
        self.form.settings_changed.connect(self.settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.write.clicked.connect(self.write_requested)
        self.comparison.compare.clicked.connect(self.compare_requested)
        self.comparison.sets.currentIndexChanged.connect(self.possibilities_changed)
        self._refresh()

    def fit(self, *, classes: Sequence[str], tones: Sequence[str], can_write: bool) -> None:
        """Offer what the generator knows; allow or refuse writing."""
        self.form.set_choices("requests.classes", [(name, name) for name in classes])
        self.form.set_choices("requests.tones", [(name, name) for name in tones])
        self._can_write = can_write
        self._refresh()

    def show_trouble(self, text: str) -> None:
        """Say why the set cannot be written; nothing where it can."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        self.write.setEnabled(self._can_write and not self.trouble.text() and self.form.find_settings() is not None)
        self.possibilities_changed.emit()


class Comparison(Section):
    """Chooses a set and a training, and asks for the classifier with and without."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("A classifier with and without a set", parent=parent)
        self._can_start = False
        self.sets = ElidedCombo(self.body)
        self.sets.setAccessibleName("Set to compare with and without")
        guard_wheel(self.sets)
        start = TrainClassifierSettings(real_share=MIX_SHARE)
        self.presets = PresetBar(list_presets(start.kind), start, find_settings=self.find_settings, parent=self.body)
        self.form = SettingsForm(
            TrainClassifierSettings, start, only=SHOWN_OF_TRAINING, is_plain=True, parent=self.body
        )
        self.note = QLabel(
            "Two trainings on real crops, one with the set mixed in, both scored on the test images; Train, Results"
            " compares them.",
            self.body,
        )
        self.note.setWordWrap(True)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        self.compare = QPushButton("Train with and without it", self.body)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        for widget in (self.sets, self.presets, self.form, self.note, self.compare):
            layout.addWidget(widget)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.form.settings_changed.connect(self.presets.show_match)
        self.form.validity_changed.connect(self._refresh)
        self.sets.currentIndexChanged.connect(self._refresh)
        self.set_folded(True)
        self._refresh()

    @property
    def set_name(self) -> str:
        """The chosen set; empty where there is none."""
        return str(self.sets.currentData() or "")

    def find_settings(self) -> TrainClassifierSettings | None:
        """Settings of both trainings; None while they are not valid."""
        return self.form.find_settings()

    def show_sets(self, sets: Sequence[SyntheticSet], *, can_start: bool) -> None:
        """Offer these, the newest first; what is chosen stays chosen unless a newer one has come."""
        newest = [each.name for each in reversed(sets)]
        known = [self.sets.itemData(place) for place in range(self.sets.count())]
        chosen = self.set_name if newest and known and newest[0] in known else (newest[0] if newest else "")
        items = [(f"{each.name} · {each.n_images:,} images", each.name) for each in reversed(sets)]
        fill_choice(self.sets, items, chosen=chosen)
        self.sets.setPlaceholderText("No set of generated images yet")
        self._can_start = can_start
        self._refresh()

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: TrainClassifierSettings) -> None:
        kept = {"seed": self.form.control_value("seed"), "real_share": self.form.control_value("real_share")}
        # What the training is on follows from the comparison, whatever the preset says.
        follows = {"source": "real-crops", "set_name": ""}
        self.form.set_settings(settings.model_copy(update={**kept, **follows}))

    @Slot()
    def _refresh(self) -> None:
        is_ready = self._can_start and bool(self.set_name)
        self.compare.setEnabled(is_ready and self.form.find_settings() is not None)
