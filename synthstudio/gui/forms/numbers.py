"""Numbers: a box with the unit in it and, where the range is bounded, a slider beside it."""

from __future__ import annotations

import math

from PySide6.QtCore import QLocale, QSignalBlocker, Qt, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QSpinBox, QWidget
from typing_extensions import override

from synthstudio.gui.forms.setting_control import SettingControl
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.schema import SettingSpec, SettingValue

SLIDER_STEPS = 1000
SLIDER_MAX_SPAN = 10_000.0
"""Beyond this a slider cannot hit a value: a seed, a number of images."""
CURVED_SPAN = 100.0
"""Above this the slider gives its lower half to the lowest quarter, where most useful values lie."""
LONGEST_SUFFIX = 4
LARGEST_INT = 2**31 - 1
FLOAT_DECIMALS = 10
USUAL_NUMBER = "0000 px"
BOX_FRAME_PX = 48
"""Padding and arrows of a box."""


class _FloatBox(QDoubleSpinBox):
    """Shows a number as a person writes it (0.15, 1e-05), without trailing zeros."""

    @override
    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"

    @override
    def valueFromText(self, text: str) -> float:
        try:
            return float(text.removesuffix(self.suffix()).strip())
        except ValueError:
            return self.value()

    @override
    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        plain = text.removesuffix(self.suffix()).strip()
        try:
            number = float(plain)
        except ValueError:
            is_begun = all(char in "+-.eE0123456789" for char in plain)
            return (QValidator.State.Intermediate if is_begun else QValidator.State.Invalid), text, position
        is_within = math.isfinite(number) and self.minimum() <= number <= self.maximum()
        return (QValidator.State.Acceptable if is_within else QValidator.State.Intermediate), text, position


class NumberControl(SettingControl):
    """An int or a float."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        holder = QWidget(self)
        self.box: QSpinBox | QDoubleSpinBox = _int_box(spec, holder) if spec.kind == "int" else _float_box(spec, holder)
        self.box.setLocale(QLocale(QLocale.Language.C))
        self.box.setKeyboardTracking(False)
        if 0 < len(spec.unit) <= LONGEST_SUFFIX:
            self.box.setSuffix(f" {spec.unit}")
        if spec.zero and self.box.minimum() == 0:
            self.box.setSpecialValueText(spec.zero)
        guard_wheel(self.box)
        inset_number(self.box)
        self.slider = _build_slider(spec, holder)
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        if self.slider is not None:
            layout.addWidget(self.slider, 1)
            self.box.setFixedWidth(self._box_width_px())
            self.slider.valueChanged.connect(self._on_slider_changed)
        else:
            # Its hint makes room for the largest number there is, and would push the labels of its row aside.
            self.box.setMinimumWidth(self._box_width_px())
        layout.addWidget(self.box, 0 if self.slider is not None else 1)
        self._fill_with(holder)
        self.setFocusProxy(self.box)
        self.box.setAccessibleName(spec.title)
        self.box.valueChanged.connect(self._on_box_changed)
        self._on_box_changed()

    def _box_width_px(self) -> int:
        """As wide as most, so that sliders end alike; wider where its own words need it."""
        numbers = [USUAL_NUMBER, self.box.specialValueText()]
        if self.slider is not None:
            largest = "0.000" if self.spec.kind == "float" else f"{self.box.maximum():.0f}"
            numbers.append(largest + self.box.suffix())
        return max(self.fontMetrics().horizontalAdvance(each) for each in numbers) + BOX_FRAME_PX

    @override
    def value(self) -> SettingValue:
        return self.box.value()

    @override
    def show_value(self, value: SettingValue) -> None:
        if isinstance(self.box, QSpinBox):
            self.box.setValue(int(float(str(value))))
        else:
            self.box.setValue(float(str(value)))

    @Slot()
    def _on_box_changed(self) -> None:
        if self.slider is not None:
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(SLIDER_STEPS * self._to_share(float(self.box.value()))))
        self._tell()

    @Slot(int)
    def _on_slider_changed(self, position: int) -> None:
        value = self._from_share(position / SLIDER_STEPS)
        if isinstance(self.box, QSpinBox):
            self.box.setValue(round(value))
        else:
            self.box.setValue(round(value / self.box.singleStep()) * self.box.singleStep())

    def _limits(self) -> tuple[float, float]:
        return float(self.box.minimum()), float(self.box.maximum())

    def _to_share(self, value: float) -> float:
        low, high = self._limits()
        share = (value - low) / (high - low)
        return math.sqrt(share) if high - low > CURVED_SPAN else share

    def _from_share(self, share: float) -> float:
        low, high = self._limits()
        return low + (high - low) * (share * share if high - low > CURVED_SPAN else share)


def _int_box(spec: SettingSpec, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(
        int(max(-LARGEST_INT, spec.minimum if spec.minimum is not None else -LARGEST_INT)),
        int(min(LARGEST_INT, spec.maximum if spec.maximum is not None else LARGEST_INT)),
    )
    return box


def _float_box(spec: SettingSpec, parent: QWidget) -> QDoubleSpinBox:
    box = _FloatBox(parent)
    box.setDecimals(FLOAT_DECIMALS)
    low = spec.minimum if spec.minimum is not None else -1e12
    high = spec.maximum if spec.maximum is not None else 1e12
    box.setRange(low, high)
    default = float(spec.default) if isinstance(spec.default, int | float) else 0.0
    if 0 < abs(default) < 0.01:  # rates span decades: one step is a tenth of the leading digit's place
        box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    span = high - low
    box.setSingleStep(0.01 if span <= 2 else 0.1 if span <= 20 else 0.5 if span <= 100 else 1.0)
    return box


def _build_slider(spec: SettingSpec, parent: QWidget) -> QSlider | None:
    if spec.minimum is None or spec.maximum is None:
        return None
    default = float(spec.default) if isinstance(spec.default, int | float) else 0.0
    is_fine = spec.kind == "float" and 0 < abs(default) < 0.01
    if not 0 < spec.maximum - spec.minimum <= SLIDER_MAX_SPAN or is_fine:
        return None
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(0, SLIDER_STEPS)
    slider.setPageStep(SLIDER_STEPS // 10)
    slider.setSingleStep(max(1, SLIDER_STEPS // 100))
    slider.setMinimumWidth(40)
    slider.setAccessibleName(spec.title)
    guard_wheel(slider)
    return slider
