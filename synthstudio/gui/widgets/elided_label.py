"""A line of text that gives way to an ellipsis where the room ends."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QWidget
from typing_extensions import override


class ElidedLabel(QLabel):
    """Gives way before anything beside it does; what is cut off is read in the tool tip, where it has no other.

    Args:
        mode: Which part of the text gives way.
    """

    def __init__(self, parent: QWidget | None = None, *, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        width = self.contentsRect().width()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, width)
        if self.toolTip() in {"", self.text()}:
            self.setToolTip(self.text() if shown != self.text() else "")
        painter = QPainter(self)
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            QStyle.visualAlignment(self.layoutDirection(), self.alignment()),
            self.palette(),
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )
