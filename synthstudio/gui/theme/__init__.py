"""The one place for colours, text sizes and the style sheet; light and dark."""

from synthstudio.gui.theme.application import ThemeChoice, apply_theme, current_theme, scaled_px, undressed
from synthstudio.gui.theme.tokens import DARK, GRID_PX, LIGHT, PLOT_HEIGHT_PX, Theme

__all__ = [
    "DARK",
    "GRID_PX",
    "LIGHT",
    "PLOT_HEIGHT_PX",
    "Theme",
    "ThemeChoice",
    "apply_theme",
    "current_theme",
    "scaled_px",
    "undressed",
]
