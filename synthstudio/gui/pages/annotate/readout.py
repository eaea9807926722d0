"""Where the pointer is, in px and µm, and the colour there: a quiet line over the foot of the viewer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtWidgets import QLabel
from typing_extensions import override

from synthstudio.gui.canvas.image_view import ImageView

MARGIN_PX = 8


class Readout(QLabel):
    """Follows the pointer over a viewer; shows the zoom alone while the pointer is elsewhere.

    Args:
        view: The viewer.
        remark_at: Gives what is written about the mark under a place in image px, or nothing.
    """

    def __init__(self, view: ImageView, remark_at: Callable[[float, float], str]) -> None:
        super().__init__(view)
        self._view = view
        self._remark_at = remark_at
        self.um_per_px: float | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setObjectName("readout")
        self.setStyleSheet(
            "#readout { background: rgba(0, 0, 0, 150); color: #F0F0F0; border-radius: 3px; padding: 2px 6px; }"
        )
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        view.cursor_moved.connect(self._on_cursor_moved)
        view.cursor_left.connect(self._on_cursor_left)
        view.view_changed.connect(self._on_cursor_left)
        view.installEventFilter(self)
        self.hide()

    @Slot(float, float, object)
    def _on_cursor_moved(self, x: float, y: float, color: tuple[int, int, int] | None) -> None:
        if color is None:
            self._on_cursor_left()
            return
        place = f"{x:.0f}, {y:.0f} px"
        if self.um_per_px:
            place += f" · {x * self.um_per_px:.1f}, {y * self.um_per_px:.1f} µm"
        red, green, blue = color
        remark = self._remark_at(x, y)
        self._say(f"{place} · {red} {green} {blue} · {self._zoom()}" + (f"\n{remark}" if remark else ""))

    @Slot()
    def _on_cursor_left(self) -> None:
        self._say(self._zoom())

    def _zoom(self) -> str:
        return f"{self._view.viewport.device_scale:.0%}"

    def _say(self, text: str) -> None:
        self.setText(text)
        self.setVisible(self._view.pyramid is not None)
        self.adjustSize()
        self._place()

    def _place(self) -> None:
        # The scale bar is at the left of the foot, the minimap at its right.
        self.move((self._view.width() - self.width()) // 2, self._view.height() - self.height() - MARGIN_PX)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)
