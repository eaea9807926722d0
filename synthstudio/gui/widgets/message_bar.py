"""One notice at a time over the foot of a window: it takes no focus and moves nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget
from typing_extensions import override

from synthstudio.gui.theme import Theme, current_theme
from synthstudio.gui.widgets.icons import themed_icon

MARGIN_PX = 12
MAX_WIDTH_PX = 760
INFO_SHOWN_MS = 8000
"""What only informs goes by itself; a warning or an error stays until it was read."""

_ICONS = {"info": "mdi6.information-outline", "warning": "mdi6.alert-outline", "error": "mdi6.alert-circle-outline"}


class MessageBar(QFrame):
    """Floats over its parent, above its lowest `foot_px`: at the top it would lie on tabs and buttons."""

    def __init__(self, parent: QWidget, *, foot_px: int = 0) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self._foot_px = foot_px
        self._window = parent
        self._action: Callable[[], None] | None = None
        self._severity = "error"
        self._dressed: tuple[Theme, str] | None = None
        self.picture = QLabel()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action_button = QPushButton()
        self.action_button.hide()
        self.action_button.clicked.connect(self._on_action_clicked)
        self.close_button = QToolButton()
        self.close_button.setIcon(themed_icon("mdi6.close"))
        self.close_button.setToolTip("Close this message")
        self.close_button.setAccessibleName("Close this message")
        self.close_button.clicked.connect(self.hide)
        layout = self._row = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(12)
        layout.addWidget(self.picture, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.action_button, alignment=Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.close_button, alignment=Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(INFO_SHOWN_MS)
        self._timer.timeout.connect(self._on_timeout)
        self._dress()
        self.hide()
        parent.installEventFilter(self)

    def show_message(
        self,
        message: str,
        hint: str = "",
        *,
        severity: str = "error",
        action_text: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        """Show a message in place of the former one. `severity`: info, warning or error."""
        self._severity = severity
        self._action = action
        self.label.setText(f"{message}\n{hint}" if hint else message)
        self.action_button.setText(action_text)
        self.action_button.setVisible(action is not None)
        self._dress()
        self._place()
        self.show()
        self.raise_()
        if severity == "info" and action is None:
            self._timer.start()
        else:
            self._timer.stop()

    def _on_timeout(self) -> None:
        if self.underMouse():
            self._timer.start()  # it is being read
        else:
            self.hide()

    @property
    def text(self) -> str:
        """What is shown, or "" while nothing is."""
        return self.label.text() if self.isVisible() else ""

    def _dress(self) -> None:
        theme = current_theme()
        if (theme, self._severity) == self._dressed:
            return  # setting a style sheet is itself a change of palette
        self._dressed = (theme, self._severity)
        edge = {"info": theme.accent, "warning": theme.warning, "error": theme.danger}[self._severity]
        self.picture.setPixmap(themed_icon(_ICONS[self._severity], edge).pixmap(QSize(20, 20)))
        self.setStyleSheet(
            f"#messageBar {{ background: {theme.raised}; border: 1px solid {theme.border_strong};"
            f" border-left: 4px solid {edge}; border-radius: 4px; }}"
        )
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(16)
        shadow.setOffset(0, 2)
        self.setGraphicsEffect(shadow)

    def _place(self) -> None:
        parent = self._window
        width = min(MAX_WIDTH_PX, parent.width() - 2 * MARGIN_PX)
        height = max(self._row.heightForWidth(width), 44)
        top = parent.height() - self._foot_px - MARGIN_PX - height
        self.setGeometry((parent.width() - width) // 2, top, width, height)

    def _on_action_clicked(self) -> None:
        action, self._action = self._action, None
        self.hide()
        if action is not None:
            action()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.isVisible():
            self._dress()
