"""Class names with their colours and a figure, in one line that wraps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QLabel, QWidget


@dataclass(frozen=True, slots=True)
class Chip:
    """One entry: colour, name, and what is said about it."""

    color: str
    name: str
    text: str = ""


class ClassChips(QLabel):
    """Shows chips."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.chips: tuple[Chip, ...] = ()

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show these."""
        self.chips = tuple(chips)
        self.setText("&nbsp;&nbsp;&nbsp; ".join(_html(chip) for chip in chips))


def color_icon(color: str) -> QIcon:
    """A square of a class's colour that stays the same where its row is selected."""
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(color))
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Active):
        icon.addPixmap(pixmap, mode)
    return icon


def _html(chip: Chip) -> str:
    words = f"{escape(chip.name)}&nbsp;{escape(chip.text).replace(' ', '&nbsp;')}" if chip.text else escape(chip.name)
    return f'<span style="color:{chip.color}">■</span>&nbsp;{words}'
