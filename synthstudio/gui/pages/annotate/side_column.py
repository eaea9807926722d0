"""The column beside the viewer: sections that fold, one of which takes the room that is left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.section import Section

MIN_WIDTH_PX = 184


class SideColumn(QScrollArea):
    """Scrolls where the sections are higher than the window.

    Args:
        sections: From top to bottom.
        growing: The one among them that grows.
    """

    def __init__(self, sections: Sequence[Section], *, growing: Section) -> None:
        super().__init__()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        for section in sections:
            column.addWidget(section, 1 if section is growing else 0)
        column.addStretch(0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)
        self.setMinimumWidth(scaled_px(MIN_WIDTH_PX))
        inner.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Sections that need more room get it: what lies beyond the edge cannot be scrolled to."""
        if event.type() is QEvent.Type.LayoutRequest and isinstance(watched, QWidget) and watched is self.widget():
            needed = watched.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(scaled_px(MIN_WIDTH_PX), needed))
        return super().eventFilter(watched, event)
