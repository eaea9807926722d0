"""A titled part of a panel that opens and closes."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """A header that shows or hides `content`.

    Args:
        title: Text of the header.
        content: What opens and closes below it.
        is_open: Whether it starts open.
    """

    toggled = Signal(bool)

    def __init__(
        self, title: str, content: QWidget, *, is_open: bool = True, is_quiet: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.content = content
        self.header = QToolButton(self)
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setChecked(is_open)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # A header is no pressed button: the accent of a checked tool button would shout from every section.
        weight = "400" if is_quiet else "600"
        self.header.setStyleSheet(
            f"QToolButton, QToolButton:checked {{ background: transparent; color: palette(window-text); "
            f"font-weight: {weight}; text-align: left; padding: 4px 0; }}"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(content)
        self.header.toggled.connect(self._on_header_toggled)
        self._on_header_toggled(is_open)

    @property
    def is_open(self) -> bool:
        return self.header.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.header.setChecked(is_open)

    @Slot(bool)
    def _on_header_toggled(self, is_open: bool) -> None:
        self.header.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.content.setVisible(is_open)
        self.toggled.emit(is_open)
