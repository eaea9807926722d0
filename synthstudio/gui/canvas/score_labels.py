"""Scores beside suggestions: all numbers from 0 to 100 are drawn once, side by side, and stamped in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from synthstudio.gui.canvas.native_arrays import paint_sprites
from synthstudio.gui.canvas.suggestion_table import SuggestionTable
from synthstudio.gui.canvas.view_state import Viewport

MAX_SCORES = 600
"""With more in view the numbers would cover the image."""
LEAST_SIDE_PX = 18.0
"""Widget px: a smaller mark has no room for a number."""
N_NUMBERS = 101
_BACKING, _TEXT = QColor(16, 16, 16, 190), QColor("#FFFFFF")


class ScoreLabels:
    """Owns the picture of the numbers."""

    def __init__(self) -> None:
        self._numbers: QPixmap | None = None
        self._drawn_for: tuple[str, float] | None = None

    def paint(
        self,
        painter: QPainter,
        table: SuggestionTable,
        rows: NDArray[np.int64],
        viewport: Viewport,
        *,
        always: bool,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Paint the scores of rows over the tops of their marks, in per cent.

        Args:
            always: Also on marks that have hardly room for it: what is picked says its score.
            shift: Image px; carries marks that are being dragged.
        """
        if not rows.size:
            return
        moved = table.extents[:, rows] + np.array([*shift, *shift])[:, None]
        areas = viewport.boxes_to_widget(moved)
        if not always:
            roomy = areas[:, 2] - areas[:, 0] >= LEAST_SIDE_PX
            rows, areas = rows[roomy], areas[roomy]
        numbers = self._numbers_for(painter, viewport.dpr)
        height = numbers.height() / viewport.dpr
        places = np.stack([(areas[:, 0] + areas[:, 2]) / 2, areas[:, 1] - height / 2 - 3.0], axis=1)
        percent = np.clip(np.floor(table.scores[rows] * 100), 0, 100).astype(np.int64)
        paint_sprites(painter, places, numbers, dpr=viewport.dpr, cells=percent, n_cells=N_NUMBERS)

    def _numbers_for(self, painter: QPainter, dpr: float) -> QPixmap:
        font = QFont(painter.font())
        font.setPointSizeF(max(6.0, font.pointSizeF() * 0.8) if font.pointSizeF() > 0 else 8.0)
        wanted = (font.key(), dpr)
        if self._numbers is None or self._drawn_for != wanted:
            self._numbers, self._drawn_for = _draw_numbers(font, dpr), wanted
        return self._numbers


def _draw_numbers(font: QFont, dpr: float) -> QPixmap:
    metrics = QFontMetricsF(font)
    width, height = round((metrics.horizontalAdvance("100") + 6) * dpr), round((metrics.height() + 1) * dpr)
    pixmap = QPixmap(width * N_NUMBERS, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(dpr, dpr)
    painter.setFont(font)
    for number in range(N_NUMBERS):
        text = str(number)
        cell = QRectF(number * width / dpr, 0, width / dpr, height / dpr)
        margin = (cell.width() - metrics.horizontalAdvance(text) - 6) / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_BACKING)
        painter.drawRoundedRect(cell.adjusted(margin, 0, -margin, 0), 3, 3)
        painter.setPen(_TEXT)
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return pixmap
