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
    """One line: (N,) steps and values, its name in the legend, and its colour."""

    name: str
    color: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    is_dashed: bool = False


class CurvePlot(ThemedPlot):
    """Shows curves; they may be replaced as often as a training logs."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        self._lines: dict[str, pg.PlotDataItem] = {}
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
        self.setLabel("bottom", "step", color=theme.text_muted)
        self._cursor.setPen(pg.mkPen(theme.text_muted, width=1))

    def _show_legend(self) -> None:
        """A dashed line has a dashed mark."""
        self._show_title([LegendEntry("╌" if each.is_dashed else "━", each.color, each.name) for each in self.curves])

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
                self._lines[curve.name] = self.plot(name=curve.name, pen=pen)
            line = self._lines[curve.name]
            line.setData(curve.steps, curve.values)
            line.setPen(pen)
            # One point alone draws no line.
            line.setSymbol("o" if len(curve.steps) < 2 else None)
        self._show_legend()

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
        parts = [f"step {step:g}"]
        for curve in self.curves:
            index = int(np.searchsorted(curve.steps, step, side="right")) - 1
            if index >= 0:
                parts.append(f"{curve.name} {curve.values[index]:.3f}")
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
        writer.writerow(["step", *names])
        for step in sorted(table):
            writer.writerow([f"{step:g}", *_cells(table[step], names)])
        return text.getvalue().encode()


def _cells(row: Mapping[str, float], names: list[str]) -> list[str]:
    return [f"{row[name]:.9g}" if name in row else "" for name in names]
