"""What a training of a GAN is told: a preset or settings of one's own, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.train_gan import TrainGanSettings


class TrainingSide(QFrame):
    """Presets, the form, the estimate and Start.

    Signals:
        start_requested: Train with the settings of the form.
        settings_changed: (`TrainGanSettings`) A new estimate is wanted.
        validity_changed: Starting may be possible now, or no longer.
    """

    start_requested = Signal()
    settings_changed = Signal(object)
    validity_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_start = False
        default = TrainGanSettings()
        self.presets = PresetBar(list_presets(default.kind), default, find_settings=self.find_settings, parent=self)
        self.form = SettingsForm(TrainGanSettings, choices={"classes": ()}, parent=self)
        self.effort = WrappedLabel("muted", self)
        self.start = QPushButton("Train the GAN", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        column.addWidget(self.effort)
        column.addWidget(self.start)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)
        self.presets.show_match(default)
        self._refresh()

    def find_settings(self) -> TrainGanSettings | None:
        """The settings of the form; None while they are not valid."""
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def fit(self, *, classes: Sequence[Choice], can_start: bool) -> None:
        """Offer the project's classes; allow or refuse a start."""
        self.form.set_choices("classes", classes)
        self._can_start = can_start
        self._refresh()

    def take_crops(self, settings: TrainGanSettings) -> None:
        """Take over what decides about the crops; all else stays."""
        known = self.find_settings()
        if known is not None:
            names = ("crops", "classes", "validation_share", "seed")
            self.form.set_settings(known.model_copy(update={name: getattr(settings, name) for name in names}))

    def show_effort(self, text: str) -> None:
        """Say how long it will take."""
        self.effort.setText(text)

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: TrainGanSettings) -> None:
        seed, classes = self.form.control_value("seed"), self.form.control_value("classes")
        self.form.set_settings(settings.model_copy(update={"seed": seed, "classes": classes}))

    @Slot(object)
    def _on_form_settings_changed(self, settings: TrainGanSettings) -> None:
        self.presets.show_match(settings, ignored=frozenset({"classes"}))
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
        self.validity_changed.emit()
