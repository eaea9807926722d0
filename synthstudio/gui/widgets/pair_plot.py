"""Two histograms over the same bins: real data as grey bars, what is made as a line over them."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.synthesis.distributions import Comparison
from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.themed_plot import ThemedPlot

LINE_WIDTH_PX = 2
HEADROOM = 1.18
"""The highest bar leaves this much room for the values under the pointer."""


class PairPlot(ThemedPlot):
    """Shows a comparison."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.comparison: Comparison | None = None
        nothing = [0.0, 1.0], [0.0]
        self._real = pg.PlotCurveItem(*nothing, stepMode="center", fillLevel=0.0, pen=None)
        self._made = pg.PlotCurveItem(*nothing, stepMode="center")
        for item in (self._real, self._made):
            self.addItem(item)
        self._finish()

    @override
    def _dress(self) -> None:
        super()._dress()
        theme = current_theme()
        self._real.setBrush(pg.mkBrush(theme.scroll))
        self._made.setPen(pg.mkPen(theme.accent, width=LINE_WIDTH_PX))
        unit = self.comparison.unit if self.comparison is not None else ""
        self.getPlotItem().setTitle(self._title, color=theme.text, size=f"{theme.text_pt:g}pt")
        self.setLabel("bottom", unit, color=theme.text_muted)

    def set_comparison(self, comparison: Comparison) -> None:
        """Show another comparison."""
        self.comparison = comparison
        real, made = (np.nan_to_num(each) for each in (comparison.real, comparison.made))
        self._real.setData(comparison.edges, real)
        self._made.setData(comparison.edges, made)
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
        return f"{_bin_name(shown, place)}: real {_percent(shown.real[place])}, composed {_percent(shown.made[place])}"

    @override
    def to_csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["from", "to", "name", "real", "composed"])
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
