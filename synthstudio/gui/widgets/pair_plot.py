"""Two histograms over the same bins: real data as grey bars, what is made as a line over them."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.synthesis.distributions import Comparison
from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.brushed_plot import BrushedPlot, Cells
from synthstudio.gui.widgets.themed_plot import LegendEntry

LINE_WIDTH_PX = 2
HEADROOM = 1.18
"""The highest bar leaves this much room for the values under the pointer."""
COUNTED = "objects"
"""A unit of which there are no parts."""
MOST_MARKS = 500
"""Values that are pointed at; more could not be told apart."""


def pair_legend(made_name: str) -> str:
    """What the colours of the plots mean, as rich text; real data alone where nothing is made."""
    theme = current_theme()
    entries = [LegendEntry("■", theme.text_muted, "real")]
    if made_name:
        entries.append(LegendEntry("━", theme.accent, made_name))
    return "&nbsp;&nbsp; ".join(each.html for each in entries)


class PairPlot(BrushedPlot):
    """Shows a comparison; in one that can be brushed, bins are chosen."""

    def __init__(
        self, title: str, parent: QWidget | None = None, *, made_name: str = "composed", has_brush: bool = False
    ) -> None:
        super().__init__(title, parent, has_brush=has_brush)
        self.made_name = made_name
        self.comparison: Comparison | None = None
        nothing = [0.0, 1.0], [0.0]
        self._real = pg.PlotCurveItem(*nothing, stepMode="center", fillLevel=0.0, pen=None)
        self._made = pg.PlotCurveItem(*nothing, stepMode="center")
        self._marks = pg.PlotCurveItem(connect="pairs")
        for item in (self._real, self._made, self._marks):
            self.addItem(item)
        self.getAxis("bottom").enableAutoSIPrefix(False)
        self._finish()

    @override
    def _dress(self) -> None:
        super()._dress()
        theme = current_theme()
        self._real.setBrush(pg.mkBrush(theme.text_muted))
        self._made.setPen(pg.mkPen(theme.accent, width=LINE_WIDTH_PX))
        self._marks.setPen(pg.mkPen(theme.text, width=1, dash=[2, 3]))
        unit = self.comparison.unit if self.comparison is not None else ""
        self.getPlotItem().setTitle(self._title, color=theme.text, size=f"{theme.text_pt:g}pt")
        self.setLabel("bottom", unit, color=theme.text_muted)
        self._set_whole("bottom", is_whole=unit == COUNTED)

    def set_comparison(self, comparison: Comparison) -> None:
        """Show another comparison."""
        self.comparison = comparison
        real, made = (np.nan_to_num(each) for each in (comparison.real, comparison.made))
        self._real.setData(comparison.edges, real)
        self._made.setData(comparison.edges, made)
        self._made.setVisible(bool(np.isfinite(comparison.made).any()))
        self._marks.setData([], [])
        self.clear_brush()
        ticks = [[(number + 0.5, name) for number, name in enumerate(comparison.names)]] if comparison.names else None
        self.getAxis("bottom").setTicks(ticks)
        top = max(float(real.max(initial=0.0)), float(made.max(initial=0.0)), 1e-3)
        self.getPlotItem().vb.setRange(
            xRange=(float(comparison.edges[0]), float(comparison.edges[-1])), yRange=(0.0, HEADROOM * top), padding=0.01
        )
        self._readout.setText("")
        self._dress()

    @override
    def _describe(self, point: QPointF | None) -> str:
        return self.values_text(point.x()) if point is not None else ""

    def values_text(self, x: float) -> str:
        """Both values of the bin at a place, in one line; empty beside the bins."""
        shown = self.comparison
        if shown is None or not shown.edges[0] <= x < shown.edges[-1]:
            return ""
        place = int(np.searchsorted(shown.edges, x, side="right")) - 1
        text = f"{_bin_name(shown, place)}: real {_percent(shown.real[place])}"
        return f"{text}, {self.made_name} {_percent(shown.made[place])}" if self.made_name else text

    def set_marks(self, values: NDArray[np.float64]) -> None:
        """Point at some values `(N,)`, such as those of what is selected elsewhere."""
        shown = self.comparison
        if shown is None:
            return
        xs = np.repeat(np.clip(values[:MOST_MARKS], shown.edges[0], shown.edges[-1]), 2)
        top = float(self.getPlotItem().vb.viewRange()[1][1])
        self._marks.setData(xs, np.tile([0.0, top], len(xs) // 2))

    # Choosing a range

    @override
    def _shape_of_cells(self) -> tuple[int, int]:
        return (len(self.comparison.real) if self.comparison is not None else 0), 1

    @override
    def _cell_at(self, point: QPointF) -> tuple[int, int]:
        edges = self.comparison.edges if self.comparison is not None else np.zeros(2)
        return int(np.clip(np.searchsorted(edges, point.x(), side="right") - 1, 0, len(edges) - 2)), 0

    @override
    def _area_of(self, cells: Cells) -> QRectF:
        low, high = self.ends_of(cells)
        bottom, top = self.getPlotItem().vb.viewRange()[1]
        return QRectF(low, bottom, high - low, top - bottom)

    def ends_of(self, cells: Cells) -> tuple[float, float]:
        """Both ends of some bins."""
        assert self.comparison is not None  # or there would be none
        return float(self.comparison.edges[cells.left]), float(self.comparison.edges[cells.right + 1])

    @override
    def to_csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["from", "to", "name", "real", self.made_name or "made"])
        shown = self.comparison
        for place in range(len(shown.real) if shown is not None else 0):
            assert shown is not None  # otherwise the range is empty
            ends = (f"{shown.edges[place]:.6g}", f"{shown.edges[place + 1]:.6g}")
            values = (f"{each[place]:.6g}" if np.isfinite(each[place]) else "" for each in (shown.real, shown.made))
            writer.writerow([*ends, _bin_name(shown, place), *values])
        return text.getvalue().encode()


def _bin_name(shown: Comparison, place: int) -> str:
    if shown.names:
        return shown.names[place]
    low, high = shown.edges[place], shown.edges[place + 1]
    if high - low == 1.0:  # a whole number
        return f"{(low + high) / 2:g}"
    return f"{low:.3g} to {high:.3g}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if np.isfinite(share) else "n/a"
