"""The gallery: every image, or every marked object, of the project or of a set, filtered and sorted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.review.gallery import GalleryTable
from synthstudio.core.review.gallery_filter import GalleryChoice, GalleryFilter, GalleryView
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.crop_tiles import TileLook
from synthstudio.gui.pages.quality.gallery_bar import ALL_CHIPS, FilterChips, GalleryBar
from synthstudio.gui.pages.quality.gallery_filters import GalleryFilters, words_of
from synthstudio.gui.pages.quality.gallery_opening import open_elsewhere
from synthstudio.gui.pages.quality.gallery_picks import GalleryPicks, GalleryRows, rows_of
from synthstudio.gui.pages.quality.gallery_specs import gallery_actions
from synthstudio.gui.pages.quality.gallery_tags import GalleryTags
from synthstudio.gui.pages.quality.gallery_tiles import (
    GalleryOffer,
    GallerySource,
    draw_gallery_tiles,
    read_gallery,
    read_offer,
)
from synthstudio.gui.pages.quality.gallery_views import GalleryViews
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

TILE_PX = 120
ROW_KINDS = frozenset({"fovs", "annotations", "classes", "sets", "samples"})
FACT_KINDS = frozenset({"tags", "views", "verdicts", "patch_verdicts", "runs", "suggestions"})
PICKED = "pick:"
GalleryWish = tuple[str, GalleryView, str, GalleryTable | None]
"""Set, view, where scores come from, and rows that are not to be read again."""
GalleryFacts = tuple[GalleryOffer, GallerySource]


class GalleryPanel(ReadingPanel[GalleryWish, GalleryFacts]):
    """Filters at the left, tiles at the right; Ctrl and wheel change the size of the tiles.

    Signals:
        rows_selected: (GalleryRows) Other tiles are selected.
        menu_filled: (QMenu) The menu of the selected tiles is about to be shown; who can do more adds to it.
    """

    rows_selected = Signal(object)
    menu_filled = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=ROW_KINDS)
        self._source: GallerySource | None = None
        self._kept: GalleryTable | None = None
        self._reads_rows = False
        self._view: GalleryView = "images"
        self.picks = GalleryPicks()
        self.bar = GalleryBar(self)
        self.data, self.view, self.sorts = self.bar.data, self.bar.view, self.bar.sorts
        self.falling, self.boxes, self.zoom = self.bar.falling, self.bar.boxes, self.bar.zoom
        self.filters_button = self.bar.filters_button
        self.count = QLabel(self)
        self.count.setProperty("muted", True)
        self.view.set_value(self._view)
        self.filters = GalleryFilters(self)
        self.chips = FilterChips(self)
        self.grid = TileGrid(self)
        self.grid.setAccessibleName("Gallery")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        self.zoom.setValue(self.grid.tile_px)
        self.tags = GalleryTags(workspace, lambda: self.selected_rows, self)
        self.views = GalleryViews(
            workspace, self.filters, chosen=lambda: self.choice, adopt=self.adopt_choice, panel=self
        )
        self._lay_out()
        self._connect()
        self._fit_choices()

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(2 * GRID_PX)
        told = QHBoxLayout()
        told.setSpacing(4 * GRID_PX)
        told.addWidget(self.count, 0, Qt.AlignmentFlag.AlignTop)
        told.addWidget(self.chips, 1)
        told.addStretch()
        column.addWidget(self.bar)
        column.addLayout(told)
        column.addWidget(self.grid, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 0)
        layout.setSpacing(2 * GRID_PX)
        layout.addWidget(self.filters)
        layout.addLayout(column, 1)

    def _connect(self) -> None:
        self.data.currentIndexChanged.connect(self._on_data_changed)
        self.view.chosen.connect(self.choose_view)
        self.sorts.currentIndexChanged.connect(self._list)
        self.falling.toggled.connect(self._list)
        self.boxes.toggled.connect(lambda _on: self.grid.redraw_tiles())
        self.zoom.valueChanged.connect(self.grid.set_tile_px)
        self.grid.tile_px_changed.connect(self.zoom.setValue)
        self.filters_button.toggled.connect(self.filters.setVisible)
        self.filters.changed.connect(self._list)
        self.filters.scores_chosen.connect(self._read_facts)
        self.chips.dropped.connect(self.drop)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.activated.connect(self.open_row)
        self.grid.menu_requested.connect(self._on_grid_menu_requested)
        self.grid.selection_changed.connect(self._on_grid_selection_changed)

    # What is shown

    @property
    def set_name(self) -> str:
        """The set that is shown; empty for the project."""
        return self.data.currentData() or ""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of all classes; none before anything is read."""
        return self._source.table.class_names if self._source is not None else ()

    @Slot(str)
    def choose_view(self, view: GalleryView) -> None:
        """Show "images" or "objects"."""
        self._view = view
        self.view.set_value(view)
        self._read_rows()

    @Slot()
    def _on_data_changed(self) -> None:
        self.picks.keep_of(self.set_name)
        self._read_rows()

    @override
    def _wish(self) -> GalleryWish:
        return self.set_name, self._view, self.filters.scores.currentData() or "", self._kept

    @override
    def _find(self, project: Project, wish: GalleryWish, tick: Tick) -> GalleryFacts:
        set_name, view, score_of, kept = wish
        source = read_gallery(project, set_name, view, score_of=score_of, table=kept)
        return read_offer(project, set_name), source

    @override
    def _offer(self, project: Project | None) -> None:
        self._kept, self._reads_rows = None, True

    def _read_rows(self) -> None:
        """Read other rows, or those that there are now."""
        self._kept, self._reads_rows = None, True
        self._read()

    @Slot()
    def _read_facts(self) -> None:
        """Read anew what people and runs have said about the rows; those stay, unless others are just being read."""
        self._kept = self._source.table if self._source is not None and not self._reads_rows else None
        self._read()

    def _adopt_offer(self, offer: GalleryOffer) -> None:
        self.bar.offer_sets(offer.sets)
        self.views.offer(offer.views)
        self.filters.offer_scores(offer.scores)

    @override
    def _adopt(self, facts: GalleryFacts | None) -> None:
        former, chosen = self._source, self.selected_rows
        offer, self._source = facts if facts is not None else (GalleryOffer(), None)
        if not self.has_failed:  # or another set could not be chosen
            self._adopt_offer(offer)
        self._fit_choices()
        if former is not None and self._source is not None and former.table is self._source.table:
            self._show_rows(keep_place=True)
            self.grid.redraw_tiles()  # what is written on them, and tips
            return
        self._reads_rows = False
        self.grid.forget_tiles()
        self._show_rows(keep_place=former is not None)
        source = self._source
        if source is not None and chosen.view == self._view and chosen.set_name == self.set_name and len(chosen.ids):
            self.grid.select_keys(np.flatnonzero(np.isin(source.table.ids, chosen.ids)))

    def _fit_choices(self) -> None:
        source = self._source
        if source is not None:
            self.filters.offer(source.table, source.facts)
        self.bar.offer_sorts(self._view)

    # Choosing

    @property
    def wanted(self) -> GalleryFilter:
        """What the filters say."""
        return self.filters.wanted

    @property
    def choice(self) -> GalleryChoice:
        """All that is chosen but picks."""
        return GalleryChoice(
            set_name=self.set_name,
            view=self._view,
            wanted=self.wanted,
            by=self.sorts.currentData(),
            is_falling=self.falling.isChecked(),
            score_of=self.filters.scores.currentData() or "",
            has_boxes=self.boxes.isChecked(),
        )

    def adopt_choice(self, choice: GalleryChoice) -> None:
        """Show what was chosen at another time."""
        self.picks.clear()
        self.bar.choose_data(choice.set_name)
        self._view = choice.view
        self.view.set_value(choice.view)
        self.bar.offer_sorts(choice.view)
        self.bar.choose_order(choice.by, is_falling=choice.is_falling)
        self.filters.set_wanted(choice.wanted, score_of=choice.score_of)
        self.boxes.setChecked(choice.has_boxes)
        self._read_rows()

    def show_rows(
        self,
        name: str,
        ids: Collection[int] | NDArray[np.int64],
        *,
        view: GalleryView,
        words: str,
        set_name: str = "",
    ) -> None:
        """Show what something else has picked, until its chip is dropped; the filters go on working on top of it.

        Args:
            name: Of who picks: its next pick takes the place of this one; picks of several must all hold.
            ids: Of FOVs, or of annotations; in a set those that its listing gives.
            view: Which of them they are.
            words: What stands on the chip.
            set_name: The set that they are of; empty for the project.
        """
        former = self.set_name, self._view
        self.bar.choose_data(set_name)
        self.picks.put(name, rows_of(view, set_name, ids), words)
        if (set_name, view) == former and self._source is not None:
            self._list()
        else:
            self.choose_view(view)

    def drop_rows(self, name: str) -> None:
        """Show again what a pick has left out."""
        if self.picks.drop(name):
            self._list()

    @Slot(str)
    def drop(self, link: str) -> None:
        """Drop the filter or the pick of a chip; `ALL_CHIPS` drops all of them."""
        if link == ALL_CHIPS:
            self.picks.clear()
            self.filters.set_wanted(GalleryFilter())
            self._list()
        elif link.startswith(PICKED):
            self.drop_rows(link.removeprefix(PICKED))
        else:
            self.filters.drop(link)

    def drop_all(self) -> None:
        """Show everything."""
        self.drop(ALL_CHIPS)

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self._chips())

    def _chips(self) -> list[tuple[str, str]]:
        return [*((f"{PICKED}{name}", words) for name, words in self.picks.words), *words_of(self.wanted)]

    @Slot()
    def _list(self) -> None:
        self._show_rows(keep_place=False)

    def _show_rows(self, *, keep_place: bool) -> None:
        source = self._source
        self.chips.show_chips(self._chips())
        if source is None:
            is_open = self._workspace.project is not None
            nothing = "Reading…" if is_open else "Open a project first."
            self.grid.set_placeholder(" ".join(UNREADABLE) if self.has_failed else nothing)
            self.grid.set_keys(())
            self.count.setText("")
            return
        table = source.table
        by, is_falling = self.sorts.currentData(), self.falling.isChecked()
        rows = table.select(self.wanted, source.facts, by=by, is_falling=is_falling)
        rows = rows[self.picks.mask(table)[rows]]
        what = "objects" if table.has_objects else "images"
        self.count.setText(f"{len(rows):,} of {len(table):,} {what}")
        nothing = "No objects are marked yet: mark" if table.has_objects else "No images yet: import"
        nothing = f"{nothing} some in Annotate."
        self.grid.set_placeholder(f"No {what} like this. Drop a filter above." if len(table) else nothing)
        self.grid.set_keys(rows, keep_place=keep_place)
        self.actions_outdated.emit()

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, rows: tuple[int, ...]) -> None:
        source = self._source
        if source is None:
            return
        look = TileLook(self.grid.picture_px, self.grid.devicePixelRatioF(), current_theme())
        has_boxes = self.boxes.isChecked()

        def draw(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            return draw_gallery_tiles(source, rows, look, has_boxes=has_boxes, tick=tick)

        self._workspace.background.run(
            draw, done=lambda made: self.grid.put_tiles(generation, *made), owner=self, reads_images=True
        )

    # Where it leads

    @property
    def selected_rows(self) -> GalleryRows:
        """What is selected."""
        source, none = self._source, np.zeros(0, np.int64)
        ids = source.table.ids[self.grid.selected] if source is not None and self.grid.selected else none
        return GalleryRows(source.table.view if source is not None else "images", self.set_name, ids)

    @property
    def has_selection(self) -> bool:
        """Whether a tile is selected."""
        return self._source is not None and bool(self.grid.selection.places)

    @Slot()
    def _on_grid_selection_changed(self) -> None:
        self.actions_outdated.emit()
        self.rows_selected.emit(self.selected_rows)

    @Slot()
    def open_selected(self) -> None:
        """Go to the first that is selected."""
        if self.has_selection:
            self.open_row(self.grid.selected[0])

    @Slot(int)
    def open_row(self, row: int) -> None:
        """Show an image or object of the project in Annotate; of a set, the set in Review."""
        if self._source is not None:
            open_elsewhere(self._workspace, self._source, row, set_name=self.set_name, panel=self)

    @Slot()
    def copy_names(self) -> None:
        """Put the names of the selected images on the clipboard, one a line."""
        source = self._source
        if source is not None:
            places = dict.fromkeys(source.table.fov[self.grid.selected].tolist())
            QGuiApplication.clipboard().setText("\n".join(source.table.images.names[place] for place in places))

    @Slot(QPoint)
    def _on_grid_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show").triggered.connect(self.open_selected)
        if self._workspace.is_writable:
            menu.addAction("Tags…").triggered.connect(self.tags.open)
        menu.addAction("Copy the names of the images").triggered.connect(self.copy_names)
        self.menu_filled.emit(menu)
        menu.popup(position)

    @override
    def _forget(self) -> None:
        self.picks.clear()
        self.filters.set_wanted(GalleryFilter())
        self._source = None

    @Slot(object)
    @override
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        super()._on_workspace_records_changed(changed)
        if ROW_KINDS.isdisjoint(changed.kinds) and not FACT_KINDS.isdisjoint(changed.kinds):
            if self.isVisible():
                self._read_facts()
            else:
                self._is_stale = True

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return gallery_actions(self, self._workspace, area=self)
