"""How the window looks, as the user has chosen: theme, names on the rail, full screen."""

from __future__ import annotations

import dataclasses

from PySide6.QtWidgets import QApplication, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.preferences import ThemeName
from synthstudio.gui.theme import apply_theme
from synthstudio.gui.workspace import Workspace


class Looks:
    """Changes how the window looks, and remembers it."""

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        self._workspace, self._window = workspace, window

    def toggle_rail_labels(self) -> None:
        """Show or hide the names on the rail."""
        self._prefer(shows_rail_labels=not self._workspace.preferences.shows_rail_labels)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or stop doing so."""
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def set_theme(self, theme: ThemeName) -> None:
        """Choose light, dark or the system's theme."""
        self._prefer(theme=theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)

    def _prefer(self, **changed: object) -> None:
        try:
            self._workspace.set_preferences(dataclasses.replace(self._workspace.preferences, **changed))  # type: ignore[arg-type]
        except UserError as error:
            errors.report(error, parent=self._window)
