"""How dialogs are laid out: as large as their text wants, labels level with what they stand before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLayout, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.theme import scaled_px

MARGIN_PX, SPACING_PX = 16, 12


def wish_size(dialog: QDialog, *, width: int, height: int, window: QWidget) -> None:
    """Give a dialog a size in px of the standard text: larger with larger text, never larger than the window."""
    dialog.resize(min(scaled_px(width), window.width()), min(scaled_px(height), window.height()))


def fill_dialog(dialog: QDialog, *parts: QWidget | QLayout, save: Callable[[], object], width: int) -> None:
    """Lay out a dialog that is saved or left: its parts from top to bottom, the two buttons below them.

    Args:
        dialog: Without a layout yet.
        parts: What it asks.
        save: Called by the button, and by Enter.
        width: Least width in px of the standard text.
    """
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
    buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("primary", True)
    buttons.accepted.connect(save)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
    layout.setSpacing(SPACING_PX)
    for part in (*parts, buttons):
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    dialog.setMinimumWidth(scaled_px(width))


def hint_label(text: str) -> QLabel:
    """A quiet explanation of as many lines as it needs."""
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setWordWrap(True)
    return label


def add_row(form: QFormLayout, text: str, field: QWidget | QLayout) -> QLabel:
    """Add a row whose label stands level with the field, or with the first of several."""
    inner = field if isinstance(field, QWidget) else _first_widget(field)
    label = _RowLabel(text, inner)
    form.addRow(label, field)
    return label


def _first_widget(layout: QLayout) -> QWidget | None:
    item = layout.itemAt(0)
    return item.widget() if item is not None else None


class _RowLabel(QLabel):
    """As high as its field: a form puts labels at the top of their row otherwise."""

    def __init__(self, text: str, field: QWidget | None) -> None:
        super().__init__(text)
        self._field = field
        if field is not None:
            self.setBuddy(field)

    @override
    def sizeHint(self) -> QSize:
        return self._leveled(super().sizeHint())

    @override
    def minimumSizeHint(self) -> QSize:
        return self._leveled(super().minimumSizeHint())

    def _leveled(self, own: QSize) -> QSize:
        field_px = self._field.sizeHint().height() if self._field is not None else 0
        return QSize(own.width(), max(own.height(), field_px))
