"""Truth against answers as a matrix of counts whose cells can be chosen."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from synthstudio.gui.theme import GRID_PX, current_theme
from synthstudio.gui.widgets.exporting import draw_svg, popup_exports

MIN_CELL_PX, MAX_CELL_PX = 34, 120
FULL_ALPHA = 170
"""Opacity of a cell that holds its whole row, of 255: the figure on it stays legible in both themes."""


@dataclass(frozen=True, slots=True)
class MatrixCounts:
    """What a matrix shows: rows are the truth, columns the answers.

    Attributes:
        totals: Of each row; less than its sum where what is in a row may have several answers.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]

    def share(self, row: int, column: int) -> float | None:
        """Of a cell in its row; None where the row is empty."""
        return self.counts[row][column] / self.totals[row] if self.totals[row] else None


class ConfusionMatrix(QWidget):
    """Click a cell, or walk with the arrow keys and press Enter, to see what lies behind it.

    Signals:
        cell_chosen: (row, column)
    """

    cell_chosen = Signal(int, int)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.matrix = MatrixCounts((), (), (), ())
        self.is_normalized = False
        self.chosen: tuple[int, int] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)
        self.setToolTip("Rows: truth. Columns: answer. A click on a cell shows the crops behind it.")

    def set_matrix(self, matrix: MatrixCounts) -> None:
        """Show other counts; nothing is chosen then, unless the cells are the same."""
        if (matrix.rows, matrix.columns) != (self.matrix.rows, self.matrix.columns):
            self.chosen = None
        self.matrix = matrix
        self.updateGeometry()
        self.update()

    def set_normalized(self, is_normalized: bool) -> None:
        """Show shares of the rows instead of counts."""
        self.is_normalized = is_normalized
        self.update()

    def choose(self, row: int, column: int) -> None:
        """Choose a cell as a click would."""
        if row < len(self.matrix.rows) and column < len(self.matrix.columns):
            self.chosen = row, column
            self.update()
            self.cell_chosen.emit(row, column)

    def cell_text(self, row: int, column: int) -> str:
        """The figure of a cell as it is shown."""
        if not self.is_normalized:
            return f"{self.matrix.counts[row][column]:,}"
        share = self.matrix.share(row, column)
        return "n/a" if share is None else f"{share:.0%}" if share in (0.0, 1.0) else f"{share:.1%}"

    # Geometry

    @override
    def sizeHint(self) -> QSize:
        side = 2 * MIN_CELL_PX
        n_rows, n_columns = max(1, len(self.matrix.rows)), max(1, len(self.matrix.columns))
        return QSize(self._label_width() + n_columns * side, self._head_height() + n_rows * side)

    @override
    def minimumSizeHint(self) -> QSize:
        n_rows, n_columns = max(1, len(self.matrix.rows)), max(1, len(self.matrix.columns))
        return QSize(self._label_width() + n_columns * MIN_CELL_PX, self._head_height() + n_rows * MIN_CELL_PX)

    def _label_width(self) -> int:
        metrics = self.fontMetrics()
        return max((metrics.horizontalAdvance(name) for name in (*self.matrix.rows, "Truth")), default=0) + 3 * GRID_PX

    def _head_height(self) -> int:
        return 2 * self.fontMetrics().height() + 2 * GRID_PX

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is drawn, in px of the widget."""
        left, top = self._label_width(), self._head_height()
        n_rows, n_columns = max(1, len(self.matrix.rows)), max(1, len(self.matrix.columns))
        width = min((self.width() - left - 1) / n_columns, 1.6 * MAX_CELL_PX)
        height = min((self.height() - top - 1) / n_rows, MAX_CELL_PX)
        return QRectF(left + column * width, top + row * height, width, height)

    def cell_at(self, position: QPoint) -> tuple[int, int] | None:
        """The cell under a point of the widget."""
        return next(
            (
                (row, column)
                for row in range(len(self.matrix.rows))
                for column in range(len(self.matrix.columns))
                if self.cell_rect(row, column).contains(position)
            ),
            None,
        )

    # Painting

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(self.font())
            self._paint_heads(painter)
            for row in range(len(self.matrix.rows)):
                for column in range(len(self.matrix.columns)):
                    self._paint_cell(painter, row, column)
            if self.chosen is not None:
                color = QColor(current_theme().accent if self.hasFocus() else current_theme().text_muted)
                painter.setPen(QPen(color, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.cell_rect(*self.chosen).adjusted(1, 1, -1, -1))

    def _paint_heads(self, painter: QPainter) -> None:
        theme, height = current_theme(), self.fontMetrics().height()
        painter.setPen(QColor(theme.text_muted))
        if not self.matrix.columns:
            return
        last = self.cell_rect(0, len(self.matrix.columns) - 1)
        across = QRectF(self._label_width(), 0, last.right() - self._label_width(), height)
        painter.drawText(across, Qt.AlignmentFlag.AlignCenter, "Answer")
        painter.drawText(QRectF(0, height, self._label_width(), height), Qt.AlignmentFlag.AlignLeft, "Truth")
        painter.setPen(QColor(theme.text))
        for column, name in enumerate(self.matrix.columns):
            cell = self.cell_rect(0, column)
            box = QRectF(cell.x(), height, cell.width(), height)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._elided(name, cell.width()))
        for row, name in enumerate(self.matrix.rows):
            cell = self.cell_rect(row, 0)
            box = QRectF(0, cell.y(), self._label_width() - 2 * GRID_PX, cell.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)

    def _elided(self, name: str, width: float) -> str:
        return self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(width) - 2)

    def _paint_cell(self, painter: QPainter, row: int, column: int) -> None:
        theme, cell = current_theme(), self.cell_rect(row, column)
        share = self.matrix.share(row, column)
        shade = QColor(theme.accent)
        shade.setAlpha(round(FULL_ALPHA * (share or 0.0)))
        painter.fillRect(cell, QColor(theme.panel))
        painter.fillRect(cell, shade)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(cell)
        painter.setPen(QColor(theme.text))
        font = QFont(self.font())
        font.setBold(self.chosen == (row, column))
        painter.setFont(font)
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, self.cell_text(row, column))
        painter.setFont(self.font())

    # Pointer and keys

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.choose(*cell)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self.matrix.rows:
            row, column = self.chosen or (0, 0)
            if self.chosen is not None:
                row = min(max(row + step[0], 0), len(self.matrix.rows) - 1)
                column = min(max(column + step[1], 0), len(self.matrix.columns) - 1)
            self.choose(row, column)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen is not None:
            self.choose(*self.chosen)
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(cell) if cell is not None else self.toolTip(), self)
            return True
        return super().event(event)

    def _tip(self, cell: tuple[int, int]) -> str:
        row, column = cell
        share = self.matrix.share(row, column)
        part = "" if share is None else f", {share:.1%} of this row"
        truth, answer = self.matrix.rows[row], self.matrix.columns[column]
        return f"Truth {truth}, answer {answer}: {self.matrix.counts[row][column]:,}{part}"

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        popup_exports(self, self._title, event.globalPos())

    def to_svg(self) -> bytes:
        """The matrix as SVG."""
        return draw_svg(self, self._title)

    def to_csv(self) -> bytes:
        """Counts, and shares of the rows."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["truth", "answer", "count", "share of the row"])
        for row, truth in enumerate(self.matrix.rows):
            for column, answer in enumerate(self.matrix.columns):
                share = self.matrix.share(row, column)
                count = self.matrix.counts[row][column]
                writer.writerow([truth, answer, count, "" if share is None else f"{share:.6g}"])
        return text.getvalue().encode()
