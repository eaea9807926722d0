"""What a study of GANs is told: its settings, how long it will take, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.client.plans import free_name
from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.gan_study import PARTS, GanStudySettings, PartName, grid_offers

_NAME = frozenset({"name"})
"""Says nothing about which preset a plan is."""
CLASS_LIST = "training.classes"
PART_WORDS: dict[PartName, str] = {
    "checkerboard-mitigation": "Checkerboard fix",
    "region-loss": "Region loss",
    "feature-matching": "Feature matching",
}


class StudySide(QFrame):
    """Presets, the form, the estimate.

    Signals:
        start_requested: Begin a study with the settings of the form.
        settings_changed: (`GanStudySettings`) A new estimate is wanted.
    """

    start_requested = Signal()
    settings_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_start = False
        self._taken: frozenset[str] = frozenset()
        default = GanStudySettings()
        title = QLabel("Compare ways to train a GAN", self)
        title.setProperty("strong", True)
        self.presets = PresetBar(list_presets(default.kind), default, find_settings=self.find_settings, parent=self)
        choices: dict[str, Sequence[Choice]] = {
            "without": [(part, PART_WORDS[part]) for part in PARTS],
            "grid": grid_offers(),
            CLASS_LIST: (),
        }
        self.form = SettingsForm(GanStudySettings, choices=choices, parent=self)
        self.effort = WrappedLabel("muted", self)
        self.start = QPushButton("Start the study", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        for widget, stretch in ((title, 0), (self.presets, 0), (self.form, 1), (self.effort, 0), (self.start, 0)):
            column.addWidget(widget, stretch)
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.start.clicked.connect(self.start_requested)
        self.presets.show_match(default, ignored=_NAME)
        self._refresh()

    def find_settings(self) -> GanStudySettings | None:
        """The settings of the form; None while they are not valid."""
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def fit(self, *, classes: Sequence[Choice], taken: Collection[str], can_start: bool) -> None:
        """Offer the project's classes, know the names of its studies, allow or refuse a start."""
        self._taken = frozenset(taken)
        self.form.set_choices(CLASS_LIST, classes)
        self._can_start = can_start
        self._refresh()

    def offer_name(self) -> None:
        """Put a number behind the name where a study has it."""
        settings = self.find_settings()
        if settings is not None and settings.name in self._taken:
            self.form.show_value("name", free_name(settings.name, self._taken))

    def show_effort(self, text: str) -> None:
        """Say how much will be done, and how long that takes."""
        self.effort.setText(text)

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: GanStudySettings) -> None:
        self.form.set_settings(settings)
        self.offer_name()

    @Slot(object)
    def _on_form_settings_changed(self, settings: GanStudySettings) -> None:
        self.presets.show_match(settings, ignored=_NAME)
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
