"""Presets: recipes that come with the program, offered in a combo box above a form."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.base import JobSettings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path

CUSTOM = "Own settings"


@dataclass(frozen=True, slots=True)
class Preset:
    """A named recipe. `title` is the first comment of its file, or its name in words."""

    title: str
    settings: JobSettings


def list_presets(kind: str, folder: Path | None = None) -> list[Preset]:
    """Return the presets of a job kind, by title.

    Args:
        kind: For example `compose`.
        folder: Where the recipes lie; those of the program otherwise.

    Raises:
        UserError: A recipe cannot be read.
    """
    return [preset for preset in _read_presets(folder or resource_path("recipes")) if preset.settings.kind == kind]


@functools.cache
def _read_presets(folder: Path) -> tuple[Preset, ...]:
    """All presets of a folder; once, for all forms."""
    found = (Preset(_title(path), read_recipe(path)) for path in sorted(folder.glob("*.toml")))
    return tuple(sorted(found, key=lambda preset: preset.title.lower()))


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").lstrip().splitlines()[0]
    if first.startswith("#"):
        return first.lstrip("# ").rstrip(". ")
    return path.stem.replace("-", " ").replace("_", " ").capitalize()


class PresetBar(QWidget):
    """Chooses among presets, and shows which one a form agrees with."""

    preset_chosen = Signal(object)

    def __init__(self, presets: Sequence[Preset], default: JobSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        has_default = any(_values(each.settings) == _values(default) for each in presets)
        self._presets = [*presets] if has_default else [Preset("Default", default), *presets]
        self.combo = QComboBox(self)
        self.combo.setAccessibleName("Preset")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        guard_wheel(self.combo)
        for preset in self._presets:
            self.combo.addItem(preset.title)
        self.combo.addItem(CUSTOM)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID_PX)
        layout.addWidget(QLabel("Preset", self))
        layout.addWidget(self.combo, 1)
        self.combo.activated.connect(self._on_combo_activated)

    def show_match(self, settings: JobSettings, *, ignored: frozenset[str] = frozenset()) -> None:
        """Select the preset that equals these settings, seed and `ignored` aside."""
        shown = _values(settings, ignored)
        for number, preset in enumerate(self._presets):
            if _values(preset.settings, ignored) == shown:
                self.combo.setCurrentIndex(number)
                return
        self.combo.setCurrentIndex(len(self._presets))

    @Slot(int)
    def _on_combo_activated(self, index: int) -> None:
        if index < len(self._presets):
            self.preset_chosen.emit(self._presets[index].settings)


def _values(settings: JobSettings, ignored: frozenset[str] = frozenset()) -> dict[str, object]:
    """What makes a preset: everything but the seed."""
    return settings.model_dump(exclude={"seed", *ignored})
