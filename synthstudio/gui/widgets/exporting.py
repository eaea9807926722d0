"""The “Export…” menu that every chart and every table has, in its corner and in its context menu."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtCore import QBuffer, QPoint, Qt, Slot
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QMenu, QPushButton, QWidget

from synthstudio.gui.widgets.saving import png_bytes, save_bytes

PRINT_SCALE = 3
"""Px of a saved picture for each px of the window: 300 dpi where the window has about 100."""


@runtime_checkable
class Tabular(Protocol):
    """Something that can be written as a table."""

    def to_csv(self) -> bytes:
        """The values, with a head."""


@runtime_checkable
class Drawn(Protocol):
    """A chart that knows how to draw itself as SVG."""

    def to_svg(self) -> bytes:
        """The drawing."""


def draw_svg(widget: QWidget, title: str) -> bytes:
    """Draw a widget as SVG."""
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(widget.size())
    generator.setViewBox(widget.rect())
    generator.setTitle(title)
    with QPainter(generator) as painter:
        _render(widget, painter)
    return bytes(buffer.data().data())


def draw_png(widget: QWidget, *, scale: int = PRINT_SCALE) -> bytes:
    """Draw a widget as PNG, with `scale` px for each of its own."""
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.fill(widget.palette().window().color())
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not isinstance(widget, QGraphicsView):  # that fills the whole picture by itself
            painter.scale(scale, scale)
        _render(widget, painter)
    return png_bytes(image)


def _render(widget: QWidget, painter: QPainter) -> None:
    """Paint a widget; a view of a scene has a way of its own, which keeps lines and text what they are."""
    if isinstance(widget, QGraphicsView):
        widget.render(painter)
    else:
        widget.render(painter, QPoint())


def add_exports(menu: QMenu, widget: QWidget, title: str) -> None:
    """Offer to save a chart as PNG, SVG and CSV, or a table as CSV."""
    name = title.lower().replace(" ", "-").replace("/", "-")
    if isinstance(widget, Drawn):
        draw = widget.to_svg
        menu.addAction("Save as PNG…").triggered.connect(
            lambda: save_bytes(widget, f"{name}.png", "PNG (*.png)", lambda: draw_png(widget))
        )
        menu.addAction("Save as SVG…").triggered.connect(lambda: save_bytes(widget, f"{name}.svg", "SVG (*.svg)", draw))
    if isinstance(widget, Tabular):
        table = widget.to_csv
        menu.addAction("Save as CSV…").triggered.connect(
            lambda: save_bytes(widget, f"{name}.csv", "CSV (*.csv)", table)
        )


def popup_exports(widget: QWidget, title: str, place: QPoint) -> None:
    """Offer this at a place of the screen."""
    menu = QMenu(widget)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    add_exports(menu, widget, title)
    menu.popup(place)


class ExportButton(QPushButton):
    """Opens the exports of one chart or table, or of several under their titles."""

    def __init__(self, parts: dict[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__("Export…", parent)
        self._parts = parts
        self.setAccessibleName(f"Export {', '.join(parts).lower()}")
        self.setToolTip("Save as picture, drawing or table")
        self.clicked.connect(self._on_clicked)

    def build_menu(self) -> QMenu:
        """The menu as it is now: what is hidden is not offered."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, widget in self._parts.items():
            if not widget.isHidden():
                target = menu if len(self._parts) == 1 else menu.addMenu(title)
                add_exports(target, widget, title)
        return menu

    @Slot()
    def _on_clicked(self) -> None:
        self.build_menu().popup(self.mapToGlobal(self.rect().bottomLeft()))
