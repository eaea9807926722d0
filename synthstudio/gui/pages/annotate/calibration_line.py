"""Lends the hand the tool that draws a line over a scale bar."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from synthstudio.gui.canvas.drafts import ToolName
from synthstudio.gui.canvas.fov_view import FovView


class CalibrationLine(QObject):
    """The tool goes back to what it was as soon as the line is drawn."""

    def __init__(self, view: FovView, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._tool_before: ToolName = "center"
        view.calibration_drawn.connect(self._on_calibration_drawn)

    def start(self) -> None:
        """Let the user draw a line over a scale bar."""
        if self._view.tool != "calibrate":
            self._tool_before = self._view.tool
        self._view.set_tool("calibrate")

    @Slot(float)
    def _on_calibration_drawn(self, _length_px: float) -> None:
        self._view.set_tool(self._tool_before)
