"""The images of a set as a reviewer goes through them: which set, which of its images, as a grid or one by one."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, Verdict
from synthstudio.gui import errors
from synthstudio.gui.pages.review.badges import ReviewGrid
from synthstudio.gui.pages.review.review_tiles import draw_review_tile
from synthstudio.gui.pages.review.set_book import SetBook, open_set_book
from synthstudio.gui.pages.review.single_view import N_AHEAD, N_BEHIND, ImagesAhead, LoadedImage, SingleView
from synthstudio.gui.pages.review.verdict_desk import Shown, VerdictDesk
from synthstudio.gui.pages.review.verdict_side import VerdictSide
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace
from synthstudio.project.verdict_reasons import list_reasons

TILE_PX = 132
COMBO_PX = 150
SETTLE_MS, AGREEMENT_MS = 120, 400
"""After the last key, until the sources of an image are read, and the reviewers are compared."""
SHOWN_WORDS = {
    Shown.ALL: "All",
    Shown.UNDECIDED: "Undecided",
    Shown.ACCEPTED: "Accepted",
    Shown.REJECTED: "Rejected",
    Shown.UNSURE: "Unsure",
    Shown.DISAGREED: "Disagreed",
}
Opened = tuple[SetBook, list[Verdict]]


class ImagesPanel(QWidget):
    """A set, its images with their signs, and the column beside them; how they are judged comes with `VerdictsPanel`.

    Signals:
        actions_outdated: Other actions may be possible now.
    """

    actions_outdated = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.book: SetBook | None = None
        self.desk: VerdictDesk | None = None
        self.reasons: tuple[str, ...] = ()
        self._colors: dict[str, str] = {}
        self._reason_for: list[int] = []
        self._known_changes: Changes | None = None
        self._shown_since = time.monotonic()
        self._is_stale = True
        self._is_moving = False
        self._is_final = False
        self.sets = self._combo("Set")
        self.filter = self._combo("Which images")
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.progress = ElidedLabel(self)
        self.progress.setProperty("muted", True)
        self.grid = ReviewGrid(self)
        self.grid.setAccessibleName("Images of the set")
        self.grid.set_tile_px(scaled_px(TILE_PX))
        self.single = SingleView(self)
        self.side = VerdictSide(self)
        self.views, self.stack = QStackedWidget(self), QStackedWidget(self)
        self.ahead = ImagesAhead(workspace.background, self, partial(errors.report, parent=self))
        self._settler, self._comparer = self._timer(SETTLE_MS), self._timer(AGREEMENT_MS)
        self._lay_out()
        self._connect()

    def _combo(self, name: str) -> QComboBox:
        combo = ElidedCombo(self)
        combo.setAccessibleName(name)
        combo.setMinimumWidth(scaled_px(COMBO_PX))
        return combo

    def _timer(self, wait_ms: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(wait_ms)
        return timer

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        for words, widget in (("Set", self.sets), ("Show", self.filter)):
            bar.addWidget(QLabel(words, self))
            bar.addWidget(widget)
        bar.addWidget(self.boxes)
        bar.addWidget(self.progress, 1)
        self.views.addWidget(self.grid)
        self.views.addWidget(self.single)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addLayout(bar)
        left.addWidget(self.views, 1)
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(self.side)
        text = "Write a set in Generate, then judge its images here, by one key each."
        self.stack.addWidget(NextStep("There is no set to judge yet.", text))
        self.stack.addWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)

    def _connect(self) -> None:
        self.sets.currentIndexChanged.connect(self._on_sets_current_index_changed)
        self.filter.currentIndexChanged.connect(self._on_filter_current_index_changed)
        self.boxes.toggled.connect(self._on_boxes_toggled)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.selection_changed.connect(self._on_grid_selection_changed)
        self.grid.activated.connect(lambda _index: self.show_single())
        self.single.step_requested.connect(self.step)
        self.single.close_requested.connect(self.show_grid)
        self.side.source_section.folded_changed.connect(lambda _folded: self._settler.start())
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._workspace.set_wanted.connect(self.refresh)
        self._workspace.preferences_changed.connect(self._on_workspace_preferences_changed)

    # Which set

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.refresh()

    def refresh(self) -> None:
        """Read the sets anew; the chosen one stays chosen. A hidden panel waits until it is shown."""
        if not self.isVisible():
            self._is_stale = True
            return
        self._is_stale = False
        project, chosen = self._workspace.project, self._workspace.wanted_set or self.sets.currentData()
        self._workspace.wanted_set = ""
        listed = list(reversed(project.sets.list())) if project is not None else []
        fill_choice(self.sets, [(f"{item.name} ({item.n_images:,})", item.name) for item in listed], chosen=chosen)
        self.stack.setCurrentIndex(1 if listed else 0)
        self._colors = {each.name: each.color for each in project.classes.list()} if project is not None else {}
        self._show_reasons()
        self._open_set()

    def choose_set(self, name: str) -> None:
        """Judge the images of a set."""
        self.sets.setCurrentIndex(self.sets.findData(name))

    @Slot()
    def _on_sets_current_index_changed(self) -> None:
        self._adopt(None)
        self._open_set()

    def _open_set(self) -> None:
        project, name = self._workspace.project, self.sets.currentData()
        if project is None or name is None:
            self._adopt(None)
            return

        def work(_tick: Tick) -> Opened:
            return open_set_book(project.set_folder(name)), project.verdicts.list(name)

        def done(opened: Opened) -> None:
            if self._workspace.project is project and self.sets.currentData() == name:
                self._adopt(opened)

        self._workspace.background.run(work, done=done, failed=partial(errors.report, parent=self), owner=self)

    def _adopt(self, opened: Opened | None) -> None:
        """Show a set; what was selected stays so where it is the same one."""
        former = self.book.folder if self.book is not None else None
        if opened is None:
            self.book = self.desk = None
        else:
            self.book, verdicts = opened
            self.desk = VerdictDesk(self._workspace.preferences.author_name, self.book.indices, verdicts)
        self.grid.desk = self.desk
        self.ahead.set_book(self.book)
        self._reason_for = []
        self.grid.forget_tiles()
        self._show_filter()
        self._list_images(keep_place=self.book is not None and self.book.folder == former)
        if self.book is None:
            self.single.show_image(None, {})
        self._comparer.start()

    # Which images

    @property
    def shown(self) -> Shown:
        """The filter."""
        return Shown(self.filter.currentData() or Shown.ALL)

    def set_shown(self, shown: Shown) -> None:
        """Show the images of a filter."""
        self.filter.setCurrentIndex(self.filter.findData(shown.value))

    def _show_filter(self) -> None:
        """Write the counts beside the filters, and how far the reviewer has come."""
        desk = self.desk
        if not self.filter.count():
            self.filter.blockSignals(True)
            for shown in Shown:
                self.filter.addItem(SHOWN_WORDS[shown], shown.value)
            self.filter.blockSignals(False)
        for place, shown in enumerate(Shown):
            n_images = desk.count(shown) if desk is not None else 0
            self.filter.setItemText(place, f"{SHOWN_WORDS[shown]} ({n_images:,})")
        if desk is None:
            self.progress.setText("")
            return
        n_judged = len(desk.indices) - desk.count(Shown.UNDECIDED)
        text = f"{n_judged:,} of {len(desk.indices):,} judged by {desk.reviewer}"
        self.progress.setText(f"{text} · settling for all reviewers" if self._is_final else text)

    @Slot()
    def _on_filter_current_index_changed(self) -> None:
        self._list_images(keep_place=False)

    def _list_images(self, *, keep_place: bool) -> None:
        keys = self.desk.select(self.shown) if self.desk is not None else []
        self.grid.set_placeholder(f"No image of this set is {self.shown}." if self.desk is not None else "")
        self._is_moving = keep_place
        self.grid.set_keys(keys, keep_place=keep_place)
        if keys and not self.grid.selected:
            self.grid.select_key(keys[0])
        self._is_moving = False
        self._show_signs()

    @Slot(bool)
    def _on_boxes_toggled(self, visible: bool) -> None:
        self.single.set_boxes_visible(visible)
        self.grid.redraw_tiles()
        self.actions_outdated.emit()

    @property
    def is_single(self) -> bool:
        """Whether one image fills the view."""
        return self.views.currentWidget() is self.single

    def show_single(self) -> None:
        """Show the current image alone."""
        if self.grid.selected:
            self.grid.select_key(self.grid.selected[0])
            self.views.setCurrentWidget(self.single)
            self.single.setFocus()
            self._show_current()

    def show_grid(self) -> None:
        """Show all images of the filter."""
        self.views.setCurrentWidget(self.grid)
        self.grid.setFocus()

    @Slot()
    def toggle_single(self) -> None:
        """Change between one image and all."""
        self.show_grid() if self.is_single else self.show_single()

    @Slot(int)
    def step(self, step: int) -> None:
        """Go `step` images on; stays at the ends."""
        keys, chosen = self.grid.keys, self.grid.selected
        if keys:
            place = keys.index(chosen[0]) + step if chosen else 0
            self.grid.select_key(keys[min(max(place, 0), len(keys) - 1)])

    @Slot()
    def go_to_undecided(self) -> None:
        """Go to the next image that the reviewer has not judged; the filter gives way where it hides it."""
        if self.desk is None:
            return
        start = self.grid.selected[0] if self.grid.selected else self.desk.indices.start - 1
        found = self.desk.next_undecided(start)
        if found is None:
            return
        if found not in self.grid.keys:
            self.set_shown(Shown.UNDECIDED)
        self.grid.select_key(found)

    @Slot()
    def _on_grid_selection_changed(self) -> None:
        self._shown_since = time.monotonic()
        if not self._is_moving:
            self._reason_for = []
            self._show_status("")
        self._show_current()
        self.actions_outdated.emit()

    def _show_current(self) -> None:
        """Show the first selected image where one fills the view, and have its sources read when the hand rests."""
        self._settler.start()
        chosen = self.grid.selected
        for button in self.side.buttons.values():
            button.setEnabled(bool(chosen))
        if self.is_single:
            if not chosen:
                self.single.show_image(None, {})
                self.single.set_placeholder(f"No image of this set is {self.shown}.")
                return
            keys = self.grid.keys
            place = keys.index(chosen[0])
            near = (*keys[place + 1 : place + 1 + N_AHEAD], *keys[max(0, place - N_BEHIND) : place])
            self.ahead.show(chosen[0], self._on_image_loaded, neighbours=near)

    def _on_image_loaded(self, loaded: LoadedImage) -> None:
        self.single.show_image(loaded, self._colors)
        self._show_signs()

    def _show_signs(self) -> None:
        index = self.single.index
        if self.desk is not None and index is not None:
            signs = [self.desk.mark_of(index)]
            if self._shows_others and self.desk.is_disagreed(index):
                signs.append(Outcome.DISAGREED)
            self.single.set_outcomes(signs)
        self.grid.shows_others = self._shows_others
        self.grid.viewport().update()

    @property
    def _shows_others(self) -> bool:
        """Whether the verdicts of other reviewers may be seen: a reading is independent."""
        return self.shown is Shown.DISAGREED or self._is_final

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, indices: tuple[int, ...]) -> None:
        book, colors = self.book, self._colors
        if book is None:
            return
        side, ratio, has_boxes = self.grid.picture_px, self.grid.devicePixelRatioF(), self.boxes.isChecked()

        def work(tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            tiles: dict[int, QImage] = {}
            lines = book.read_lines(indices)
            for line in lines:
                tick(len(tiles), len(lines))
                tiles[line.index] = draw_review_tile(line, side, ratio=ratio, colors=colors if has_boxes else None)
            return tiles, {line.index: f"Image {line.index:,}\n{', '.join(line.labels)}" for line in lines}

        self._workspace.background.run(
            work,
            done=lambda made: self.grid.put_tiles(generation, *made),
            failed=partial(errors.report, parent=self),
            owner=self,
            reads_images=True,
        )

    # What changes

    def _show_status(self, text: str) -> None:
        self.side.status.setText(text)

    @property
    def is_final(self) -> bool:
        """Whether verdicts settle what reviewers disagree about."""
        return self._is_final

    def _show_reasons(self) -> None:
        project = self._workspace.project
        self.reasons = list_reasons(project) if project is not None else ()
        self.side.show_reasons(self.reasons)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.show_grid()
        self._is_final = False
        self._adopt(None)
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed is self._known_changes:
            self._known_changes = None
            return
        if changed.kinds & {"sets", "classes", "verdicts"}:
            self.refresh()
        elif "verdict_reasons" in changed.kinds:
            self._show_reasons()

    @Slot()
    def _on_workspace_preferences_changed(self) -> None:
        if self.desk is not None and self.desk.reviewer != self._workspace.preferences.author_name:
            self.refresh()
