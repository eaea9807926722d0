"""What every control of a setting can do."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from synthstudio.settings.schema import SettingSpec, SettingValue


class SettingControl(QWidget):
    """Base of all controls."""

    value_changed = Signal()
    is_wide = False
    """It wants the whole width of the form, below its label."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.setAccessibleName(spec.title)

    def _fill_with(self, widget: QWidget) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(widget, 1)
        self.setFocusProxy(widget)
        widget.setAccessibleName(self.spec.title)

    @Slot()
    def _tell(self) -> None:
        self.value_changed.emit()

    def value(self) -> SettingValue:
        """The value shown."""
        raise NotImplementedError(type(self))

    def show_value(self, value: SettingValue) -> None:
        """Show a value; tells of it only where it differs from the one shown."""
        raise NotImplementedError(type(self))

    def offers(self, value: SettingValue) -> bool:
        """Whether a value can be chosen at present."""
        return True

    def problem(self) -> str:
        """What is wrong that only the control can see; empty where nothing is."""
        return ""
