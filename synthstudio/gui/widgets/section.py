"""A titled part of a side panel that folds away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from synthstudio.gui.widgets.icons import themed_icon


class Section(QWidget):
    """A heading with a fold button and a place for small buttons, and a body below.

    Args:
        title: The heading.
        body: What stands below; by default an empty widget that the caller fills, which is faster for a large one.

    Signals:
        folded_changed: (is folded)
    """

    folded_changed = Signal(bool)

    def __init__(self, title: str, body: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = body = body if body is not None else QWidget(self)
        self.fold_button = QToolButton(self)
        self.fold_button.setText(title)
        self.fold_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold_button.setIconSize(QSize(14, 14))
        self.fold_button.setToolTip(f"Show or hide {title.lower()}")
        self.fold_button.clicked.connect(lambda: self.set_folded(not self.is_folded))
        self.detail = QLabel(self)
        self.detail.setProperty("muted", True)
        self.header = QHBoxLayout()
        self.header.setContentsMargins(4, 4, 4, 0)
        self.header.setSpacing(4)
        self.header.addWidget(self.fold_button)
        self.header.addStretch()
        self.header.addWidget(self.detail)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(4)
        layout.addLayout(self.header)
        layout.addWidget(body, 1)
        self.set_folded(False)

    @property
    def is_folded(self) -> bool:
        return self.body.isHidden()

    def set_folded(self, folded: bool) -> None:
        """Show only the heading, or all."""
        self.body.setVisible(not folded)
        self.fold_button.setIcon(themed_icon("mdi6.chevron-right" if folded else "mdi6.chevron-down"))
        self.folded_changed.emit(folded)
