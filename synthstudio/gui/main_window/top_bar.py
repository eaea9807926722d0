"""The line over everything: menus, where one is, the tools of the page, and the search."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.icons import themed_icon

HEIGHT_PX = 36
SEARCH_TEXT = "Search or do anything"


class TopBar(QFrame):
    """Signals: search_requested."""

    search_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self.setFixedHeight(scaled_px(HEIGHT_PX))
        self.menu_button = QToolButton()
        self.menu_button.setIcon(themed_icon("mdi6.menu"))
        self.menu_button.setIconSize(QSize(20, 20))
        self.menu_button.setToolTip("Menu (Alt+M)")
        self.menu_button.setShortcut("Alt+M")
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.project = QLabel()
        self.project.setProperty("heading", True)
        self.project.setTextFormat(Qt.TextFormat.PlainText)
        self.breadcrumb = QLabel()
        self.breadcrumb.setProperty("muted", True)
        self.breadcrumb.setTextFormat(Qt.TextFormat.PlainText)
        self.breadcrumb.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.search = QPushButton(SEARCH_TEXT)
        self.search.setIcon(themed_icon("mdi6.magnify"))
        self.search.setToolTip("Find any action or field")
        self.search.clicked.connect(self.search_requested)
        self._tools = QHBoxLayout()
        self._tools.setSpacing(2)
        self._tool_buttons: list[QToolButton] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(12)
        layout.addWidget(self.menu_button)
        layout.addWidget(self.project)
        layout.addWidget(self.breadcrumb, 1)
        layout.addLayout(self._tools)
        layout.addWidget(self.search)

    def set_search_key(self, key: str) -> None:
        """Say which key opens the search."""
        self.search.setText(f"{SEARCH_TEXT}   {key}".strip())

    def set_menu(self, menu: QMenu) -> None:
        """Hang the menus under the menu button."""
        self.menu_button.setMenu(menu)

    def set_place(self, project: str, breadcrumb: str) -> None:
        """Say which project and which FOV is shown."""
        self.project.setText(project)
        self.breadcrumb.setText(breadcrumb)
        self.breadcrumb.setToolTip(breadcrumb)

    def set_tools(self, buttons: Sequence[QToolButton]) -> None:
        """Show the tools of another page."""
        for button in self._tool_buttons:
            self._tools.removeWidget(button)
            button.deleteLater()
        self._tool_buttons = list(buttons)
        for button in buttons:
            button.setIconSize(QSize(20, 20))
            self._tools.addWidget(button)
