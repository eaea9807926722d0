"""Forms made from settings models: one control per type of setting."""

from synthstudio.gui.forms.controls import Choice
from synthstudio.gui.forms.presets import Preset, PresetBar, list_presets
from synthstudio.gui.forms.settings_form import SettingsForm

__all__ = ["Choice", "Preset", "PresetBar", "SettingsForm", "list_presets"]
