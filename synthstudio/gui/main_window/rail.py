"""The workspaces, one above the other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.widgets.icons import themed_icon

PADDING_PX, NARROW_PX = 14, 44


class Rail(QFrame):
    """Signals: chosen (int, the place of the workspace)."""

    chosen = Signal(int)

    def __init__(self, entries: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[QToolButton] = []
        self._labels_shown = True
        self.setObjectName("rail")
        self._group = QButtonGroup(self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(1, 8, 1, 8)
        self._layout.setSpacing(4)
        for place, (title, icon) in enumerate(entries):
            button = _rail_button(title, icon)
            button.setCheckable(True)
            button.setToolTip(f"{title} (Ctrl+{place + 1})")
            button.clicked.connect(lambda _checked=False, place=place: self.chosen.emit(place))
            self._group.addButton(button)
            self._buttons.append(button)
            self._layout.addWidget(button)
        self._layout.addStretch()
        self.set_labels_shown(shown=True)

    def add_action(self, action: QAction) -> None:
        """Put an action at the foot of the rail."""
        button = _rail_button(action.text(), "")
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self._layout.addWidget(button)

    def set_current(self, place: int) -> None:
        """Press the button of a workspace."""
        self._buttons[place].setChecked(True)

    def set_labels_shown(self, *, shown: bool) -> None:
        """Show names below the icons, or the icons alone."""
        style = Qt.ToolButtonStyle.ToolButtonTextUnderIcon if shown else Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in self._buttons:
            button.setToolButtonStyle(style)
        self._labels_shown = shown
        self._fit_width()

    def _fit_width(self) -> None:
        for button in self._buttons:
            button.ensurePolished()  # the style sheet sets the size of its text
        font = self._buttons[0].font()
        font.setBold(True)  # as the name of the chosen one is written
        widest = max(QFontMetrics(font).horizontalAdvance(button.text()) for button in self._buttons)
        self.setFixedWidth(widest + PADDING_PX if self._labels_shown else NARROW_PX)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange and self._buttons:
            self._fit_width()


def _rail_button(title: str, icon: str) -> QToolButton:
    button = QToolButton()
    button.setText(title)
    if icon:
        button.setIcon(themed_icon(icon))
    button.setIconSize(QSize(22, 22))
    button.setProperty("rail", True)
    button.setAccessibleName(title)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
