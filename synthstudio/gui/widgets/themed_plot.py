"""What every plot has: the colours of the theme, and a context menu that saves it as picture, drawing or table."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QEvent, Qt
from PySide6.QtGui import QContextMenuEvent, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem, QMenu, QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.saving import save_bytes, save_image


class ThemedPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no type stubs
    """Base of plots. A derived class calls `_dress` once all its parts are there."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        # Without pyqtgraph's menus, which take a third of the time that a plot takes to make.
        super().__init__(parent, viewBox=pg.ViewBox(enableMenu=False), enableMenu=False)
        self._title = title
        self.setAccessibleName(title)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(120)
        for side in ("left", "bottom"):
            # Replaying an axis costs 1.5 ms; seven plots shown at once would be felt.
            axis = self.getAxis(side)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
            axis.setStyle(maxTickLevel=0)

    def _is_built(self) -> bool:
        """Whether the parts that `_dress` colours are there: Qt tells of a style while a widget is being made."""
        raise NotImplementedError(type(self))

    def _dress(self) -> None:
        """Take on the colours of the theme in force."""
        theme = current_theme()
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(theme.border_strong)
            axis.setTextPen(theme.text_muted)
        self.getPlotItem().showGrid(x=False, y=True, alpha=0.15)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and self._is_built():
            self._dress()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        name = self._title.lower().replace(" ", "-")
        menu.addAction("Save as PNG…").triggered.connect(lambda: save_image(self, self.grab().toImage(), f"{name}.png"))
        menu.addAction("Save as SVG…").triggered.connect(
            lambda: save_bytes(self, f"{name}.svg", "SVG (*.svg)", self.to_svg)
        )
        menu.addAction("Save as CSV…").triggered.connect(
            lambda: save_bytes(self, f"{name}.csv", "CSV (*.csv)", self.to_csv)
        )
        menu.popup(event.globalPos())

    def to_svg(self) -> bytes:
        """The plot as SVG."""
        # Not pyqtgraph's exporter: it cannot read the path data that Qt 6.11 writes.
        buffer = QBuffer()
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(self.size())
        generator.setViewBox(self.rect())
        generator.setTitle(self._title)
        painter = QPainter(generator)
        self.render(painter)
        painter.end()
        return bytes(buffer.data().data())

    def to_csv(self) -> bytes:
        """The values as a table."""
        raise NotImplementedError(type(self))
