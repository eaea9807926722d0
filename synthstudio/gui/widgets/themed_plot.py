"""What every plot has: the colours of the theme, and a context menu that saves it as picture, drawing or table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Slot
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QApplication, QGraphicsItem, QWidget
from typing_extensions import override

from synthstudio.gui.theme import PLOT_HEIGHT_PX, current_theme
from synthstudio.gui.widgets.exporting import draw_svg, popup_exports

TITLE_LINE_PX = 30
"""Height of a title of one line, as pyqtgraph has it."""
TITLE_MARGIN_PX = 52
"""Room beside the title: the left axis with its figures, and the frame."""
SIDES = ("left", "bottom")
FIGURE_GAP_PX = 5
"""Between two figures of an axis at the bottom."""
READOUT_MARGIN_PX, READOUT_LINE_PX = 2, 28


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What stands behind the title: a mark in a colour, and a name."""

    mark: str
    color: str
    name: str

    @property
    def html(self) -> str:
        """As rich text."""
        return f'<span style="color:{self.color}">{self.mark}</span> {escape(self.name)}'


class _Axis(pg.AxisItem):  # type: ignore[misc]  # see below
    """An axis that may be one of whole numbers, and whose figures do not run into one another."""

    def __init__(self, *, orientation: str) -> None:
        super().__init__(orientation)
        self._is_whole = False

    def set_whole(self, *, is_whole: bool) -> None:
        """Say whether there is anything between whole numbers."""
        if is_whole != self._is_whole:
            self._is_whole = is_whole
            self.picture = None
            self.update()

    @override
    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        levels: list[tuple[float, float]] = super().tickSpacing(minVal, maxVal, size)
        least = 1.0 if self._is_whole else 0.0
        first = max(least, levels[0][0])
        if self.orientation == "bottom" and size > 0:
            metrics = QFontMetrics(QApplication.font())
            while first * size < (FIGURE_GAP_PX + _width(metrics, maxVal // first * first)) * (maxVal - minVal):
                first *= 2
        return [
            (max(spacing, first if number == 0 else least), offset) for number, (spacing, offset) in enumerate(levels)
        ]


def _width(metrics: QFontMetrics, figure: float) -> int:
    return metrics.horizontalAdvance(f"{figure:.6g}")


class ThemedPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no type stubs
    """Base of plots. A derived class calls `_finish` once all its parts are there.

    Attributes:
        reads_below: The values under the pointer are written at the bottom of the plot, not at its top.
    """

    reads_below = False

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        # Without pyqtgraph's menus, which take a third of the time that a plot takes to make.
        axes = {side: _Axis(orientation=side) for side in SIDES}
        super().__init__(parent, viewBox=pg.ViewBox(enableMenu=False), axisItems=axes, enableMenu=False)
        self._title = title
        self._legend: tuple[LegendEntry, ...] = ()
        self.setAccessibleName(title)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(PLOT_HEIGHT_PX)
        for side in SIDES:
            # Replaying an axis costs 1.5 ms; seven plots shown at once would be felt.
            axis = self.getAxis(side)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
            axis.setStyle(maxTickLevel=0)
            axis.enableAutoSIPrefix(False)  # "minutes (x0.001)" is nothing that anybody reads

    def _finish(self) -> None:
        """Add the values under the pointer, and take on the colours."""
        self._readout = pg.LabelItem(justify="left")
        self._readout.setParentItem(self.getPlotItem())
        self.scene().sigMouseMoved.connect(self._on_scene_mouse_moved)
        self._dress()

    def _set_whole(self, side: str, *, is_whole: bool) -> None:
        """Put ticks at whole numbers alone: there is no step 150.5."""
        self.getAxis(side).set_whole(is_whole=is_whole)

    def _is_built(self) -> bool:
        """Whether the parts that `_dress` colours are there: Qt tells of a style while a widget is being made."""
        return hasattr(self, "_readout")

    def _describe(self, point: QPointF | None) -> str:
        """What is read at a point, in the values of the axes; None where the pointer is beside the plot."""
        raise NotImplementedError(type(self))

    @Slot(object)
    def _on_scene_mouse_moved(self, position: QPointF) -> None:
        box = self.getPlotItem().vb
        is_inside = box.sceneBoundingRect().contains(position)
        self._read_out(box.mapSceneToView(position) if is_inside else None)

    def _read_out(self, point: QPointF | None) -> None:
        """Write what is read at a point."""
        box = self.getPlotItem().vb
        self._readout.setText(self._describe(point), color=current_theme().text)
        down = box.height() - READOUT_LINE_PX if self.reads_below else READOUT_MARGIN_PX
        self._readout.setPos(box.x() + 8, box.y() + down)

    def _dress(self) -> None:
        """Take on the colours of the theme in force."""
        theme = current_theme()
        self.setBackground(theme.panel)
        for side in SIDES:
            axis = self.getAxis(side)
            axis.setPen(theme.border_strong)
            axis.setTextPen(theme.text_muted)
        self.getPlotItem().showGrid(x=False, y=True, alpha=0.15)

    def _show_title(self, legend: Sequence[LegendEntry] = ()) -> None:
        """Show the title and what the colours mean: a legend inside the plot would hide values.

        Broken into lines: one that is too long would push the plot out of its widget.
        """
        self._legend = tuple(legend)
        theme = current_theme()
        font = QFont(self.font())
        font.setPointSizeF(theme.text_pt)
        metrics = QFontMetrics(font)
        room, used = max(self.width() - TITLE_MARGIN_PX, 1), metrics.horizontalAdvance(self._title)
        lines = [escape(self._title)]
        for entry in self._legend:
            wide = metrics.horizontalAdvance(f"    {entry.mark} {entry.name}")
            if used + wide > room and used > 0:
                lines.append(entry.html)
                used = wide
            else:
                lines[-1] += f"&nbsp;&nbsp;&nbsp; {entry.html}"
                used += wide
        plot = self.getPlotItem()
        plot.setTitle("<br>".join(lines), color=theme.text, size=f"{theme.text_pt:g}pt")
        height = TITLE_LINE_PX + (len(lines) - 1) * metrics.height()
        plot.titleLabel.setMaximumHeight(height)
        plot.layout.setRowFixedHeight(0, height)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._is_built() and self._legend:
            self._show_title(self._legend)  # first: the plot cannot be narrower than its title
        super().resizeEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and self._is_built():
            self._dress()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        popup_exports(self, self._title, event.globalPos())

    def to_svg(self) -> bytes:
        """The plot as SVG."""
        # Not pyqtgraph's exporter: it cannot read the path data that Qt 6.11 writes.
        return draw_svg(self, self._title)

    def to_csv(self) -> bytes:
        """The values as a table."""
        raise NotImplementedError(type(self))
