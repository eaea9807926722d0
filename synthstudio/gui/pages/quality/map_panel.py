"""Which pictures are like which: a map of all images or objects, a lasso, and a search for what is like one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.client.session import stored_settings
from synthstudio.core.imaging import IMAGE_SUFFIXES
from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.quality.chart_picks import ChartPick
from synthstudio.gui.pages.quality.map_board import MapBoard
from synthstudio.gui.pages.quality.map_facts import (
    FoundLike,
    MapFacts,
    ShownMap,
    can_describe,
    find_like,
    read_map,
)
from synthstudio.gui.pages.quality.map_results import MOST_TILES, MapResults
from synthstudio.gui.pages.quality.map_side import MapSide
from synthstudio.gui.pages.quality.map_specs import map_actions
from synthstudio.gui.pages.quality.picture_tiles import PictureTile
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.job_state import JobState, JobStateLabel
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.features import outside_picture
from synthstudio.project.pictures import Picture, find_picture
from synthstudio.settings.embed import EmbedSettings

FOLLOWED = ("runs", "sets", "fovs", "annotations", "classes", "samples")
N_SIMILAR = 48
MAP_PX, TILES_PX = 620, 420
EMPTY = (
    "No map of the pictures yet",
    "It puts images, and marked objects, beside those that look like them: groups, outliers, and what is like one"
    " picture are then seen at once. About 3 ms a picture; only what has changed is described again.",
)
MAKE_WORDS = "Make the map"
HINT = (
    "Draw a line around points to see their pictures, click one, double-click to show it. Drop an image file here to"
    " find what is like it."
)
NOTHING: Mapping[GalleryView, str] = {
    "images": "No images are on the map: press Update.",
    "objects": "No objects are on the map: press Update; where none are marked, mark some in Annotate first.",
}
IMAGE_FILTER = "Images ({})".format(" ".join(f"*{suffix}" for suffix in IMAGE_SUFFIXES))


class MapPanel(ReadingPanel[GalleryView, MapFacts]):
    """The map at the left, tiles of what is picked or found beside it, the settings at the right on demand.

    Signals:
        picked: (`ChartPick`) Some pictures are wanted in the gallery.
    """

    picked = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=FOLLOWED, follows_jobs=True)
        self._facts = MapFacts()
        self._wanted: Picture | None = None
        self.view = Segments([("images", "Images", ""), ("objects", "Objects", "One point for each object")], self)
        self.view.set_value("images")
        self._view: GalleryView = "images"
        self.file_button = QPushButton("Like a file…", self)
        self.file_button.setToolTip("Find what is most like an image file outside the project; or drop it here")
        self.update_button = QPushButton("Update", self)
        self.settings_button = QPushButton("Settings", self)
        self.settings_button.setCheckable(True)
        self.state = JobStateLabel(self)
        self.board = MapBoard(self)
        self.map = self.board.map
        self.export_button = ExportButton({"Map": self.map}, self)
        self.results = MapResults(workspace, self)
        self.empty = NextStep()
        self.stack = QStackedWidget(self)
        self.side = MapSide(self)
        self.side.hide()
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._adopt(None)

    def _lay_out(self) -> None:
        self.view.fit_texts()
        bar = QHBoxLayout()
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.view)
        bar.addWidget(QLabel("Colour by", self))
        bar.addWidget(self.board.grouping)
        bar.addStretch(1)
        for button in (self.file_button, self.update_button, self.export_button, self.settings_button):
            bar.addWidget(button)
        halves = QSplitter(Qt.Orientation.Horizontal, self)
        halves.addWidget(self.board)
        halves.addWidget(self.results)
        halves.setChildrenCollapsible(False)
        halves.setSizes([scaled_px(MAP_PX), scaled_px(TILES_PX)])
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(halves)
        main = QVBoxLayout()
        main.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        main.setSpacing(2 * GRID_PX)
        main.addLayout(bar)
        main.addWidget(self.state)
        main.addWidget(self.stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(main, 1)
        layout.addWidget(self.side)

    def _connect(self) -> None:
        self.view.chosen.connect(self.choose_view)
        self.file_button.clicked.connect(self.ask_for_file)
        for button in (self.update_button, self.empty.button):
            button.clicked.connect(self.start)
        self.side.start_requested.connect(self.start)
        self.settings_button.toggled.connect(self.side.setVisible)
        self.map.selection_changed.connect(self._show_selected)
        self.map.activated.connect(self._on_map_activated)
        self.board.similar_requested.connect(self.results.ask_for_similar)
        self.results.similar_requested.connect(self.find_similar)
        self.results.gallery_requested.connect(self.show_in_gallery)
        self.results.selection_changed.connect(self.actions_outdated)

    # What is shown

    @property
    def shown(self) -> ShownMap | None:
        """The map, once there is one."""
        return self._facts.shown

    @override
    def _wish(self) -> GalleryView:
        return self._view

    @override
    def _find(self, project: Project, wish: GalleryView, tick: Tick) -> MapFacts:
        return read_map(project, wish)

    @override
    def _forget(self) -> None:
        self._wanted = None

    @Slot(str)
    def choose_view(self, view: GalleryView) -> None:
        """Show "images" or "objects"."""
        if view != self._view:
            self._view = view
            self.view.set_value(view)
            self.refresh()

    @override
    def _adopt(self, facts: MapFacts | None) -> None:
        self._facts = facts = facts or MapFacts()
        shown, can_start = facts.shown, self._workspace.is_writable
        if not self.has_failed:  # or the model that was chosen would no longer be
            self.side.fit(facts.models, can_start=can_start)
        for widget in (self.update_button, self.empty.button):
            widget.setEnabled(can_start)
        self.file_button.setEnabled(shown is not None or can_start)
        self.state.show_state(JobState(self._state_words(facts), facts.state.has_failed))
        self.empty.show_step(*((*UNREADABLE, "") if self.has_failed else (*EMPTY, MAKE_WORDS)))
        self.stack.setCurrentIndex(1 if shown is not None else 0)
        for widget in (self.update_button, self.export_button):
            widget.setVisible(shown is not None)
        self.board.show_map(shown, placeholder=NOTHING[self._view])
        self._show_selected()
        wanted = self._wanted
        if wanted is not None and shown is not None and can_describe(wanted, shown):
            self.find_similar(wanted)

    def _state_words(self, facts: MapFacts) -> str:
        shown = facts.shown
        words = [facts.state.words] if facts.state.words else []
        if shown is not None and shown.n_new:
            words.append(f"{shown.n_new:,} {self._view} of the project are not on the map yet: press Update.")
        return " ".join(words)

    @Slot()
    def _show_selected(self) -> None:
        shown, rows = self.shown, self.map.selected
        if shown is None or not len(rows):
            self.results.show_tiles("", (), placeholder=HINT if shown is not None else "")
            return
        tiles = [
            PictureTile(picture, self.board.caption(picture))
            for picture in (shown.pictures[row] for row in rows[:MOST_TILES].tolist())
        ]
        part = f"; the first {MOST_TILES:,} are shown" if len(rows) > MOST_TILES else ""
        self.results.show_tiles(
            f"{len(rows):,} picked: {self.board.counts(rows)}{part}", tiles, describe=self.board.describe
        )

    # What is like one

    @Slot(object)
    def find_similar(self, picture: Picture) -> None:
        """Show what is most like a picture: one of the project, of a set, or a file; it is described first if need
        be."""
        view: GalleryView = "objects" if picture.mark is not None else "images"
        self._wanted = picture
        if picture.fov.id > 0 and view != self._view:
            self.choose_view(view)  # the search follows once that is read
            return
        shown = self.shown
        if shown is None or not can_describe(picture, shown):
            self._describe_first(picture)
            return

        def done(found: FoundLike) -> None:
            if self.shown is shown and self._wanted is picture:
                self._wanted = None
                self._show_found(picture, found, shown)

        self._workspace.background.run(
            lambda _tick: find_like(picture, shown, count=N_SIMILAR),
            done=done,
            failed=partial(errors.report, parent=self),
            owner=self,
        )

    def _show_found(self, picture: Picture, found: FoundLike, shown: ShownMap) -> None:
        self.map.select(found.rows)
        tiles = [PictureTile(picture, "looked for", is_query=True)]
        tiles += [
            # First what differs: the name of an image takes all the room there is.
            PictureTile(each.picture, f"{each.distance:.2f}  {self.board.caption(each.picture)}")
            for each in found.similar
        ]
        name = self.board.describe(picture).splitlines()[0]
        self.results.show_tiles(f"Most like {name}, of {len(shown.search):,}", tiles, describe=self.board.describe)

    def _describe_first(self, picture: Picture) -> None:
        """The engine describes it; what is like it is shown when the new map is read."""
        if self._facts.is_under_way:
            return  # a map is under way: it may be on that
        self._submit(files=(picture.fov.path,) if picture.fov.id <= 0 else ())

    def find_like_one(self, number: int, *, is_object: bool, set_name: str = "") -> None:
        """Show what is most like an annotation, or an image, of the project or a set, by its id."""
        project = self._workspace.require_project()

        def done(picture: Picture | None) -> None:
            if picture is not None and self._workspace.project is project:
                self.find_similar(picture)

        self._workspace.background.run(
            lambda _tick: find_picture(project, number, is_object=is_object, set_name=set_name),
            done=done,
            failed=partial(errors.report, parent=self),
            owner=self,
        )

    @Slot()
    def ask_for_file(self) -> None:
        """Ask for an image file, and show what is like it."""
        errors.ask.file(
            self,
            title="Find what is like an image",
            start=Path.home(),
            name_filter=IMAGE_FILTER,
            answered=self.find_file,
        )

    def find_file(self, path: Path) -> None:
        """Show what is most like an image file."""
        self._workspace.background.run(
            lambda _tick: outside_picture(path),
            done=self.find_similar,
            failed=partial(errors.report, parent=self),
            owner=self,
            reads_images=True,
        )

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._workspace.project is not None and _dropped_image(event.mimeData()) is not None:
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_image(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.find_file(path)

    # Where it leads

    @Slot()
    def show_in_gallery(self) -> None:
        """Show the tiles in the gallery: those of the project, or of the set that most of them are of."""
        pictures = self.results.found
        if not pictures:
            return
        name = Counter(each.set_name for each in pictures).most_common(1)[0][0]
        own = [each for each in pictures if each.set_name == name]
        ids = np.array([each.mark.id if each.mark is not None else each.fov.id for each in own], np.int64)
        view: GalleryView = "objects" if own[0].mark is not None else "images"
        self.picked.emit(ChartPick("map", view, ids, name, f"on the map: {self.results.heading.text()}"))

    @Slot(int)
    def _on_map_activated(self, row: int) -> None:
        if self.shown is not None:
            self.results.open_picture(self.shown.pictures[row])

    # Making it

    @Slot()
    def start(self) -> None:
        """Queue a new map with the settings of the form; its progress is in the job bar."""
        self._submit()

    def _submit(self, *, files: tuple[str, ...] = ()) -> None:
        settings = self.side.find_settings()
        shown = self.shown
        if files and shown is not None:  # as the map was made
            made = stored_settings(shown.run)
            assert isinstance(made, EmbedSettings)  # or it would be no map
            settings = made
        if settings is None:
            return
        try:
            self._workspace.submit(settings.model_copy(update={"files": files}), title="Map of the pictures")
        except UserError as error:
            self._wanted = None
            errors.report(error, parent=self)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return map_actions(self, self._workspace, area=self)


def _dropped_image(data: QMimeData) -> Path | None:
    """The one image file that is dragged, if it is one."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].suffix.lower() in IMAGE_SUFFIXES else None
