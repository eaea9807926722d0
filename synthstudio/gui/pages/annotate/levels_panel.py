"""How the image is shown: black and white point, gamma, negative, single channels."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from synthstudio.core.imaging import Channel, Histogram, Levels
from synthstudio.gui.widgets.histogram_plot import HistogramPlot
from synthstudio.gui.widgets.inset import inset_number

CHANNEL_TEXTS = {
    Channel.ALL: "all colours",
    Channel.RED: "red",
    Channel.GREEN: "green",
    Channel.BLUE: "blue",
    Channel.LUMINANCE: "luminance",
}
MIN_GAMMA, MAX_GAMMA = 0.1, 10.0


class LevelsPanel(QWidget):
    """Signals: levels_chosen (Levels), auto_requested, lock_chosen (bool)."""

    levels_chosen = Signal(object)
    auto_requested = Signal()
    lock_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels = Levels()
        self._full_scale = 255
        self.plot = HistogramPlot()
        self.black, self.white, self.gamma = QSpinBox(), QSpinBox(), QDoubleSpinBox()
        self.channel = QComboBox()
        self.invert = QCheckBox("Negative")
        self.lock = QCheckBox("Same for all images")
        self.auto, self.reset = QPushButton("Auto"), QPushButton("Reset")
        self.words = QLabel("Changes only what you see. Images, patches and trainings stay as they are.")
        self._set_up()
        self._lay_out()
        self._connect()
        self.set_levels(Levels())

    def _set_up(self) -> None:
        for number, tip in (
            (self.black, "Sample value that is shown as black"),
            (self.white, "Sample value that is shown as white"),
            (self.gamma, "More than 1 lightens the middle tones, 0.1 to 10"),
        ):
            inset_number(number)
            number.setToolTip(tip)
            number.setKeyboardTracking(False)
            number.setMinimumWidth(72)
        self.gamma.setRange(MIN_GAMMA, MAX_GAMMA)
        self.gamma.setSingleStep(0.1)
        self.gamma.setValue(1.0)
        for channel, text in CHANNEL_TEXTS.items():
            self.channel.addItem(text, channel.value)
        self.channel.setMinimumWidth(72)
        self.channel.setToolTip("One channel alone is shown as grey")
        self.auto.setToolTip("Stretch between the darkest and the brightest thousandth of this image")
        self.reset.setToolTip("Show the image as it is")
        self.lock.setToolTip("These levels for every image, so that brightness can be compared")
        self.words.setProperty("muted", True)
        self.words.setWordWrap(True)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(8)
        for text, widget in (
            ("Black", self.black),
            ("White", self.white),
            ("Gamma", self.gamma),
            ("Show", self.channel),
        ):
            form.addRow(text, widget)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.auto)
        buttons.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.plot)
        layout.addLayout(form)
        for check in (self.invert, self.lock):
            layout.addWidget(check)
        layout.addLayout(buttons)
        layout.addWidget(self.words)

    def _connect(self) -> None:
        self.plot.range_dragged.connect(lambda black, white: self._choose(black=black, white=white))
        self.black.valueChanged.connect(self._on_black_changed)
        self.white.valueChanged.connect(self._on_white_changed)
        self.gamma.valueChanged.connect(lambda value: self._choose(gamma=value))
        self.channel.activated.connect(lambda: self._choose(channel=Channel(self.channel.currentData())))
        self.invert.clicked.connect(lambda checked: self._choose(is_inverted=checked))
        self.lock.clicked.connect(self.lock_chosen)
        self.auto.clicked.connect(self.auto_requested)
        self.reset.clicked.connect(lambda: self.levels_chosen.emit(Levels()))

    def _on_black_changed(self, value: int) -> None:
        black = value / self._full_scale
        self._choose(black=black, white=max(self._levels.white, min(1.0, black + 1 / self._full_scale)))

    def _on_white_changed(self, value: int) -> None:
        white = value / self._full_scale
        self._choose(white=white, black=min(self._levels.black, max(0.0, white - 1 / self._full_scale)))

    def _choose(self, **changed: object) -> None:
        self.levels_chosen.emit(dataclasses.replace(self._levels, **changed))  # type: ignore[arg-type]  # by field name

    def set_levels(self, levels: Levels) -> None:
        """Show these levels."""
        self._levels = levels
        self.plot.set_range(levels.black, levels.white)
        for number, value in (
            (self.black, round(levels.black * self._full_scale)),
            (self.white, round(levels.white * self._full_scale)),
        ):
            number.blockSignals(True)
            number.setRange(0, self._full_scale)
            number.setValue(value)
            number.blockSignals(False)
        self.gamma.blockSignals(True)
        self.gamma.setValue(levels.gamma)
        self.gamma.blockSignals(False)
        self.channel.setCurrentIndex(self.channel.findData(levels.channel.value))
        self.invert.setChecked(levels.is_inverted)
        self.reset.setEnabled(not levels.is_neutral)

    def set_histogram(self, histogram: Histogram | None) -> None:
        """Show the counts of another image; None while they are not known."""
        self.plot.set_histogram(histogram)
        if histogram is not None and histogram.full_scale != self._full_scale:
            self._full_scale = histogram.full_scale
            self.set_levels(self._levels)

    def set_locked(self, *, locked: bool) -> None:
        """Show whether the levels are those of all images."""
        self.lock.setChecked(locked)
