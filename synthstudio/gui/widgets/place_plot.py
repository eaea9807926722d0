"""Where on the images objects are: a map of shares over width and height."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.brushed_plot import BrushedPlot, Cells

N_COLORS = 256
MARK_PX = 7
MOST_MARKS = 500
"""Places that are pointed at; more would hide the map."""


class PlacePlot(BrushedPlot):
    """The stronger the accent of the theme, the more objects are there; the axes are shares of width and height."""

    def __init__(self, title: str, parent: QWidget | None = None, *, has_brush: bool = False) -> None:
        self.shares: NDArray[np.float64] = np.zeros((1, 1))
        super().__init__(title, parent, has_brush=has_brush)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._marks = pg.ScatterPlotItem(size=MARK_PX)
        for item in (self._image, self._marks):
            self.addItem(item)
        self.getPlotItem().invertY(True)
        self._finish()

    def set_shares(self, shares: NDArray[np.float64], *, title: str = "") -> None:
        """Show another map, `(height, width)`, its first row at the top; nan is nothing."""
        self.shares = shares
        if title:
            self._title = title
            self.setAccessibleName(title)
        self._readout.setText("")
        self._marks.setData([], [])
        self.clear_brush()
        self._dress()

    def set_marks(self, places: NDArray[np.float64]) -> None:
        """Point at some places `(N, 2)`, shares of width and height, such as those of what is selected elsewhere."""
        self._marks.setData(*places[:MOST_MARKS].T)

    @override
    def _dress(self) -> None:
        super()._dress()
        theme = current_theme()
        self._show_title()
        self.setLabel("bottom", "share of the width", color=theme.text_muted)
        self.setLabel("left", "share of the height", color=theme.text_muted)
        self.getPlotItem().showGrid(x=False, y=False)
        values = np.nan_to_num(self.shares)
        colors = QColor(theme.panel), QColor(theme.accent)
        ends = [np.array([color.red(), color.green(), color.blue()], np.float64) for color in colors]
        steps = np.linspace(0.0, 1.0, N_COLORS)[:, None]
        self._image.setLookupTable((ends[0] * (1 - steps) + ends[1] * steps).round().astype(np.uint8))
        self._marks.setPen(pg.mkPen(theme.panel))
        self._marks.setBrush(pg.mkBrush(theme.text))
        self._image.setImage(values, levels=(0.0, max(float(values.max(initial=0.0)), 1e-9)))
        self._image.setRect(QRectF(0.0, 0.0, 1.0, 1.0))
        self.getPlotItem().vb.setRange(xRange=(0.0, 1.0), yRange=(0.0, 1.0), padding=0.0)

    @override
    def _describe(self, point: QPointF | None) -> str:
        return self.values_text(point.x(), point.y()) if point is not None else ""

    def values_text(self, x: float, y: float) -> str:
        """The share at a place, in one line; empty beside the map."""
        height, width = self.shares.shape
        if not (0 <= x < 1 and 0 <= y < 1):
            return ""
        share = self.shares[int(y * height), int(x * width)]
        return f"{share:.1%} of the objects" if np.isfinite(share) else "no objects"

    @override
    def _shape_of_cells(self) -> tuple[int, int]:
        return self.shares.shape[1], self.shares.shape[0]

    @override
    def _cell_at(self, point: QPointF) -> tuple[int, int]:
        columns, rows = self._shape_of_cells()
        return min(max(int(point.x() * columns), 0), columns - 1), min(max(int(point.y() * rows), 0), rows - 1)

    @override
    def _area_of(self, cells: Cells) -> QRectF:
        left, top, right, bottom = self.part_of(cells)
        return QRectF(left, top, right - left, bottom - top)

    def part_of(self, cells: Cells) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of some cells, as shares of width and height."""
        columns, rows = self._shape_of_cells()
        return cells.left / columns, cells.top / rows, (cells.right + 1) / columns, (cells.bottom + 1) / rows

    @override
    def to_csv(self) -> bytes:
        """One row per part of the image."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["left", "top", "share"])
        height, width = self.shares.shape
        for row, column in np.ndindex(height, width):
            share = self.shares[row, column]
            writer.writerow(
                [f"{column / width:.6g}", f"{row / height:.6g}", f"{share:.6g}" if np.isfinite(share) else ""]
            )
        return text.getvalue().encode()
