"""What a place without content says: what will be here, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.widgets.icons import themed_icon

ICON_PX = 48
TEXT_WIDTH_PX = 440


class EmptyState(QWidget):
    """An icon, a heading, a paragraph and the buttons of the next steps, in the middle.

    Args:
        icon: Name of the icon.
        actions: The next steps; the first one is the primary button.
    """

    def __init__(
        self, icon: str, heading: str, text: str, *, actions: Sequence[QAction] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.picture = QLabel()
        self.picture.setPixmap(themed_icon(icon).pixmap(QSize(ICON_PX, ICON_PX)))
        self.heading = QLabel(heading)
        self.heading.setProperty("heading", True)
        self.text = QLabel(text)
        self.text.setProperty("muted", True)
        self.text.setWordWrap(True)
        self.text.setFixedWidth(TEXT_WIDTH_PX)
        self.text.ensurePolished()
        self.text.setMinimumHeight(self.text.heightForWidth(TEXT_WIDTH_PX))
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.body = QVBoxLayout()
        self.body.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        for widget in (self.picture, self.heading, self.text):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(_button_row(actions))
        layout.addLayout(self.body)
        layout.addStretch(3)


def _button_row(actions: Sequence[QAction]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addStretch()
    for index, action in enumerate(actions):
        row.addWidget(ActionButton(action, is_primary=index == 0))
    row.addStretch()
    return row


class ActionButton(QPushButton):
    """A push button that triggers an action and follows its text and state."""

    def __init__(self, action: QAction, *, is_primary: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self.setProperty("primary", is_primary)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._on_action_changed)
        self._on_action_changed()

    @Slot()
    def _on_action_changed(self) -> None:
        self.setEnabled(self._action.isEnabled())
        self.setText(self._action.text())
        self.setToolTip(self._action.toolTip())
