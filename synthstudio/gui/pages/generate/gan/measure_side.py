"""What a measurement is told: what is measured, against what, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.domain.records import Run
from synthstudio.gui.forms import SettingsForm
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.measure import MeasureSettings

GAN_WORDS = "The GAN chosen above"


class MeasureSide(QFrame):
    """The choice between the GAN and a set, the form, and Start.

    Signals:
        start_requested: Measure with the settings of the form.
        validity_changed: Starting may be possible now, or no longer.
    """

    start_requested = Signal()
    validity_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._can_start = False
        label = QLabel("Measure", self)
        self.target = QComboBox(self)
        self.target.setAccessibleName("What is measured")
        self.target.addItem(GAN_WORDS, "")
        label.setBuddy(self.target)
        self.form = SettingsForm(MeasureSettings, hidden=("set_name", "run"), parent=self)
        self.why = WrappedLabel("muted", self)
        self.start = QPushButton("Measure", self)
        self.start.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        for widget in (label, self.target):
            column.addWidget(widget)
        column.addWidget(self.form, 1)
        column.addWidget(self.why)
        column.addWidget(self.start)
        self.target.currentIndexChanged.connect(self._refresh)
        self.form.validity_changed.connect(self._refresh)
        self.start.clicked.connect(self.start_requested)
        self._refresh()

    def fit(self, *, run: Run | None, sets: Sequence[str], can_start: bool) -> None:
        """Offer the GAN and these sets; what is chosen stays so where it is still there."""
        self._run, self._can_start = run, can_start
        chosen = self.target.currentData()
        self.target.blockSignals(True)
        self.target.clear()
        self.target.addItem(GAN_WORDS, "")
        for name in sets:
            self.target.addItem(f"Set {name}", name)
        place = self.target.findData(chosen)
        self.target.setCurrentIndex(place if place >= 0 else int(run is None and bool(sets)))
        self.target.blockSignals(False)
        self._refresh()

    def find_settings(self) -> MeasureSettings | None:
        """The settings, with what is measured; None where there is nothing, or the form is not valid."""
        settings, name = self.form.find_settings(), self.target.currentData()
        if settings is None or not (name or self._run is not None):
            return None
        run = "" if name or self._run is None else self._run.id
        return settings.model_copy(update={"set_name": name, "run": run})

    @Slot()
    def _refresh(self) -> None:
        has_target = bool(self.target.currentData()) or self._run is not None
        self.why.setText("" if has_target else "Train a GAN or write a set first: there is nothing to measure yet.")
        self.why.setVisible(not has_target)
        self.start.setEnabled(self._can_start and self.find_settings() is not None)
        self.validity_changed.emit()
