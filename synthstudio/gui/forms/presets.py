"""Presets: recipes that come with the program, offered in a combo box above a form; and recipes of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.saving import save_bytes
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.base import JobSettings
from synthstudio.settings.recipe import read_recipe, recipe_text
from synthstudio.settings.resources import resource_path

CUSTOM = "Own settings"
RECIPE_FILTER = "Recipes (*.toml)"


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
    """Chooses among presets, and shows which one a form agrees with; saves and opens recipes.

    Args:
        presets: What is offered.
        default: Settings of an untouched form; their kind is the only one that a recipe may have.
        find_settings: The form's settings, to be saved; None while they are not valid.
    """

    preset_chosen = Signal(object)
    recipe_opened = Signal(object)
    """Settings of the user's own recipe: all of them count, the seed too."""

    def __init__(
        self,
        presets: Sequence[Preset],
        default: JobSettings,
        *,
        find_settings: Callable[[], JobSettings | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind = default.kind
        self._find_settings = find_settings
        has_default = any(_values(each.settings) == _values(default) for each in presets)
        self._presets = [*presets] if has_default else [Preset("Default", default), *presets]
        self.combo = ElidedCombo(self, least_letters=0)
        self.combo.setAccessibleName("Preset")
        guard_wheel(self.combo)
        for preset in self._presets:
            self.combo.addItem(preset.title)
        self.combo.addItem(CUSTOM)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID_PX)
        layout.addWidget(QLabel("Preset", self))
        layout.addWidget(self.combo, 1)
        self.more = QToolButton(self)
        self.more.setIcon(themed_icon("mdi6.dots-horizontal"))
        self.more.setToolTip("Save or open a recipe; the command for a terminal, GPUs, machines")
        self.more.setAccessibleName("Recipes")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        self.save_action = menu.addAction("Save as recipe…", self.ask_where_to_save)
        self.open_action = menu.addAction("Open recipe…", self.ask_what_to_open)
        self.elsewhere_action = menu.addAction("Run elsewhere…", self.show_elsewhere)
        self.more.setMenu(menu)
        layout.addWidget(self.more)
        self.combo.activated.connect(self._on_combo_activated)

    def show_match(self, settings: JobSettings, *, ignored: frozenset[str] = frozenset()) -> None:
        """Select the preset that equals these settings, seed and `ignored` aside."""
        shown = _values(settings, ignored)
        for number, preset in enumerate(self._presets):
            if _values(preset.settings, ignored) == shown:
                self.combo.setCurrentIndex(number)
                return
        self.combo.setCurrentIndex(len(self._presets))

    def _require_settings(self) -> JobSettings | None:
        """The form's settings; None, and a word why, while they are not valid."""
        settings = self._find_settings()
        if settings is None:
            errors.report(UserError("These settings are not valid.", "Mend what is marked red first."), parent=self)
        return settings

    @Slot()
    def ask_where_to_save(self) -> None:
        """Save the form's settings as a recipe, which `synthstudio run` takes too."""
        settings = self._require_settings()
        if settings is not None:
            save_bytes(self, f"{self._kind}.toml", RECIPE_FILTER, lambda: recipe_text(settings).encode())

    @Slot()
    def show_elsewhere(self) -> None:
        """Show the command that does the same outside the window."""
        from synthstudio.gui.forms.elsewhere_dialog import ElsewhereDialog  # noqa: PLC0415 - loaded when it is needed

        settings, project = self._require_settings(), self.window().windowFilePath()
        if settings is None:
            return
        if not project:  # the recipe is written into it, and the command names it
            errors.report(UserError("No project is open.", "Open the one that this is to be done in."), parent=self)
            return
        ElsewhereDialog(settings, Path(project), self.window()).open()

    @Slot()
    def ask_what_to_open(self) -> None:
        """Let the user choose a recipe file for the form."""
        errors.ask.file(
            self, title="Open recipe", start=Path.home(), name_filter=RECIPE_FILTER, answered=self.open_recipe
        )

    def open_recipe(self, path: Path) -> None:
        """Bring a recipe into the form; says why where that cannot be."""
        try:
            settings = read_recipe(path)
            if settings.kind != self._kind:
                raise UserError(
                    f"{path.name} is a recipe for {settings.kind}, not for {self._kind}.", "Open it in its own place."
                )
        except UserError as error:
            errors.report(error, parent=self)
            return
        self.recipe_opened.emit(settings)

    @Slot(int)
    def _on_combo_activated(self, index: int) -> None:
        if index < len(self._presets):
            self.preset_chosen.emit(self._presets[index].settings)


def _values(settings: JobSettings, ignored: frozenset[str] = frozenset()) -> dict[str, object]:
    """What makes a preset: everything but the seed."""
    return settings.model_dump(exclude={"seed", *ignored})
