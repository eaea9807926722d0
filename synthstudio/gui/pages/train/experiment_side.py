"""What an experiment is told: its settings, how long it will take, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.client.plans import free_name
from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.theme import GRID_PX
from synthstudio.settings.experiment import ARMS, ArmName, ExperimentSettings

ARM_WORDS: dict[ArmName, str] = {
    "real": "Real",
    "synthetic": "Synthetic",
    "mix": "Mix of both",
    "real-share": "Share of real",
}
_NAME = frozenset({"name"})
"""Says nothing about which preset a plan is."""
CLASS_LISTS = ("classifier.composition.classes", "detector.composition.classes")


class ExperimentSide(QFrame):
    """Presets, the form, the estimate."""

    start_requested = Signal()
    settings_changed = Signal(object)
    """`ExperimentSettings` that a new estimate is wanted for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_start = False
        self._taken: frozenset[str] = frozenset()
        default = ExperimentSettings()
        title = QLabel("Compare kinds of training data", self)
        title.setProperty("strong", True)
        self.presets = PresetBar(list_presets(default.kind), default, find_settings=self._find_settings, parent=self)
        arms = [(arm, ARM_WORDS[arm]) for arm in ARMS]
        no_names: list[Choice] = []
        self.form = SettingsForm(
            ExperimentSettings, choices={"arms": arms, **dict.fromkeys(CLASS_LISTS, no_names)}, parent=self
        )
        self.effort = QLabel(self)
        self.effort.setProperty("muted", True)
        self.effort.setWordWrap(True)
        self.start = QPushButton("Start the experiment", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        parts = ((title, 0), (self.presets, 0), (self.form, 1), (self.effort, 0), (self.start, 0))
        for widget, stretch in parts:
            column.addWidget(widget, stretch)
        self._connect(default)

    def _connect(self, default: ExperimentSettings) -> None:
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.start.clicked.connect(self.start_requested)
        self.presets.show_match(default, ignored=_NAME)
        self._refresh()

    def _find_settings(self) -> ExperimentSettings | None:
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def fit(self, *, classes: list[Choice], taken: Collection[str], can_start: bool) -> None:
        """Offer the project's classes, know the names of its experiments, allow or refuse a start."""
        self._taken = frozenset(taken)
        for name in CLASS_LISTS:
            self.form.set_choices(name, classes)
        self._can_start = can_start
        self._refresh()

    def offer_name(self) -> None:
        """Put a number behind the name where an experiment has it."""
        settings = self.form.find_settings()
        if settings is not None and settings.name in self._taken:
            self.form.show_value("name", free_name(settings.name, self._taken))

    def show_effort(self, text: str) -> None:
        """Say how much will be done, and how long that takes."""
        self.effort.setText(text)

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: ExperimentSettings) -> None:
        self.form.set_settings(settings)
        self.offer_name()

    @Slot(object)
    def _on_form_settings_changed(self, settings: ExperimentSettings) -> None:
        self.presets.show_match(settings, ignored=_NAME)
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.form.find_settings() is not None)
