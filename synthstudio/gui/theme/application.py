"""Puts a theme on the application and keeps it in step with the system."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from synthstudio.gui.theme.glyphs import write_glyphs
from synthstudio.gui.theme.style_sheet import build_style_sheet
from synthstudio.gui.theme.tokens import DARK, LIGHT, Theme

ThemeChoice = Literal["system", "light", "dark"]

STANDARD_TEXT_PT = 10.0
TEXT_SMALL_RATIO, TEXT_HEADING_RATIO = 0.88, 1.22
_OWNER_NAME = "synthstudio-theme"


class _ThemeOwner(QObject):
    """Lives as long as the application: its theme, its glyph files, its ear for the system's changes."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName(_OWNER_NAME)
        self._app = app
        self._folder = tempfile.TemporaryDirectory(prefix="synthstudio-theme-")
        self._choice: ThemeChoice = "system"
        self.theme = LIGHT
        app.styleHints().colorSchemeChanged.connect(self._on_color_scheme_changed)
        app.aboutToQuit.connect(self._folder.cleanup)

    def apply(self, choice: ThemeChoice) -> Theme:
        self._choice = choice
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}
        self._app.styleHints().setColorScheme(schemes[choice])  # title bars and native dialogs follow too
        self._put_on()
        return self.theme

    def _put_on(self) -> None:
        choice = self._choice
        if choice == "system":
            choice = "dark" if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
        self.theme = sized_theme(DARK if choice == "dark" else LIGHT, text_pt=_text_pt(self._app.font()))
        folder = Path(self._folder.name) / self.theme.name
        if not folder.is_dir():
            folder.mkdir(parents=True)
            write_glyphs(folder, self.theme)
        self._app.setStyle("Fusion")
        self._app.setPalette(_palette(self.theme))
        self._app.setStyleSheet(build_style_sheet(self.theme, glyphs=folder.as_posix()))

    @Slot()
    def _on_color_scheme_changed(self) -> None:
        if self._choice == "system":
            self._put_on()


def apply_theme(app: QApplication, choice: ThemeChoice = "system") -> Theme:
    """Dress the application; may be called again at any time. "system" follows the desktop from then on.

    Widgets that paint themselves hear of it through `changeEvent` (PaletteChange, StyleChange) and read
    `current_theme()` anew.
    """
    owner = app.findChild(_ThemeOwner, _OWNER_NAME)
    if owner is None:
        font = QFont(app.font())
        font.setFeature(QFont.Tag("tnum"), 1)  # counts and coordinates must not dance while they change
        app.setFont(font)
        owner = _ThemeOwner(app)
    return owner.apply(choice)


@contextmanager
def undressed(app: QApplication) -> Iterator[None]:
    """Take the style sheet off while a window is made, and put it on all of its widgets at once.

    With a sheet, whatever is put into a layout is polished anew, with all that it holds: a tenth of the start.
    """
    sheet = app.styleSheet()
    app.setStyleSheet("")
    try:
        yield
    finally:
        app.setStyleSheet(sheet)


def current_theme() -> Theme:
    """The theme in force; the light one before any was applied."""
    app = QApplication.instance()
    owner = app.findChild(_ThemeOwner, _OWNER_NAME) if app is not None else None
    return owner.theme if owner is not None else LIGHT


def scaled_px(length_px: float) -> int:
    """A length of the layout that holds text, larger where the system's text is larger than the standard size."""
    return round(length_px * max(1.0, current_theme().text_pt / STANDARD_TEXT_PT))


def sized_theme(theme: Theme, *, text_pt: float) -> Theme:
    """The theme with its three text sizes derived from the system's."""
    return dataclasses.replace(
        theme,
        text_small_pt=round(text_pt * TEXT_SMALL_RATIO, 1),
        text_pt=text_pt,
        text_heading_pt=round(text_pt * TEXT_HEADING_RATIO, 1),
    )


def _text_pt(font: QFont) -> float:
    """Size of a font in pt, also where the system gives it in px (at 96 dpi)."""
    return font.pointSizeF() if font.pointSizeF() > 0 else font.pixelSize() * 72 / 96


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    colors = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.panel,
        role.Text: theme.text,
        role.PlaceholderText: theme.text_disabled,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Light: theme.hover,
        role.Midlight: theme.border,
        role.Mid: theme.border,
        role.Dark: theme.border_strong,
        role.Shadow: theme.border_strong,
    }
    for color_role, color in colors.items():
        palette.setColor(color_role, QColor(color))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(theme.text_disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(theme.border_strong))
    return palette
