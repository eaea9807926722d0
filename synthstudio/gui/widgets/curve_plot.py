"""One plot of curves over steps: hover for values, context menu to save it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.themed_plot import LegendEntry, ThemedPlot

LINE_WIDTH_PX = 2


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: (N,) steps and values, its name in the legend, and its colour.

    Attributes:
        ends: (N, 2) ends of the interval of each value, NaN where it has none; drawn as whiskers.
        has_points: Each value is a point of its own, not one of thousands.
    """

    name: str
    color: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    is_dashed: bool = False
    ends: NDArray[np.float64] | None = None
    has_points: bool = False


class CurvePlot(ThemedPlot):
    """Shows curves; they may be replaced as often as a training logs.

    Args:
        title: Stands above.
        x_name: What is on the horizontal axis.
    """

    def __init__(self, title: str, parent: QWidget | None = None, *, x_name: str = "step") -> None:
        self._x_name = x_name
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._whiskers: list[pg.PlotCurveItem] = []
        self.curves: tuple[Curve, ...] = ()
        super().__init__(title, parent)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.addItem(self._cursor, ignoreBounds=True)
        self._finish()

    @override
    def _dress(self) -> None:
        super()._dress()
        theme = current_theme()
        self._show_legend()
        self.setLabel("bottom", self._x_name, color=theme.text_muted)
        self._cursor.setPen(pg.mkPen(theme.text_muted, width=1))

    def _show_legend(self) -> None:
        """A dashed line has a dashed mark."""
        self._show_title([LegendEntry("╌" if each.is_dashed else "━", each.color, each.name) for each in self.curves])

    def set_x_name(self, name: str) -> None:
        """Say what is on the horizontal axis."""
        self._x_name = name
        self._dress()

    def set_curves(self, curves: tuple[Curve, ...]) -> None:
        """Show these curves instead; lines that stay are updated in place."""
        self.curves = curves
        names = {curve.name for curve in curves}
        for gone in [name for name in self._lines if name not in names]:
            self.removeItem(self._lines.pop(gone))
        for curve in curves:
            style = Qt.PenStyle.DashLine if curve.is_dashed else Qt.PenStyle.SolidLine
            pen = pg.mkPen(curve.color, width=LINE_WIDTH_PX, style=style)
            if curve.name not in self._lines:
                self._lines[curve.name] = self.plot(name=curve.name)
            # All in one call: each alone would draw the line anew. One point alone draws no line.
            self._lines[curve.name].setData(
                curve.steps,
                curve.values,
                pen=pen,
                symbol="o" if curve.has_points or len(curve.steps) < 2 else None,
                symbolBrush=curve.color,
                symbolPen=pen,
            )
        steps = [curve.steps for curve in curves]
        self._set_whole("bottom", is_whole=all(bool((each == each.round()).all()) for each in steps))
        self._draw_whiskers()
        self._show_legend()

    def _draw_whiskers(self) -> None:
        for item in self._whiskers:
            self.removeItem(item)
        self._whiskers = []
        for curve in self.curves:
            known = np.isfinite(curve.ends).all(axis=1) if curve.ends is not None else np.zeros(0, np.bool_)
            if curve.ends is None or not known.any():
                continue
            xs, ys = curve.steps[known].repeat(2), curve.ends[known].ravel()
            pen = pg.mkPen(curve.color, width=LINE_WIDTH_PX / 2)
            self._whiskers.append(pg.PlotCurveItem(xs, ys, connect="pairs", pen=pen))
            self.addItem(self._whiskers[-1])

    @override
    def _describe(self, point: QPointF | None) -> str:
        is_read = bool(self.curves) and point is not None
        self._cursor.setVisible(is_read)
        if not self.curves or point is None:
            return ""
        step = self._nearest_step(point.x())
        self._cursor.setPos(step)
        return self.values_text(step)

    def _nearest_step(self, x: float) -> float:
        steps = np.concatenate([curve.steps for curve in self.curves])
        return float(steps[np.argmin(np.abs(steps - x))]) if steps.size else x

    def values_text(self, step: float) -> str:
        """Every curve's value at the last step up to this one, in one line."""
        parts = [f"{self._x_name} {step:g}"]
        for curve in self.curves:
            index = int(np.searchsorted(curve.steps, step, side="right")) - 1
            if index >= 0:
                parts.append(f"{curve.name} {_short(curve.values[index])}")
        return " · ".join(parts)

    @override
    def to_csv(self) -> bytes:
        """The values: one row per step, one column per curve."""
        table: dict[float, dict[str, float]] = {}
        for curve in self.curves:
            for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
                table.setdefault(step, {})[curve.name] = value
        text = io.StringIO()
        writer = csv.writer(text)
        names = [curve.name for curve in self.curves]
        writer.writerow([self._x_name, *names])
        for step in sorted(table):
            writer.writerow([f"{step:g}", *_cells(table[step], names)])
        return text.getvalue().encode()


def _short(value: float) -> str:
    """Three places; a learning rate has none, and is written otherwise."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2e}"


def _cells(row: Mapping[str, float], names: list[str]) -> list[str]:
    return [f"{row[name]:.9g}" if name in row else "" for name in names]
