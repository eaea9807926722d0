"""One row of a form: label, control, mark of a changed value with its reset, and the place for an error."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget
from typing_extensions import override

from synthstudio.gui.forms.numbers import LONGEST_SUFFIX
from synthstudio.gui.forms.setting_control import SettingControl
from synthstudio.gui.theme import GRID_PX
from synthstudio.settings.schema import SettingSpec, SettingValue

LABEL_SHARE, CONTROL_SHARE = 2, 3
RESET_WIDTH_PX = 20
NARROW_LABEL_PX = 80
"""Of a row that has a button more."""


class SettingRow(QWidget):
    """A setting in a form.

    Args:
        spec: The setting.
        build: Makes its control as a child of the row: a widget that changes its parent is styled anew.
        parent: Where it stands.
        default: What it begins with and is set back to: another value is marked as changed.
    """

    value_changed = Signal()
    help_requested = Signal(object)

    def __init__(
        self,
        spec: SettingSpec,
        build: Callable[[QWidget], SettingControl],
        parent: QWidget | None = None,
        *,
        default: SettingValue,
    ) -> None:
        super().__init__(parent)
        self.spec = spec
        self.default = default
        self.control = control = build(self)
        self.label = QLabel(spec.title, self)
        self.label.setBuddy(control)
        self.label.setWordWrap(True)
        self.reset = QToolButton(self)
        self.reset.setText("\u21ba")
        self.reset.setFixedSize(RESET_WIDTH_PX, RESET_WIDTH_PX)
        self.reset.setProperty("reset", True)
        self.reset.setAccessibleName(f"Reset {spec.title}")
        self._buttons = QHBoxLayout()
        self.error = QLabel(self)
        self.error.setProperty("danger", True)
        self.error.setProperty("small", True)
        self.error.setWordWrap(True)
        self.error.hide()
        self._lay_out()
        self.help = _help_text(spec, default)
        for widget in (self.label, control):
            widget.setToolTip(self.help)
        control.show_value(default)
        control.value_changed.connect(self._on_control_value_changed)
        self.reset.clicked.connect(self._on_reset_clicked)
        self._mark()

    def _lay_out(self) -> None:
        # The reset keeps its place when it is hidden: nothing jumps when a value changes.
        policy = QSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, GRID_PX // 2, 0, GRID_PX // 2)
        layout.setHorizontalSpacing(2 * GRID_PX)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(0, LABEL_SHARE)
        layout.setColumnStretch(1, CONTROL_SHARE)
        layout.addWidget(self.label, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        if self.control.is_wide:
            layout.addWidget(self.control, 1, 0, 1, 3)
        else:
            layout.addWidget(self.control, 0, 1)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(0)
        self._buttons.addWidget(self.reset)
        layout.addLayout(self._buttons, 0, 2)
        layout.addWidget(self.error, 2, 0, 1, 3)
        self.label.setMinimumWidth(96)

    def add_button(self, button: QToolButton) -> None:
        """Put a small button of the caller's behind the setting."""
        button.setFixedSize(RESET_WIDTH_PX, RESET_WIDTH_PX)
        button.setProperty("reset", True)
        self.label.setMinimumWidth(NARROW_LABEL_PX)
        self._buttons.insertWidget(0, button)

    def show_error(self, message: str) -> None:
        """Show what is wrong with the value; an empty message clears it."""
        self.error.setText(message)
        self.error.setVisible(bool(message))
        for child in (self.control, *self.control.findChildren(QWidget)):
            if bool(child.property("invalid")) != bool(message):
                child.setProperty("invalid", bool(message))
                child.style().unpolish(child)
                child.style().polish(child)

    def is_changed(self) -> bool:
        """Tell whether the value differs from a default that can be gone back to."""
        return self.control.value() != self.default and self.control.offers(self.default)

    def _mark(self) -> None:
        is_changed = self.is_changed()
        self.reset.setVisible(is_changed)
        self.reset.setToolTip(f"Back to the default, {_default_words(self.spec, self.default)}")
        if bool(self.label.property("changed")) != is_changed:
            self.label.setProperty("changed", is_changed)
            self.label.style().unpolish(self.label)
            self.label.style().polish(self.label)

    @Slot()
    def _on_control_value_changed(self) -> None:
        self._mark()
        self.value_changed.emit()

    @Slot()
    def _on_reset_clicked(self) -> None:
        self.control.show_value(self.default)

    @override
    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.help_requested.emit(self)


def shown_value(value: SettingValue) -> str:
    """A value in words."""
    match value:
        case None:
            return "not set"
        case bool():
            return "on" if value else "off"
        case tuple():
            return ", ".join(str(each) for each in value) or "all"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _default_words(spec: SettingSpec, default: SettingValue) -> str:
    """An empty list of names stands for all of them; other empty values for nothing."""
    return "none" if default in ("", ()) and spec.kind != "list" else shown_value(default)


def _help_text(spec: SettingSpec, default: SettingValue) -> str:
    """Help, unit, range and default of a setting in a few sentences."""
    parts = [spec.help] if spec.help else []
    unit = f" {spec.unit}" if spec.unit else ""
    if spec.minimum is not None and spec.maximum is not None:
        parts.append(f"Range {spec.minimum:.10g} to {spec.maximum:.10g}{unit}.")
    elif spec.minimum is not None:
        parts.append(f"At least {spec.minimum:.10g}{unit}.")
    elif len(spec.unit) > LONGEST_SUFFIX:
        parts.append(f"In {spec.unit}.")
    parts.append(f"Default: {_default_words(spec, default)}.")
    return " ".join(parts)
