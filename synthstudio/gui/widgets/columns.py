"""How panels are laid out that hold one column, or what stands in its place while there is nothing to show."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from synthstudio.gui.theme import GRID_PX


def panel_column(content: QWidget) -> QVBoxLayout:
    """Lay a column into the content of a panel, with the room around it that all panels have."""
    column = QVBoxLayout(content)
    column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
    column.setSpacing(2 * GRID_PX)
    return column


def fill_with_pages(panel: QWidget, stack: QStackedWidget, *pages: QWidget) -> None:
    """Lay a stack of these pages over the whole panel."""
    for page in pages:
        stack.addWidget(page)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(stack)
