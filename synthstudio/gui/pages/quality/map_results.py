"""Beside the map: what was picked on it, or what is most like a picture, and where that leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.crop_tiles import TileLook
from synthstudio.gui.fov_images import THUMBNAIL_FOLDER
from synthstudio.gui.pages.quality.gallery_opening import Place, open_place
from synthstudio.gui.pages.quality.picture_tiles import PictureTile, draw_picture_tiles
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.workspace import Workspace
from synthstudio.project.pictures import Picture

TILE_PX = 112
MOST_TILES = 5000


class MapResults(QWidget):
    """A heading, tiles, and what can be done with them.

    Signals:
        selection_changed: Other tiles are selected.
        similar_requested: (picture) What is most like it is wanted.
        gallery_requested: All tiles are wanted in the gallery.
    """

    selection_changed = Signal()
    similar_requested = Signal(object)
    gallery_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._describe: Callable[[Picture], str] = lambda picture: picture.fov.name
        self.tiles: tuple[PictureTile, ...] = ()
        self.heading = ElidedLabel(self)
        self.heading.setProperty("strong", True)
        self.grid = TileGrid(self)
        self.grid.setAccessibleName("Pictures from the map")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        self.similar = QPushButton("Find similar", self)
        self.similar.setToolTip("Show what is most like the selected picture")
        self.open = QPushButton("Show", self)
        self.open.setToolTip("Show the selected picture where it can be mended")
        self.gallery = QPushButton("In the gallery", self)
        self.gallery.setToolTip("Show all of these in the gallery")
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        for button in (self.similar, self.open, self.gallery):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.heading)
        column.addWidget(self.grid, 1)
        column.addLayout(row)
        self._connect()
        self.show_tiles("", ())

    def _connect(self) -> None:
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.selection_changed.connect(self._refresh)
        self.grid.activated.connect(self._on_grid_activated)
        self.grid.menu_requested.connect(self._on_grid_menu_requested)
        self.similar.clicked.connect(self.ask_for_similar)
        self.open.clicked.connect(self.open_selected)
        self.gallery.clicked.connect(self.gallery_requested)

    def show_tiles(
        self,
        heading: str,
        tiles: Sequence[PictureTile],
        *,
        describe: Callable[[Picture], str] | None = None,
        placeholder: str = "",
    ) -> None:
        """Show other tiles; the first is selected where there is one."""
        self.tiles = tuple(tiles)
        if describe is not None:
            self._describe = describe
        self.heading.setText(heading)
        self.grid.set_placeholder(placeholder)
        self.grid.forget_tiles()
        self.grid.set_keys(range(len(self.tiles)))
        if self.tiles:
            self.grid.select_key(0)
        self._refresh()

    @property
    def chosen(self) -> Picture | None:
        """The first that is selected."""
        selected = self.grid.selected
        return self.tiles[selected[0]].picture if selected else None

    @property
    def found(self) -> list[Picture]:
        """All but what was looked for, if that is no picture of the project or a set."""
        return [each.picture for each in self.tiles if not each.is_query or each.picture.fov.id > 0]

    @Slot()
    def _refresh(self) -> None:
        chosen = self.chosen
        self.similar.setEnabled(chosen is not None)
        self.open.setEnabled(chosen is not None and chosen.fov.id > 0)
        self.gallery.setEnabled(bool(self.found))
        self.selection_changed.emit()

    @Slot()
    def ask_for_similar(self) -> None:
        """Ask for what is most like the selected one."""
        if self.chosen is not None:
            self.similar_requested.emit(self.chosen)

    @Slot()
    def open_selected(self) -> None:
        """Show the selected one in Annotate, or its set in Review."""
        if self.chosen is not None:
            self.open_picture(self.chosen)

    def open_picture(self, picture: Picture) -> None:
        """Show a picture of the project where it is annotated, one of a set where it is judged."""
        fov, mark = picture.fov, picture.mark
        if fov.id <= 0:  # a file that belongs to nothing
            return
        mark_id = mark.id if mark is not None else None
        place = Place(fov.id, Box(0, 0, fov.width, fov.height), mark_id, picture.set_name)
        open_place(self._workspace, place, panel=self)

    @Slot(int)
    def _on_grid_activated(self, key: int) -> None:
        self.open_picture(self.tiles[key].picture)

    @Slot(QPoint)
    def _on_grid_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button, slot in (
            (self.similar, self.ask_for_similar),
            (self.open, self.open_selected),
            (self.gallery, self.gallery_requested.emit),
        ):
            action = menu.addAction(button.text())
            action.setEnabled(button.isEnabled())
            action.triggered.connect(lambda _checked=False, slot=slot: slot())
        menu.popup(position)

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, keys: tuple[int, ...]) -> None:
        tiles, describe = self.tiles, self._describe
        project = self._workspace.project
        keeps = project is not None and not project.is_read_only
        thumbnails = project.folder / THUMBNAIL_FOLDER if project is not None and keeps else None
        look = TileLook(self.grid.picture_px, self.grid.devicePixelRatioF(), current_theme())

        def draw(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            return draw_picture_tiles(tiles, keys, look, thumbnails=thumbnails, describe=describe, tick=tick)

        self._workspace.background.run(
            draw, done=lambda made: self.grid.put_tiles(generation, *made), owner=self, reads_images=True
        )
