"""The plots of the charts. Imports pyqtgraph: only for what is seen already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QGridLayout, QWidget
from typing_extensions import override

from synthstudio.core.review.data_charts import IMAGE_CHARTS, OBJECT_CHARTS, DataCharts
from synthstudio.core.review.gallery_charts import Spread, relative_places
from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.gui.pages.quality.chart_picks import (
    ChartPick,
    pick_class,
    pick_places,
    pick_range,
    pick_spread,
    pick_tone,
)
from synthstudio.gui.theme import GRID_PX, current_theme
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.brushed_plot import BrushedPlot, Cells
from synthstudio.gui.widgets.pair_plot import PairPlot, pair_legend
from synthstudio.gui.widgets.place_plot import PlacePlot

COLUMNS = 3
_TIP = "Drag, or click: the gallery shows what lies there. Arrow keys and Return do the same"
_TITLES = {"objects": "Objects on an image", "size": "Size", "aspect": "Width by height"}


class ChartGrid(QWidget):
    """Plots in three columns: those of the objects, or those of the images.

    Signals:
        picked: (ChartPick) Something was chosen in a plot.
    """

    picked = Signal(object)

    def __init__(self, view: GalleryView, color_of: Callable[[int], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color_of = color_of
        self._view = view
        self._side = 0
        self.shown: DataCharts | None = None
        self.pairs: dict[str, PairPlot] = {}
        self.bars: dict[str, BarPlot] = {}
        self.maps: list[PlacePlot] = []
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID_PX)
        for column in range(COLUMNS):
            self._layout.setColumnStretch(column, 1)
        self._order = self._build_objects() if view == "objects" else self._build_images()
        for plot in self._order:
            plot.setToolTip(_TIP)

    def _build_objects(self) -> Sequence[BrushedPlot]:
        """Make the plots, in the order in which they are read."""
        classes = self._add_bars("class", "Classes by split")
        numbers, sizes, aspects = (self._add_pair(name, _TITLES[name]) for name in OBJECT_CHARTS)
        size_spread = self._add_bars("size", "Size of each class in px: median, 5 to 95 %")
        aspect_spread = self._add_bars("aspect", "Width by height of each class: median, 5 to 95 %")
        for side in (0, 1):
            places = PlacePlot("Places in the project", self, has_brush=True)
            places.brushed.connect(partial(self._on_places_brushed, side))
            self.maps.append(places)
        return classes, numbers, sizes, size_spread, aspects, aspect_spread, *self.maps

    def _build_images(self) -> Sequence[BrushedPlot]:
        pairs = [self._add_pair(name, title) for name, (title, _unit) in IMAGE_CHARTS.items()]
        return *pairs, self._add_bars("tone", "Tone, share of the images")

    def _add_pair(self, name: str, title: str) -> PairPlot:
        plot = PairPlot(title, self, has_brush=True)
        plot.brushed.connect(partial(self._on_pair_brushed, name))
        self.pairs[name] = plot
        return plot

    def _add_bars(self, name: str, title: str) -> BarPlot:
        plot = BarPlot(title, self, has_brush=True)
        plot.brushed.connect(partial(self._on_bars_brushed, name))
        self.bars[name] = plot
        return plot

    # What is shown

    @property
    def legend_text(self) -> str:
        """What grey and the accent mean."""
        return pair_legend(self._made_name)

    @property
    def _made_name(self) -> str:
        return f"set {self.shown.set_name}" if self.shown is not None and self.shown.set_name else ""

    def choose_side(self, side: int) -> None:
        """From now on, ranges are those of the project (0) or of the set (1)."""
        self._side = side

    def show_charts(self, shown: DataCharts) -> None:
        """Show other figures."""
        self.shown = shown
        for name, pair in self.pairs.items():
            pair.made_name = self._made_name
            pair.set_comparison(shown.charts[name].comparison)
        if self._view == "objects":
            self.bars["class"].set_chart(self._balance(shown))
            for name in ("size", "aspect"):
                self.bars[name].set_chart(self._spreads(shown.class_names, shown.spreads[name], name))
            for side, places in enumerate(self.maps):
                if side < len(shown.places):
                    where = f"set {shown.set_name}" if side else "the project"
                    places.set_shares(shown.places[side], title=f"Places in {where}")
                places.setVisible(side < len(shown.places))
        else:
            self.bars["tone"].set_chart(self._tones(shown))
            self.bars["tone"].setVisible(bool(shown.tone_names))
        self._flow()

    def _flow(self) -> None:
        """Fill the columns with what is not hidden; the last plot takes what is left of its row."""
        seen = [plot for plot in self._order if not plot.isHidden()]
        rows = (len(seen) - 1) // COLUMNS
        for number, plot in enumerate(seen):
            free = COLUMNS - number % COLUMNS if number == len(seen) - 1 else 1
            self._layout.addWidget(plot, number // COLUMNS, number % COLUMNS, 1, free)
        for row in range(self._layout.rowCount()):
            self._layout.setRowStretch(row, 1 if row <= rows else 0)

    def _balance(self, shown: DataCharts) -> BarChart:
        series = [
            BarSeries(each.name, self._color_of(number), _bars(each.shares.tolist()))
            for number, each in enumerate(shown.balance)
        ]
        return BarChart(shown.class_names, tuple(series))

    def _spreads(self, names: tuple[str, ...], sides: Sequence[Sequence[Spread]], name: str) -> BarChart:
        series = [
            BarSeries(
                side_name,
                color,
                tuple(Bar(each.median, each.p5, each.p95) if each.n else Bar(None) for each in own),
            )
            for own, (side_name, color) in zip(sides, self._sides(), strict=False)
        ]
        return BarChart(names, tuple(series), digits=1 if name == "size" else 2)

    def _tones(self, shown: DataCharts) -> BarChart:
        series = [
            BarSeries(name, color, _bars(shown.tone_shares(side).tolist()))
            for side, (name, color) in enumerate(self._sides()[: len(shown.sides)])
        ]
        return BarChart(shown.tone_names, tuple(series))

    def _sides(self) -> list[tuple[str, str]]:
        """Name and colour of the project, and of the set."""
        theme = current_theme()
        return [("real", theme.text_muted), (self._made_name, theme.accent)]

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "shown") and self.shown is not None:
            self.show_charts(self.shown)  # bars have colours of the theme

    def mark(self, view: GalleryView, ids: NDArray[np.int64], *, side: int) -> None:
        """Point at images or objects that are selected elsewhere; no ids point at nothing."""
        shown = self.shown
        if shown is None or side >= len(shown.sides):
            return
        for name, plot in self.pairs.items():
            own = shown.charts[name].sides[side]
            fitting = ids if own.view == view else shown.related(view, ids, side=side)
            plot.set_marks(own.values[np.isin(own.ids, fitting)])
        table = shown.sides[side].table
        rows = np.flatnonzero(np.isin(table.mark_ids, ids if view == "objects" else np.zeros(0, np.int64)))
        for number, places in enumerate(self.maps):
            own_rows = rows if number == side else rows[:0]
            places.set_marks(relative_places(table, own_rows))

    def clear_brushes(self, but: BrushedPlot | None = None) -> None:
        """Choose nothing, except in one plot."""
        for plot in self._order:
            if plot is not but:
                plot.clear_brush()

    # What is chosen

    def _on_pair_brushed(self, name: str, cells: Cells) -> None:
        if self.shown is not None:
            side = min(self._side, len(self.shown.sides) - 1)
            self.picked.emit(pick_range(self.shown, name, self.pairs[name].ends_of(cells), side=side))

    def _on_bars_brushed(self, name: str, cells: Cells) -> None:
        if self.shown is None:
            return
        group, series = self.bars[name].bar_of(cells)
        pick: ChartPick
        match name:
            case "class":
                pick = pick_class(self.shown, group, series)
            case "tone":
                pick = pick_tone(self.shown, group + 1, series)
            case _:
                pick = pick_spread(self.shown, group, series)
        self.picked.emit(pick)

    def _on_places_brushed(self, side: int, cells: Cells) -> None:
        if self.shown is not None:
            self.picked.emit(pick_places(self.shown, self.maps[side].part_of(cells), side=side))


def _bars(shares: Sequence[float]) -> tuple[Bar, ...]:
    return tuple(Bar(share if np.isfinite(share) else None) for share in shares)
