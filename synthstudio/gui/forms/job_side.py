"""What a job on the project or on one of its sets is told: which of them, settings, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.forms.settings_form import SettingsForm
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.base import JobSettings

SettingsT = TypeVar("SettingsT", bound=JobSettings)


class AnyJobSide(QFrame):
    """The part of it that is the same for all jobs; signals cannot be declared in a generic class.

    Signals:
        start_requested: Do it with the settings of the form.
        validity_changed: Starting may be possible now, or no longer.
    """

    start_requested = Signal()
    validity_changed = Signal()


class JobSide(AnyJobSide, Generic[SettingsT]):
    """The choice of a set, or of what stands in its place, the form, and Start.

    Args:
        settings: Of the job.
        parent: Where it stands.
        verb: What it does, "Check".
        target: What is chosen, "What is checked", for who cannot see the list.
        own: What stands in the list where no set is chosen, "The project".
        hidden: Settings that are not in the form.
    """

    def __init__(
        self,
        settings: type[SettingsT],
        parent: QWidget | None = None,
        *,
        verb: str,
        target: str,
        own: str,
        hidden: Collection[str],
    ) -> None:
        super().__init__(parent)
        self._own = own
        self._can_start = False
        label = QLabel(verb, self)
        self.target = ElidedCombo(self)
        self.target.setAccessibleName(target)
        self.target.addItem(own, "")
        label.setBuddy(self.target)
        self.form: SettingsForm[SettingsT] = SettingsForm(settings, hidden=hidden, parent=self)
        self.why = WrappedLabel("muted", self)
        self.start = QPushButton(verb, self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(label)
        column.addWidget(self.target)
        column.addWidget(self.form, 1)
        column.addWidget(self.why)
        column.addWidget(self.start)
        self.target.currentIndexChanged.connect(self._refresh)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)

    def _complete(self, settings: SettingsT, set_name: str) -> SettingsT | None:
        """The settings with what was chosen; None where there is nothing to work on."""
        raise NotImplementedError(type(self))

    def _trouble(self) -> str:
        """Why there is nothing to work on; empty where there is something."""
        return ""

    def offer(self, sets: Sequence[str], *, can_start: bool, otherwise: int = 0) -> None:
        """Offer these sets; a chosen one stays so where it is still there, else it is the entry at `otherwise`."""
        self._can_start = can_start
        chosen = self.target.currentData()
        self.target.blockSignals(True)
        self.target.clear()
        self.target.addItem(self._own, "")
        for name in sets:
            self.target.addItem(f"Set {name}", name)
        place = self.target.findData(chosen) if chosen else -1
        self.target.setCurrentIndex(place if place >= 0 else otherwise)
        self.target.blockSignals(False)
        self._refresh()

    def find_settings(self) -> SettingsT | None:
        """The settings with what was chosen; None where there is nothing to work on, or the form is not valid."""
        settings = self.form.find_settings()
        return self._complete(settings, self.target.currentData()) if settings is not None else None

    @Slot()
    def _refresh(self) -> None:
        trouble = self._trouble()
        self.why.setText(trouble)
        self.why.setVisible(bool(trouble))
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
        self.validity_changed.emit()
