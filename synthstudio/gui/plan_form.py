"""What a plan of many jobs is told: its settings, how long it will take, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.client.plans import free_name
from synthstudio.gui.forms import Choice, PresetBar, SettingsForm, list_presets
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.base import JobSettings

NAME = "name"
PlanSettings = TypeVar("PlanSettings", bound=JobSettings)


class PlanForm(QFrame, Generic[PlanSettings]):
    """Presets, the form, the estimate.

    Args:
        default: Settings of an untouched form; one of them is the `name` of the plan.
        title: What the plan does.
        start: What the button says.
        choices: As for `SettingsForm`.
        class_lists: Settings that are lists of the project's classes.
        hidden: As for `SettingsForm`.

    Signals:
        start_requested: Begin a plan with the settings of the form.
        settings_changed: (settings) A new estimate is wanted.
    """

    start_requested = Signal()
    settings_changed = Signal(object)

    def __init__(
        self,
        default: PlanSettings,
        *,
        title: str,
        start: str,
        choices: Mapping[str, Sequence[Choice]] | None = None,
        class_lists: Sequence[str] = (),
        hidden: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._can_start = False
        self._taken: frozenset[str] = frozenset()
        self._class_lists = tuple(class_lists)
        heading = QLabel(title, self)
        heading.setProperty("strong", True)
        self.presets = PresetBar(list_presets(default.kind), default, find_settings=self.find_settings, parent=self)
        no_names: tuple[Choice, ...] = ()
        words = {**(choices or {}), **dict.fromkeys(self._class_lists, no_names)}
        self.form = SettingsForm(type(default), choices=words, hidden=hidden, parent=self)
        self.effort = WrappedLabel("muted", self)
        self.start = QPushButton(start, self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        for widget, stretch in ((heading, 0), (self.presets, 0), (self.form, 1), (self.effort, 0), (self.start, 0)):
            column.addWidget(widget, stretch)
        self._connect(default)

    def _connect(self, default: PlanSettings) -> None:
        self.form.settings_changed.connect(self._on_form_settings_changed)
        self.form.validity_changed.connect(self._refresh)
        self.presets.preset_chosen.connect(self._on_presets_preset_chosen)
        self.presets.recipe_opened.connect(self.form.set_settings)
        self.start.clicked.connect(self.start_requested)
        self._match(default)
        self._refresh()

    def _match(self, settings: PlanSettings) -> None:
        self.presets.show_match(settings, ignored=frozenset({NAME}))  # it says nothing about which preset a plan is

    def find_settings(self) -> PlanSettings | None:
        """The settings of the form; None while they are not valid."""
        return self.form.find_settings()  # the form is made after the presets, so that Tab reaches it after them

    def fit(self, *, classes: Sequence[Choice], taken: Collection[str], can_start: bool) -> None:
        """Offer the project's classes, know the names of its plans, allow or refuse a start."""
        self._taken = frozenset(taken)
        for name in self._class_lists:
            self.form.set_choices(name, classes)
        self._can_start = can_start
        self._refresh()

    def offer_name(self) -> None:
        """Put a number behind the name where a plan has it."""
        settings = self.find_settings()
        name = str(getattr(settings, NAME)) if settings is not None else ""
        if name in self._taken:
            self.form.show_value(NAME, free_name(name, self._taken))

    def show_effort(self, text: str) -> None:
        """Say how much will be done, and how long that takes."""
        self.effort.setText(text)

    @Slot(object)
    def _on_presets_preset_chosen(self, settings: PlanSettings) -> None:
        self.form.set_settings(settings)
        self.offer_name()

    @Slot(object)
    def _on_form_settings_changed(self, settings: PlanSettings) -> None:
        self._match(settings)
        self._refresh()
        self.settings_changed.emit(settings)

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
