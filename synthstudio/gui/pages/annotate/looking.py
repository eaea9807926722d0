"""How the viewer is looked at: what stands back, what helps the eye, and which tiles were read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.reading_grid import ReadingGrid
from synthstudio.gui.errors import Notice, Severity

Switch = Literal["dims_others", "shows_one", "crosshair", "loupe", "grid"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is switched on.

    Attributes:
        dims_others: Classes but the current one are faint.
        shows_one: Classes but the current one are hidden.
        loupe_power: How many times the loupe magnifies what the view shows.
        counts_tiles: The tiles for reading follow from their number, not from their side.
        tile_px: Their side, image px.
        n_columns: Their number across the image.
        n_rows: Their number down the image.
    """

    dims_others: bool = False
    shows_one: bool = False
    crosshair: bool = False
    loupe: bool = False
    loupe_power: int = 4
    grid: bool = False
    counts_tiles: bool = False
    tile_px: int = 512
    n_columns: int = 8
    n_rows: int = 6


class Looking(QObject):
    """Applies the look to the viewer, and remembers for each FOV of the session which tiles were read.

    Signals:
        changed: (`Look`) Something was switched.
    """

    changed = Signal(object)

    def __init__(self, view: FovView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view, self._window = view, parent
        self._fov: FieldOfView | None = None
        self._grids: dict[FovId, ReadingGrid] = {}
        self.look = Look()

    def set_look(self, look: Look) -> None:
        """Show it so from now on."""
        self.look = look
        self._view.set_others_dimmed(look.dims_others)
        self._view.set_crosshair(look.crosshair)
        self._view.set_loupe(look.loupe_power if look.loupe else 0)
        self._show_grid()
        self.changed.emit(look)

    def toggle(self, switch: Switch) -> None:
        """Turn one thing on or off."""
        self.set_look(dataclasses.replace(self.look, **{switch: not getattr(self.look, switch)}))

    def show_fov(self, fov: FieldOfView | None) -> None:
        """Another FOV is shown, or none."""
        self._fov = fov
        self._show_grid()

    def forget(self) -> None:
        """Another project: nothing of it was read."""
        self._grids.clear()

    @property
    def grid(self) -> ReadingGrid | None:
        """The tiles of the shown FOV; with other tiles what was read is forgotten."""
        if self._fov is None:
            return None
        fov, look, known = self._fov, self.look, self._grids.get(self._fov.id)
        if look.counts_tiles:
            wanted = ReadingGrid.of_count(fov.width, fov.height, look.n_columns, look.n_rows)
        else:
            wanted = ReadingGrid.of_size(fov.width, fov.height, look.tile_px)
        return known if known is not None and known.has_tiles_of(wanted) else wanted

    def show_next_tile(self) -> None:
        """Mark the tile that is being read, and show the next unread one as large as it fits."""
        grid = self.grid
        if grid is None:
            return
        if not self.look.grid:
            self.set_look(dataclasses.replace(self.look, grid=True))
        grid = grid.left()
        self._keep(grid)
        if grid.current is None:
            errors.post(Notice(f"All {len(grid):,} tiles are read.", severity=Severity.INFO), parent=self._window)
        else:
            self._view.show_box(grid.tile(grid.current))

    def clear_tiles(self) -> None:
        """Take all tiles of the shown FOV for unread."""
        if (grid := self.grid) is not None:
            self._keep(grid.cleared())

    def _keep(self, grid: ReadingGrid) -> None:
        if self._fov is not None:
            self._grids[self._fov.id] = grid
            self._show_grid()

    def _show_grid(self) -> None:
        self._view.set_grid(self.grid if self.look.grid else None)
