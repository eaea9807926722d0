"""Name, number and workers of a set, and the button that writes it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.forms import SettingsForm
from synthstudio.gui.theme import GRID_PX
from synthstudio.settings.compose import ComposeSettings

OWN_SETTINGS = ("set_name", "count", "first_index", "workers")


class WritePanel(QWidget):
    """Asks for a set by `write_requested`."""

    write_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = SettingsForm(ComposeSettings, only=OWN_SETTINGS, is_plain=True, parent=self)
        self.button = QPushButton("Write set", self)
        self.button.setProperty("primary", True)
        self.note = QLabel(self)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.form)
        layout.addWidget(self.button)
        layout.addWidget(self.note)
        self._can_write = False
        self.form.validity_changed.connect(self._refresh)
        self.button.clicked.connect(self.write_requested)
        self._refresh()

    def set_ready(self, is_ready: bool, note: str = "") -> None:
        """Allow writing, or say why not."""
        self._can_write = is_ready
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        self.button.setEnabled(self._can_write and self.form.find_settings() is not None)

    def completed(self, settings: ComposeSettings) -> ComposeSettings:
        """These settings with the panel's own."""
        own = self.form.settings()
        return settings.model_copy(update={name: getattr(own, name) for name in OWN_SETTINGS})
