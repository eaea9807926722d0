"""What a training is told: a preset or settings of one's own, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Generic

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.pages.generate.trainings.facts import SettingsT
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel


class _SideSignals(QFrame):
    """Signals cannot be declared in a generic class."""

    start_requested = Signal()
    settings_changed = Signal(object)
    validity_changed = Signal()


class TrainingSide(_SideSignals, Generic[SettingsT]):
    """Presets, the form, the estimate and Start.

    Signals:
        start_requested: Train with the settings of the form.
        settings_changed: (the settings) A new estimate is wanted.
        validity_changed: Starting may be possible now, or no longer.

    Args:
        settings_class: What is edited.
        parent: Where it stands.
        start: Text of the button.
        chosen: Names of the settings whose words the project knows; presets leave them, and the seed, as they are.
    """

    def __init__(
        self,
        settings_class: type[SettingsT],
        parent: QWidget | None = None,
        *,
        start: str,
        chosen: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._can_start = False
        self._chosen = frozenset(chosen)
        default = settings_class.model_validate({})
        self.presets = PresetBar(list_presets(default.kind), default, find_settings=self.find_settings, parent=self)
        self.form: SettingsForm[SettingsT] = SettingsForm(
            settings_class, choices=dict.fromkeys(self._chosen, ()), parent=self
        )
        self.effort = WrappedLabel("muted", self)
        self.warning = WrappedLabel("warning", self)
        self.warning.hide()
        self.start = QPushButton(start, self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.presets)
        column.addWidget(self.form, 1)
        for widget in (self.effort, self.warning, self.start):
            column.addWidget(widget)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)
        self.presets.show_match(default)
        self._refresh()

    def find_settings(self) -> SettingsT | None:
        """The settings of the form; None while they are not valid."""
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def fit(self, choices: Mapping[str, Sequence[Choice]], *, can_start: bool) -> None:
        """Offer what the project has; allow or refuse a start."""
        for name, words in choices.items():
            self.form.set_choices(name, words)
        self._can_start = can_start
        self._refresh()

    def take(self, settings: SettingsT, names: Collection[str]) -> None:
        """Take over some of the settings; all else stays."""
        known = self.find_settings()
        if known is not None:
            self.form.set_settings(known.model_copy(update={name: getattr(settings, name) for name in names}))

    def show_effort(self, text: str, warning: str = "") -> None:
        """Say how long it will take, and what speaks against it."""
        self.effort.setText(text)
        self.effort.setVisible(bool(text))
        self.warning.setText(warning)
        self.warning.setVisible(bool(warning))

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: SettingsT) -> None:
        kept = {name: self.form.control_value(name) for name in ("seed", *self._chosen)}
        self.form.set_settings(settings.model_copy(update=kept))

    @Slot(object)
    def _on_form_settings_changed(self, settings: SettingsT) -> None:
        self.presets.show_match(settings, ignored=self._chosen)
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
        self.validity_changed.emit()
