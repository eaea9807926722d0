"""A grid of very many small pictures, of which several can be selected: only those in sight are loaded and painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget
from typing_extensions import override

from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.tile_layout import GAP_PX, TileLayout
from synthstudio.gui.widgets.tile_pictures import TilePictures
from synthstudio.gui.widgets.tile_selection import TileSelection

RIM_PX = 2
MIN_TILE_PX, MAX_TILE_PX, DEFAULT_TILE_PX = 40, 320, 88
FIRST_BATCH, BATCH = 16, 160
"""Pictures asked for at a time: few where none is seen yet, then about what a large window shows."""
FADED = 0.3
WHEEL_STEP = 1.2


class TileGrid(QAbstractScrollArea):
    """Shows keys as pictures. What it needs it asks for by `tiles_requested`; answer with `put_tiles`.

    Click, Ctrl, Shift, the arrow keys and dragging a rectangle select; a double click or Return opens one.

    Signals:
        tiles_requested: (generation, keys) to be handed back to `put_tiles`.
        selection_changed: Other keys are selected.
        activated: (key)
        menu_requested: (global position) for the selection.
        tile_px_changed: (side) Tiles are larger or smaller.
    """

    tiles_requested = Signal(int, object)
    selection_changed = Signal()
    activated = Signal(int)
    menu_requested = Signal(QPoint)
    tile_px_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: NDArray[np.int64] = np.zeros(0, np.int64)
        self._crossed: frozenset[int] = frozenset()
        self._tips: dict[int, str] = {}
        self._pictures = TilePictures()
        self._generation = 0
        self._is_waiting = False
        self._tile_px = DEFAULT_TILE_PX
        self._placeholder = ""
        self._dragged_from: QPoint | None = None
        self._band: QRect | None = None
        self.selection = TileSelection()
        self._asker = QTimer(self)
        self._asker.setSingleShot(True)
        self._asker.timeout.connect(self._on_asker_timeout)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Pictures")

    # What is shown

    @property
    def keys(self) -> tuple[int, ...]:
        return tuple(self._keys.tolist())

    @property
    def selected(self) -> list[int]:
        """The selected keys in the order in which they are shown."""
        keys: list[int] = self._keys[sorted(self.selection.places)].tolist()
        return keys

    @property
    def loaded(self) -> Mapping[int, QImage]:
        """The pictures that are in memory and up to date."""
        return self._pictures.fresh

    @property
    def picture_px(self) -> int:
        """Side of the square that a picture must fit into, in px of the screen."""
        return round((self._tile_px - 2 * RIM_PX) * self.devicePixelRatioF())

    def set_keys(self, keys: Sequence[int] | NDArray[np.int64], *, keep_place: bool = False) -> None:
        """Show these; with `keep_place` the view does not move, and what is still there stays selected."""
        first, chosen = min(self.selection.places, default=0), self.selected
        self._keys = np.asarray(keys, np.int64)
        if keep_place and chosen:
            kept = set(np.flatnonzero(np.isin(self._keys, chosen)).tolist())
            # Where all that was selected has gone, the next in line is: a row of deletions needs one key alone.
            fallback = {min(first, len(self._keys) - 1)} if len(self._keys) else set()
            self.selection.restore(kept or fallback, count=len(self._keys))
        else:
            self.selection.restore(set(), count=len(self._keys))
        self._arrange()
        if not keep_place:
            self.verticalScrollBar().setValue(0)
        self._refresh()
        self.selection_changed.emit()

    def set_crossed(self, keys: frozenset[int]) -> None:
        """Show these as taken out."""
        self._crossed = keys
        self.viewport().update()

    def set_placeholder(self, text: str) -> None:
        """Say what to do while there is nothing to show."""
        self._placeholder = text
        self.viewport().update()

    def redraw_tiles(self) -> None:
        """Ask for all pictures anew: they look different now. The old ones are shown until then."""
        self._generation += 1
        self._is_waiting = False
        self._pictures.outdate()
        self._refresh()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_asker"):  # Qt tells of it while this is made
            self.redraw_tiles()  # what is written on them has the colours of the theme

    def forget_tiles(self) -> None:
        """Drop all pictures: the keys mean something else now."""
        self._pictures.clear()
        self._tips.clear()
        self.redraw_tiles()

    def put_tiles(self, generation: int, tiles: Mapping[int, QImage], tips: Mapping[int, str] | None = None) -> None:
        """Show pictures that were asked for, drawn to `picture_px`; those of a former generation are dropped."""
        if generation != self._generation:
            return
        self._is_waiting = False
        self._tips.update(tips or {})
        self._pictures.put(tiles, needed=set(self._keys_about_view()))
        self.viewport().update()
        if tiles:
            self._asker.start(0)

    @property
    def tile_px(self) -> int:
        return self._tile_px

    def set_tile_px(self, side: int) -> None:
        """Make the tiles larger or smaller; what is at the top stays there."""
        side = min(max(side, MIN_TILE_PX), MAX_TILE_PX)
        if side != self._tile_px:
            top = self.tiles.in_view().start
            self._tile_px = side
            self._arrange()
            self.verticalScrollBar().setValue(self.tile_rect(top).y() + self.tiles.top - GAP_PX)
            self.redraw_tiles()
            self.tile_px_changed.emit(side)

    @Slot()
    def select_all(self) -> None:
        """Select every picture."""
        self._select_places(set(range(len(self._keys))))

    def select_keys(self, keys: NDArray[np.int64]) -> None:
        """Select these, as far as they are shown."""
        self._select_places(set(np.flatnonzero(np.isin(self._keys, keys)).tolist()))

    def select_key(self, key: int) -> None:
        """Select one picture and bring it into sight."""
        place = self.keys.index(key)
        self.selection.click(place)
        self._show_place(place)
        self._tell()

    # Geometry

    @property
    def tiles(self) -> TileLayout:
        """Where the pictures lie at present."""
        view = self.viewport()
        return TileLayout(len(self._keys), self._tile_px, view.width(), view.height(), self.verticalScrollBar().value())

    def tile_rect(self, place: int) -> QRect:
        """Where the picture at a place is drawn, in px of the viewport."""
        return self.tiles.rect(place)

    def _arrange(self) -> None:
        tiles, bar = self.tiles, self.verticalScrollBar()
        bar.setSingleStep(tiles.step // 2)
        bar.setPageStep(max(tiles.step, tiles.height - tiles.step // 2))
        bar.setRange(0, max(0, tiles.content_height - tiles.height))

    def _keys_about_view(self) -> list[int]:
        shown: list[int] = self._keys[list(self.tiles.about_view())].tolist()
        return shown

    def _show_place(self, place: int) -> None:
        self.verticalScrollBar().setValue(self.tiles.top_to_show(place))

    # Loading

    def _refresh(self) -> None:
        self.viewport().update()
        self._asker.start(0)

    @Slot()
    def _on_asker_timeout(self) -> None:
        """Ask for what is missing, one batch at a time: what was scrolled past meanwhile is never loaded."""
        if self._is_waiting or not self.isVisible():
            return
        missing = self._pictures.missing(self._keys_about_view())
        if missing:
            self._is_waiting = True
            size = BATCH if self._pictures.fresh else FIRST_BATCH
            self.tiles_requested.emit(self._generation, tuple(missing[:size]))

    @override
    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._refresh()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()
        self._refresh()

    # Painting

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self.viewport()), current_theme()
        painter.fillRect(event.rect(), QColor(theme.surround))
        if not len(self._keys):
            painter.setPen(QColor(theme.text_muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(32, 32, -32, -32), int(flags), self._placeholder)
            return
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        tiles = self.tiles
        for place in tiles.in_view():
            rect = tiles.rect(place)
            if rect.intersects(event.rect()):
                self._paint_tile(painter, place, rect)
        if self._band is not None:
            painter.setPen(QPen(QColor(theme.accent), 1))
            shade = QColor(theme.accent)
            shade.setAlpha(40)
            painter.setBrush(shade)
            painter.drawRect(self._band.translated(0, -self.verticalScrollBar().value()))

    def _paint_tile(self, painter: QPainter, place: int, rect: QRect) -> None:
        theme, key = current_theme(), int(self._keys[place])
        is_selected = place in self.selection.places
        if is_selected:
            painter.fillRect(rect, QColor(theme.accent))
        picture = self._pictures.find(key)
        inner = QRectF(rect).adjusted(RIM_PX, RIM_PX, -RIM_PX, -RIM_PX)
        if picture is None:
            painter.fillRect(inner, QColor(theme.panel))
        else:
            painter.setOpacity(FADED if key in self._crossed else 1.0)
            _paint_picture(painter, picture, inner)
            painter.setOpacity(1.0)
        if key in self._crossed:
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
        if place == self.selection.current and self.hasFocus():
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5))

    # Pointer and keys

    def _tell(self) -> None:
        self.viewport().update()
        self.selection_changed.emit()

    def _select_places(self, places: set[int]) -> None:
        self.selection.restore(places, count=len(self._keys))
        self._tell()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place, modifiers = self.tiles.place_at(event.position().toPoint()), event.modifiers()
        if event.button() == Qt.MouseButton.RightButton:
            if place >= 0 and place not in self.selection.places:
                self.selection.click(place)
                self._tell()
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._dragged_from = event.position().toPoint() + QPoint(0, self.verticalScrollBar().value())
        if place < 0:
            if not modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier):
                self.selection.clear()
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.selection.extend_to(place)
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            self.selection.toggle(place)
        else:
            self.selection.click(place)
        self.selection.begin_band()
        self._tell()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged_from is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        top = self.verticalScrollBar().value()
        here = event.position().toPoint() + QPoint(0, top)
        is_far = (here - self._dragged_from).manhattanLength() >= QApplication.startDragDistance()
        if self._band is None and not is_far:
            return
        self._band = QRect(self._dragged_from, here).normalized()
        is_added = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.selection.band(self.tiles.touched_by(self._band.translated(0, -top)), is_added=is_added)
        self._tell()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged_from = self._band = None
        self.viewport().update()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self.tiles.place_at(event.position().toPoint())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(int(self._keys[place]))

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.selection.places:
            return
        position = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = self.selection.current if self.selection.current >= 0 else min(self.selection.places)
            position = self.viewport().mapToGlobal(self.tile_rect(place).center())
        self.menu_requested.emit(position)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_tile_px(round(self._tile_px * WHEEL_STEP ** (event.angleDelta().y() / 120)))
            event.accept()
        else:
            super().wheelEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns, page = self.tiles.columns, self.tiles.page
        last = len(self._keys) - 1
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -last - 1,
            Qt.Key.Key_End: last + 1,
        }
        key = Qt.Key(event.key())
        if key in steps and len(self._keys):
            place = min(max(max(0, self.selection.current) + steps[key], 0), last)
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.selection.extend_to(place)
            else:
                self.selection.click(place)
            self._show_place(place)
            self._tell()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.selection.current in self.selection.places:
            self.activated.emit(int(self._keys[self.selection.current]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.set_tile_px(round(self._tile_px * WHEEL_STEP ** (-1 if key == Qt.Key.Key_Minus else 1)))
        else:
            super().keyPressEvent(event)

    @override
    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            place = self.tiles.place_at(event.pos())
            text = self._tips.get(int(self._keys[place]), "") if place >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return super().viewportEvent(event)


def _paint_picture(painter: QPainter, picture: QImage, inner: QRectF) -> None:
    """Paint a picture in the middle, scaled only where it was drawn for another size."""
    size = picture.deviceIndependentSize()
    scale = min(inner.width() / size.width(), inner.height() / size.height())
    if 0.98 < scale < 1.02:
        x, y = inner.center().x() - size.width() / 2, inner.center().y() - size.height() / 2
        painter.drawImage(QPointF(round(x), round(y)), picture)
        return
    area = QRectF(0, 0, size.width() * scale, size.height() * scale)
    area.moveCenter(inner.center())
    painter.drawImage(area, picture)
