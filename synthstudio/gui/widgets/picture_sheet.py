"""Pictures in a grid with a word for each row and column: on the screen, and as one picture to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QMenu, QToolTip, QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.saving import save_image

GAP_PX = 4.0
MARGIN_PX = 10.0
PAPER, INK = "#FFFFFF", "#1A1A1A"
"""Of a saved picture, whatever the window looks like."""
EXPORT_FONT_SHARE = 0.1
"""Height of a letter of a saved picture, as a share of the side of one of its pictures."""


@dataclass(frozen=True, slots=True)
class _Look:
    paper: QColor
    ink: QColor
    empty: QColor
    font: QFont


class PictureSheet(QWidget):
    """Shows square pictures row by row as they come; saves and copies all of them as one.

    Args:
        name: What a screen reader says, and what a saved file is called.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.rows: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.pictures: list[QImage | None] = []
        self._side_px = 0
        self.setAccessibleName(name)

    def set_grid(self, rows: Sequence[str], columns: Sequence[str], *, side_px: int) -> None:
        """Show an empty grid with these words; pictures of `side_px` will follow."""
        self.rows, self.columns, self._side_px = tuple(rows), tuple(columns), side_px
        self.pictures = [None] * (len(self.rows) * len(self.columns))
        self.update()

    def set_picture(self, place: int, picture: QImage) -> None:
        """Put a picture at its place, counted row by row."""
        self.pictures[place] = picture
        self.update()

    @property
    def is_complete(self) -> bool:
        """Whether every picture has come."""
        return bool(self.pictures) and all(each is not None for each in self.pictures)

    def to_image(self) -> QImage:
        """All pictures at their own size, with their words, dark on white."""
        font = QFont(self.font())
        font.setPixelSize(max(9, round(self._side_px * EXPORT_FONT_SHARE)))
        look = _Look(QColor(PAPER), QColor(INK), QColor(PAPER).darker(108), font)
        left, top = self._heads(look.font)
        step = self._side_px + GAP_PX
        size = QSize(
            round(left + step * len(self.columns) + 2 * MARGIN_PX), round(top + step * len(self.rows) + 2 * MARGIN_PX)
        )
        image = QImage(size, QImage.Format.Format_RGB32)
        with QPainter(image) as painter:
            self._paint(painter, QRectF(image.rect()), look, cell=float(self._side_px))
        return image

    def save(self) -> None:
        """Ask where to, and save it."""
        save_image(self, self.to_image(), f"{self._name.lower().replace(' ', '-')}.png")

    def copy(self) -> None:
        """Copy it."""
        QGuiApplication.clipboard().setImage(self.to_image())

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        look = _Look(QColor(theme.surround), QColor(theme.text), QColor(theme.panel), self.font())
        with QPainter(self) as painter:
            self._paint(painter, QRectF(self.rect()), look, cell=self._cell_px())

    def _paint(self, painter: QPainter, area: QRectF, look: _Look, *, cell: float) -> None:
        painter.fillRect(area, look.paper)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(look.font)
        painter.setPen(look.ink)
        left, top = self._heads(look.font)
        height = QFontMetricsF(look.font).height()
        for number, word in enumerate(self.columns):
            place = self._place(number, cell, left, top)
            head = QRectF(place.x(), place.y() - top, cell, height)
            elided = QFontMetricsF(look.font).elidedText(word, Qt.TextElideMode.ElideRight, cell)
            painter.drawText(head, int(Qt.AlignmentFlag.AlignCenter), elided)
        for number, word in enumerate(self.rows):
            place = self._place(number * len(self.columns), cell, left, top)
            head = QRectF(MARGIN_PX, place.y(), left - GAP_PX, cell)
            painter.drawText(head, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), word)
        for number, picture in enumerate(self.pictures):
            place = self._place(number, cell, left, top)
            if picture is None:
                painter.fillRect(place, look.empty)
            else:
                painter.drawImage(place, picture)

    def _heads(self, font: QFont) -> tuple[float, float]:
        """Width of the words of the rows, and height of those of the columns."""
        metrics = QFontMetricsF(font)
        width = max((metrics.horizontalAdvance(word) for word in self.rows), default=0.0)
        return (width + 2 * GAP_PX if width else 0.0), metrics.height() + GAP_PX

    def _cell_px(self) -> float:
        """Side of a picture on the screen: as large as the widget allows."""
        left, top = self._heads(self.font())
        if not self.pictures:
            return 1.0
        across = (self.width() - left - 2 * MARGIN_PX) / len(self.columns) - GAP_PX
        down = (self.height() - top - 2 * MARGIN_PX) / len(self.rows) - GAP_PX
        return max(8.0, min(across, down))

    def _place(self, number: int, cell: float, left: float, top: float) -> QRectF:
        row, column = divmod(number, max(1, len(self.columns)))
        x = MARGIN_PX + left + column * (cell + GAP_PX)
        return QRectF(x, MARGIN_PX + top + row * (cell + GAP_PX), cell, cell)

    def place_at(self, position: QPoint) -> int:
        """Number of the picture under a point, or -1."""
        left, top = self._heads(self.font())
        cell = self._cell_px()
        places = (self._place(number, cell, left, top) for number in range(len(self.pictures)))
        return next((number for number, place in enumerate(places) if place.contains(position)), -1)

    def words_of(self, place: int) -> str:
        """Row and column of a picture."""
        row, column = divmod(place, max(1, len(self.columns)))
        return " · ".join(word for word in (self.rows[row], self.columns[column]) if word)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            place = self.place_at(event.pos())
            QToolTip.showText(event.globalPos(), self.words_of(place) if place >= 0 else "", self)
            return True
        return super().event(event)

    def build_menu(self, place: int) -> QMenu:
        """What can be done with all pictures, and with the one at a place."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = self.pictures[place] if place >= 0 else None
        if picture is not None:
            menu.addAction("Copy image").triggered.connect(lambda: QGuiApplication.clipboard().setImage(picture))
            menu.addAction("Save image as…").triggered.connect(lambda: save_image(self, picture, "image.png"))
            menu.addSeparator()
        menu.addAction("Copy all as one picture").triggered.connect(self.copy)
        menu.addAction("Save all as one picture…").triggered.connect(self.save)
        return menu

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.pictures:
            self.build_menu(self.place_at(event.pos())).popup(event.globalPos())
