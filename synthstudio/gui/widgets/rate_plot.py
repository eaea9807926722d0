"""Curves in the unit square, such as ROC or precision over recall, each with the threshold in force marked on it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.themed_plot import ThemedPlot

LINE_WIDTH_PX = 2
MARK_PX, POINT_PX = 10, 6
MARGIN = 0.02
MAX_POINTS = 2000
"""Of a curve that is drawn; about the px of the screen that it passes."""


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """One line.

    Attributes:
        x, y: (N,) in 0-1.
        thresholds: (N,); NaN where a point belongs to none.
        mark: The point of the threshold in force.
        area: Area under the curve, for the legend.
        has_points: Each point is drawn as a dot, too.
    """

    name: str
    color: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    mark: tuple[float, float] | None = None
    area: float | None = None
    has_points: bool = False


@dataclass(frozen=True, slots=True)
class RateAxes:
    """Names of both axes, and the (x, y) ends of the line that chance would draw."""

    x: str
    y: str
    chance: tuple[tuple[float, float], tuple[float, float]] | None = None


class RatePlot(ThemedPlot):
    """Shows curves; hover for the point that is nearest and its threshold."""

    reads_below = True

    def __init__(self, title: str, axes: RateAxes, parent: QWidget | None = None) -> None:
        self.curves: tuple[RateCurve, ...] = ()
        self._axes = axes
        super().__init__(title, parent)
        self._items: list[pg.GraphicsObject] = []
        self.getPlotItem().vb.setRange(xRange=(-MARGIN, 1 + 2 * MARGIN), yRange=(-MARGIN, 1 + 2 * MARGIN), padding=0)
        self._finish()

    def set_curves(self, curves: tuple[RateCurve, ...], axes: RateAxes) -> None:
        """Show these instead."""
        self.curves, self._axes = curves, axes
        self._readout.setText("")
        self._dress()

    @override
    def _dress(self) -> None:
        super()._dress()
        theme = current_theme()
        self._show_title()
        self.setLabel("bottom", self._axes.x, color=theme.text_muted)
        self.setLabel("left", self._axes.y, color=theme.text_muted)
        self._draw()

    def _draw(self) -> None:
        for item in self._items:
            self.removeItem(item)
        self._items = []
        theme = current_theme()
        if self._axes.chance is not None:
            (x0, y0), (x1, y1) = self._axes.chance
            self._add(pg.PlotCurveItem([x0, x1], [y0, y1], pen=pg.mkPen(theme.text_muted, width=1, dash=[4, 3])))
        for curve in self.curves:
            self._add(pg.PlotCurveItem(*thinned(curve.x, curve.y), pen=pg.mkPen(curve.color, width=LINE_WIDTH_PX)))
            if curve.has_points:
                self._add(pg.ScatterPlotItem(curve.x, curve.y, size=POINT_PX, pen=None, brush=curve.color))
        for curve in self.curves:
            if curve.mark is not None:
                pen = pg.mkPen(theme.text, width=LINE_WIDTH_PX)
                mark = pg.ScatterPlotItem([curve.mark[0]], [curve.mark[1]], size=MARK_PX, pen=pen, brush=curve.color)
                self._add(mark)

    def _add(self, item: pg.GraphicsObject) -> None:
        self._items.append(item)
        self.addItem(item)

    @override
    def _describe(self, point: QPointF | None) -> str:
        return self.values_text(point.x(), point.y()) if point is not None else ""

    def values_text(self, x: float, y: float) -> str:
        """The point of any curve that is nearest to a place, in one line; empty without curves."""
        nearest = [
            (float(distance.min()), curve, int(distance.argmin()))
            for curve in self.curves
            if len(distance := np.hypot(curve.x - x, curve.y - y))
        ]
        if not nearest:
            return ""
        _, curve, place = min(nearest, key=lambda each: each[0])
        text = f"{curve.name}: {self._axes.x.lower()} {curve.x[place]:.3f}, {self._axes.y.lower()} {curve.y[place]:.3f}"
        threshold = curve.thresholds[place]
        return f"{text} at threshold {threshold:.3f}" if np.isfinite(threshold) else text

    @override
    def to_csv(self) -> bytes:
        """One row per point."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["curve", self._axes.x.lower(), self._axes.y.lower(), "threshold"])
        for curve in self.curves:
            for x, y, threshold in zip(curve.x.tolist(), curve.y.tolist(), curve.thresholds.tolist(), strict=True):
                writer.writerow(
                    [curve.name, f"{x:.6g}", f"{y:.6g}", f"{threshold:.6g}" if np.isfinite(threshold) else ""]
                )
        return text.getvalue().encode()


def thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], *, n_points: int = MAX_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of a long curve the points at even ways along it: a hundred thousand take a second to draw and look the same.

    Args:
        x, y: (N,) in 0-1.
        n_points: Are kept, besides the last one.
    """
    if len(x) <= n_points:
        return x, y
    way = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    kept = np.unique(np.append(np.searchsorted(way, np.linspace(0.0, way[-1], n_points)), len(x) - 1))
    return x[kept], y[kept]
