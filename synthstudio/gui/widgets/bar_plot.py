"""Bars in groups, each with its interval, and a line across each group for what chance alone would reach."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.domain.figures import interval_text
from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.brushed_plot import BrushedPlot, Cells
from synthstudio.gui.widgets.themed_plot import LegendEntry

GROUP_WIDTH = 0.8
"""Share of the room of a group that its bars fill."""
HEADROOM = 1.08
LEAST_GROUPS = 3
"""There is room for so many at least: one group alone would be as wide as the plot."""
LINE_WIDTH_PX = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One value with the ends of its interval; None where undefined or not asked for."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class BarSeries:
    """Bars of one colour, one for each group."""

    name: str
    color: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """What a plot shows.

    Attributes:
        groups: Names under the axis.
        baselines: A value across each group to compare with, or None; empty for none at all.
        baseline_name: What it is, for the legend.
        digits: Of the values under the pointer, behind the point.
    """

    groups: tuple[str, ...]
    series: tuple[BarSeries, ...]
    baselines: tuple[float | None, ...] = ()
    baseline_name: str = ""
    digits: int = 3


class BarPlot(BrushedPlot):
    """Shows a bar chart; hover for values. In one that can be brushed, a bar is chosen."""

    takes_one = True

    def __init__(self, title: str, parent: QWidget | None = None, *, has_brush: bool = False) -> None:
        self.chart = BarChart((), ())
        super().__init__(title, parent, has_brush=has_brush)
        self._items: list[pg.GraphicsObject] = []
        self._finish()

    def set_chart(self, chart: BarChart, *, title: str = "") -> None:
        """Show another chart."""
        self.chart = chart
        if title:
            self._title = title
            self.setAccessibleName(title)
        self._readout.setText("")
        self.clear_brush()
        self._dress()

    @override
    def _dress(self) -> None:
        super()._dress()
        theme, chart = current_theme(), self.chart
        legend = [LegendEntry("■", each.color, each.name) for each in chart.series]
        if any(each is not None for each in chart.baselines):
            legend.append(LegendEntry("╌", theme.text, chart.baseline_name))
        self._show_title(legend)
        self.getAxis("bottom").setTicks([list(enumerate(chart.groups))])
        self._draw()
        values = [v for each in chart.series for bar in each.bars for v in (bar.value, bar.high) if v is not None]
        self._set_whole(
            "left", is_whole=max(values, default=0.0) > 1.0 and all(value == round(value) for value in values)
        )
        top = max([1.0 if max(values, default=0.0) > 0.5 else 0.0, *values, 1e-3])
        bars = [bar for each in chart.series for bar in each.bars]
        bottom = min([0.0, *(v for bar in bars for v in (bar.value, bar.low) if v is not None)])
        n_groups = max(len(chart.groups), 1)
        margin = 0.5 + max(0.0, (LEAST_GROUPS - n_groups) / 2)
        self.getPlotItem().vb.setRange(
            xRange=(-margin, n_groups - 1 + margin), yRange=(HEADROOM * bottom, HEADROOM * top), padding=0.0
        )

    def _draw(self) -> None:
        for item in self._items:
            self.removeItem(item)
        self._items = []
        theme, chart = current_theme(), self.chart
        for number, series in enumerate(chart.series):
            shown = [(place, bar) for place, bar in enumerate(series.bars) if bar.value is not None]
            if not shown:
                continue
            xs = [self._x_of(place, number) for place, _ in shown]
            width = 0.9 * GROUP_WIDTH / len(chart.series)
            self._add(
                pg.BarGraphItem(x=xs, height=[bar.value for _, bar in shown], width=width, brush=series.color, pen=None)
            )
            self._add_whiskers([(x, bar) for x, (_, bar) in zip(xs, shown, strict=True)], width=0.35 * width)
        marked = [(place, value) for place, value in enumerate(chart.baselines) if value is not None]
        if marked:
            ends = [place + side for place, _ in marked for side in (-GROUP_WIDTH / 2, GROUP_WIDTH / 2)]
            pen = pg.mkPen(theme.text, width=LINE_WIDTH_PX, dash=[4, 3])
            self._add_lines(ends, [value for _, value in marked for _ in range(2)], pen)

    def _add_whiskers(self, bars: Sequence[tuple[float, Bar]], *, width: float) -> None:
        """All intervals of a series as one item: each item costs a millisecond."""
        xs, ys = [], []
        for x, bar in bars:
            if bar.low is not None and bar.high is not None:
                xs += [x - width, x + width, x, x, x - width, x + width]
                ys += [bar.low, bar.low, bar.low, bar.high, bar.high, bar.high]
        if xs:
            self._add_lines(xs, ys, pg.mkPen(current_theme().text, width=LINE_WIDTH_PX))

    def _add_lines(self, xs: Sequence[float], ys: Sequence[float], pen: QPen) -> None:
        """Lines from each even point to the odd one after it."""
        points = np.array(xs, np.float64), np.array(ys, np.float64)
        self._add(pg.PlotCurveItem(*points, connect="pairs", pen=pen))

    def _add(self, item: pg.GraphicsObject) -> None:
        self._items.append(item)
        self.addItem(item)

    def _x_of(self, group: int, number: int) -> float:
        """Middle of a bar."""
        return group + GROUP_WIDTH * ((number + 0.5) / len(self.chart.series) - 0.5)

    @override
    def _describe(self, point: QPointF | None) -> str:
        return self.values_text(point.x()) if point is not None else ""

    def values_text(self, x: float) -> str:
        """What the bar at a place says, in one line; empty between the groups."""
        chart, group = self.chart, round(x)
        if not chart.series or not 0 <= group < len(chart.groups) or abs(x - group) >= GROUP_WIDTH / 2:
            return ""
        number = int((x - group + GROUP_WIDTH / 2) / GROUP_WIDTH * len(chart.series))
        series = chart.series[min(number, len(chart.series) - 1)]
        bar = series.bars[group]
        text = f"{series.name}, {chart.groups[group]}: {_figure(bar.value, chart.digits)}"
        if bar.low is not None and bar.high is not None:
            text += f" ({interval_text((bar.low, bar.high), digits=chart.digits)})"
        baseline = chart.baselines[group] if group < len(chart.baselines) else None
        return text if baseline is None else f"{text} · {chart.baseline_name} {baseline:.3f}"

    # Choosing a bar

    @override
    def _shape_of_cells(self) -> tuple[int, int]:
        return len(self.chart.groups) * len(self.chart.series), 1

    @override
    def _cell_at(self, point: QPointF) -> tuple[int, int]:
        n_series = len(self.chart.series)
        group = min(max(round(point.x()), 0), len(self.chart.groups) - 1)
        number = int((point.x() - group + GROUP_WIDTH / 2) / GROUP_WIDTH * n_series)
        return group * n_series + min(max(number, 0), n_series - 1), 0

    @override
    def _area_of(self, cells: Cells) -> QRectF:
        group, number = self.bar_of(cells)
        width = GROUP_WIDTH / len(self.chart.series)
        bottom, top = self.getPlotItem().vb.viewRange()[1]
        return QRectF(self._x_of(group, number) - width / 2, bottom, width, top - bottom)

    def bar_of(self, cells: Cells) -> tuple[int, int]:
        """Places of the group and of the series of the chosen bar."""
        return divmod(cells.left, len(self.chart.series))

    @override
    def to_csv(self) -> bytes:
        """One row per bar, and one per baseline."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["series", "group", "value", "low", "high"])
        for series in self.chart.series:
            for group, bar in zip(self.chart.groups, series.bars, strict=True):
                writer.writerow([series.name, group, *(_csv(each) for each in (bar.value, bar.low, bar.high))])
        for group, value in zip(self.chart.groups, self.chart.baselines, strict=False):
            writer.writerow([self.chart.baseline_name, group, _csv(value), "", ""])
        return text.getvalue().encode()


def _figure(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _csv(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
