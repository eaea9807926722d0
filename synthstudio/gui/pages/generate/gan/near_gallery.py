"""Synthetic images side by side with the real ones that they are nearest to: has the generator copied?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from synthstudio.core.evaluation.nearest_table import NearestTable, NearPair
from synthstudio.core.imaging import ImageArray, open_image_source, read_image, read_shrunken
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.theme import GRID_PX, Theme, current_theme, scaled_px
from synthstudio.gui.widgets.image_grid import to_qimage
from synthstudio.gui.widgets.saving import save_image
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace

TILE_PX = 216
LINE_SHARE = 0.085
"""Height of a line of words, of the side of a tile."""
INSET_SHARE = 0.02
"""Room before the words, likewise."""


@dataclass(frozen=True, slots=True)
class PairSource:
    """Where the pictures of pairs are found.

    Attributes:
        folder: Of the synthetic images.
        fovs: Of the real ones, by id.
    """

    folder: Path
    fovs: Mapping[int, FieldOfView]


@dataclass(frozen=True, slots=True)
class _Look:
    side: int
    ratio: float
    theme: Theme


class NearGallery(QWidget):
    """Pairs, nearest first; a double click shows the real image.

    Signals:
        pair_opened: (`NearPair`) Show its real image in the viewer.
    """

    pair_opened = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._pairs: dict[int, NearPair] = {}
        self._source = PairSource(Path(), {})
        self.facts = WrappedLabel("muted", self)
        self.grid = TileGrid(self)
        self.grid.setAccessibleName("Synthetic images and the nearest real ones")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.facts)
        column.addWidget(self.grid, 1)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.activated.connect(self._on_grid_activated)
        self.grid.menu_requested.connect(self._on_grid_menu_requested)

    def show_pairs(self, table: NearestTable | None, source: PairSource, *, placeholder: str = "") -> None:
        """Show the pairs of a measurement, or say why there are none."""
        self._source = source
        self._pairs = dict(enumerate(table.pairs)) if table is not None else {}
        self.facts.setText(_words(table) if table is not None else "")
        self.facts.setVisible(table is not None)
        self.grid.set_placeholder(placeholder)
        self.grid.forget_tiles()
        self.grid.set_keys(list(self._pairs))

    @property
    def pairs(self) -> tuple[NearPair, ...]:
        """What is shown, in its order."""
        return tuple(self._pairs.values())

    @property
    def selected(self) -> NearPair | None:
        """The first that is selected."""
        return self._pairs[self.grid.selected[0]] if self.grid.selected else None

    @Slot()
    def open_selected(self) -> None:
        """Show the real image of the first that is selected."""
        if self.selected is not None:
            self.pair_opened.emit(self.selected)

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, keys: tuple[int, ...]) -> None:
        pairs, source = {key: self._pairs[key] for key in keys if key in self._pairs}, self._source
        look = _Look(self.grid.picture_px, self.grid.devicePixelRatioF(), current_theme())

        def draw(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            tiles: dict[int, QImage] = {}
            for key, pair in pairs.items():
                tick(len(tiles), len(pairs))
                tiles[key] = _draw_pair(pair, source, look)
            return tiles, {key: _tip(pair) for key, pair in pairs.items()}

        self._workspace.background.run(
            draw, done=lambda made: self.grid.put_tiles(generation, *made), owner=self, reads_images=True
        )

    @Slot(int)
    def _on_grid_activated(self, key: int) -> None:
        self.pair_opened.emit(self._pairs[key])

    @Slot(QPoint)
    def _on_grid_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show the real image").triggered.connect(self.open_selected)
        tile = self.grid.loaded.get(self.grid.selected[0]) if self.grid.selected else None
        if tile is not None:
            menu.addAction("Copy picture").triggered.connect(lambda: QGuiApplication.clipboard().setImage(tile))
            menu.addAction("Save picture as…").triggered.connect(lambda: save_image(self, tile, "nearest.png"))
        menu.popup(position)


def _words(table: NearestTable) -> str:
    text = f"{table.n_too_near} of {table.n_images} synthetic images are too near to one of {table.n_learned} training"
    text += f" images. Their median distance to the nearest is {table.distance:.3g}"
    if table.held_out_distance is not None:
        text += f"; that of held-out real images is {table.held_out_distance:.3g}"
    return f"{text}."


def _tip(pair: NearPair) -> str:
    found = "its small picture" if pair.by == "picture" else "its features"
    return f"{pair.file}\nNearest by {found}: {pair.fov_name}"


def _draw_pair(pair: NearPair, source: PairSource, look: _Look) -> QImage:
    """Both pictures above, the words below."""
    tile = QImage(look.side, look.side, QImage.Format.Format_RGB32)
    tile.fill(QColor(look.theme.panel))
    half = look.side // 2
    with QPainter(tile) as painter:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for place, pixels in enumerate((_read_synthetic(pair, source), _read_real(pair, source, half))):
            if pixels is not None:
                painter.drawImage(QRectF(place * half, 0, half - 1, half - 1), to_qimage(pixels))
        _paint_words(painter, pair, look, top=half)
    tile.setDevicePixelRatio(look.ratio)
    return tile


def _read_synthetic(pair: NearPair, source: PairSource) -> ImageArray | None:
    try:
        return read_image(source.folder / pair.file)
    except UserError:
        return None  # the set has gone since; the words remain


def _read_real(pair: NearPair, source: PairSource, side: int) -> ImageArray | None:
    fov = source.fovs.get(pair.fov)
    if fov is None:
        return None
    x, y, length = pair.window
    try:
        image = open_image_source(Path(fov.path), fov.page or 0)
        part = max(0, x), max(0, y), min(image.width, x + length), min(image.height, y + length)
        if part[0] >= part[2] or part[1] >= part[3]:
            return None
        shown = min(side, part[2] - part[0], part[3] - part[1])
        return read_shrunken(image, part, (shown, shown))
    except UserError:
        return None  # the list of fields says what is wrong with it


def _paint_words(painter: QPainter, pair: NearPair, look: _Look, *, top: int) -> None:
    line = LINE_SHARE * look.side
    font = QFont(painter.font())
    font.setPixelSize(max(8, round(0.68 * line)))
    painter.setFont(font)
    theme, half, inset = look.theme, look.side // 2, INSET_SHARE * look.side
    head = "Too near" if pair.is_too_near else "No nearer than real ones"
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for left, text in ((0, "synthetic"), (half, "nearest real")):
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(QRectF(left + inset, top, half - inset, 1.2 * line), flags, text)
    rows = (
        (head, theme.danger if pair.is_too_near else theme.text),
        (f"distance {pair.distance:.3g} · correlation {pair.correlation:.2f}", theme.text),
        (pair.fov_name, theme.text_muted),
    )
    for number, (text, color) in enumerate(rows, start=1):
        painter.setPen(QColor(color))
        room = QRectF(inset, top + number * 1.25 * line, look.side - 2 * inset, 1.2 * line)
        fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, round(room.width()))
        painter.drawText(room, flags, fitted)
