"""How pictures are described and laid out: the settings of the map, and the button that makes it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.forms import SettingsForm
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.settings.embed import EmbedSettings

WIDTH_PX = 280
BUILT_IN = ("", "built-in descriptor")


class MapSide(QFrame):
    """The form, and Start.

    Signals:
        start_requested: Make the map with the settings of the form.
    """

    start_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._can_start = False
        self.setProperty("panel", True)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        self.form = SettingsForm(EmbedSettings, choices={"features": [BUILT_IN]}, hidden=("files",), parent=self)
        self.start = QPushButton("Make the map", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.addWidget(self.form, 1)
        column.addWidget(self.start)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)
        self._refresh()

    def fit(self, models: Sequence[str], *, can_start: bool) -> None:
        """Offer these local models to describe with; allow or refuse a start."""
        self._can_start = can_start
        self.form.set_choices("features", [BUILT_IN, *((name, name) for name in models)])
        self._refresh()

    def find_settings(self) -> EmbedSettings | None:
        """The settings; None while they are not valid."""
        return self.form.find_settings()

    @Slot()
    def _refresh(self) -> None:
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
