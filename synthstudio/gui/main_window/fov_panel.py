"""The samples and fields of the project: thumbnails, states, filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QListView, QMenu, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import AnnotationState, Changes, FieldOfView, ObjectClass, Split, changes
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.field_edits import change_fields, change_samples
from synthstudio.gui.item_models.fov_delegate import WIDE_FROM_PX, FovDelegate
from synthstudio.gui.item_models.fov_list import FovIdRole, FovListModel, ThumbnailDone
from synthstudio.gui.item_models.fov_listing import FovArrangement, FovFilter
from synthstudio.gui.main_window.fov_filter_bar import STATE_TEXTS, FovFilterBar
from synthstudio.gui.removals import remove_fields_undoably
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.sampling import SampleAssignment

REREAD_AFTER_MS = 40
"""A burst of changes leads to one re-reading."""
READ_ANEW = frozenset({"fovs", "samples", "annotations", "classes"})
MAX_COUNTED = 50
"""Fields that are counted one by one; of more, all are."""


@dataclass(frozen=True, slots=True)
class _Listing:
    fovs: list[FieldOfView]
    counts: dict[FovId, dict[ClassId, int]]
    classes: list[ObjectClass]
    totals: Counter[ClassId] = field(default_factory=Counter)
    """Number of annotations of each class in the project."""


def _read_listing(project: Project) -> _Listing:
    counts = project.annotations.counts()
    totals: Counter[ClassId] = Counter()
    for by_class in counts.values():
        totals.update(by_class)
    return _Listing(project.fovs.list(), counts, project.classes.list(), totals)


class _FovListView(QListView):
    """Lays its items out anew where a width makes cards of lines: items of one size are measured only once."""

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (event.oldSize().width() >= WIDE_FROM_PX) != (event.size().width() >= WIDE_FROM_PX):
            self.scheduleDelayedItemsLayout()
            QTimer.singleShot(0, self, self._show_current)

    def _show_current(self) -> None:
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())


class FovPanel(QFrame):
    """Shows the FOVs and follows, and sets, the current one; several can be selected for what is done to many."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("fovPanel")
        self.workspace = workspace
        self.model = FovListModel(self._load_thumbnail, self)
        self.bar = FovFilterBar()
        self.filter = self.bar.text
        self.bar.filter_changed.connect(self._on_filter_changed)
        self.bar.arrangement_changed.connect(self._on_arrangement_changed)
        self.list = _FovListView()
        self.list.setAccessibleName("Fields of view")
        self.list.setModel(self.model)
        self.list.setItemDelegate(FovDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._on_context_menu_requested)
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.summary = QLabel()
        self.summary.setProperty("muted", True)
        self.summary.setProperty("small", True)
        self.summary.setContentsMargins(12, 0, 8, 8)
        self.summary.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.summary)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REREAD_AFTER_MS)
        self._timer.timeout.connect(self._read_changed)
        self._listing = _Listing([], {}, [])
        self._counts_of: set[FovId] = set()
        self._is_reading = False
        self._is_stale = False
        self._is_following = False
        workspace.project_changed.connect(self._on_project_changed)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.current_fov_changed.connect(self._on_current_fov_changed)

    # Reading

    @Slot()
    def _on_project_changed(self) -> None:
        self.bar.clear()
        self.model.set_fovs([], {})
        self.workspace.set_class_totals({})
        self._read()

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if told.kinds & READ_ANEW:
            is_count = told.kinds & READ_ANEW == {"annotations"} and told.fov_ids
            self._is_stale |= not is_count
            self._counts_of |= told.fov_ids
            self._timer.start()

    @Slot()
    def _read_changed(self) -> None:
        """After a click only its field is counted anew: thousands of others need not be read."""
        if self._is_reading:  # what is being read may be from before the click, and would be shown after it
            self._timer.start()
            return
        changed, project = frozenset(self._counts_of), self.workspace.project
        if self._is_stale or project is None or not self._listing.fovs or len(changed) > MAX_COUNTED:
            self._read()
            return
        self._counts_of.clear()

        def count(_: Tick) -> dict[FovId, dict[ClassId, int]]:
            return project.annotations.counts_of(changed)

        def show(counted: dict[FovId, dict[ClassId, int]]) -> None:
            # What was read as a whole meanwhile is newer.
            if self.workspace.project is project and not self._is_stale:
                self._show_counted(counted)

        self.workspace.background.run(count, done=show, owner=self, priority=1)

    def _show_counted(self, counted: dict[FovId, dict[ClassId, int]]) -> None:
        listing = self._listing
        totals = Counter(listing.totals)
        for fov_id, by_class in counted.items():
            totals.subtract(listing.counts.get(fov_id, {}))
            totals.update(by_class)
        self._listing = _Listing(listing.fovs, listing.counts | counted, listing.classes, totals)
        self._is_following = True
        self.model.set_counts(self._listing.counts, counted, kept=self.workspace.current_fov_id)
        self._is_following = False
        if self.model.fov_ids != self.workspace.fov_order:
            self._follow_rows()
        self._show_summary(self._listing)
        self.workspace.set_class_totals(self._listing.totals)

    def _read(self) -> None:
        self._is_stale = False
        self._counts_of.clear()
        project = self.workspace.project
        if project is None:
            self.model.set_fovs([], {})
            self._is_reading = False
            self._listing = _Listing([], {}, [])
            self._show_summary(self._listing)
            return

        def read(_: Tick) -> _Listing:
            return _read_listing(project)

        def show(listing: _Listing) -> None:
            self._is_reading = False
            if self.workspace.project is project:
                self._show(listing)

        def fail(error: Exception) -> None:
            self._is_reading = False
            errors.report(error, parent=self)

        self._is_reading = True
        self.workspace.background.run(read, done=show, failed=fail, owner=self, priority=1)

    def _show(self, listing: _Listing) -> None:
        self._listing = listing
        self.bar.set_classes(listing.classes)
        self._is_following = True
        self.model.set_fovs(listing.fovs, listing.counts, kept=self.workspace.current_fov_id)
        self._is_following = False
        self._follow_rows()
        self._show_summary(listing)
        self.workspace.set_class_totals(listing.totals)

    def _follow_rows(self) -> None:
        """Other rows are shown: next and previous go by them."""
        self.workspace.set_fov_order(self.model.fov_ids)
        self.bar.set_shown(len(self.model.fov_ids), self.model.n_all)
        self._on_current_fov_changed(self.workspace.current_fov_id)

    def _show_summary(self, listing: _Listing) -> None:
        n_done = sum(fov.state.is_complete for fov in listing.fovs)
        n_reviewed = sum(fov.state is AnnotationState.REVIEWED for fov in listing.fovs)
        n, totals = len(listing.fovs), listing.totals
        self.summary.setText(f"{n_done:,}/{n:,} done" if n else "No fields yet")
        lines = [
            f"{n_done:,} of {n:,} fields are annotated exhaustively, {n_reviewed:,} of them reviewed",
            f"{sum(totals.values()):,} annotations",
        ]
        lines += [f"{each.name}: {totals[each.id]:,} of {each.goal:,}" for each in listing.classes if each.goal]
        self.summary.setToolTip("\n".join(lines))

    def _load_thumbnail(self, fov: FieldOfView, done: ThumbnailDone) -> None:
        def finish(image: QImage | None) -> None:
            done(image)

        if self.workspace.project is not None:  # a last paint while the window closes
            self.workspace.load_thumbnail(fov, finish, self)

    # Current and selection

    @Slot(object)
    def _on_filter_changed(self, wanted: FovFilter) -> None:
        self._is_following = True
        self.model.set_filter(wanted)
        self._is_following = False
        self._follow_rows()

    @Slot(object)
    def _on_arrangement_changed(self, arrangement: FovArrangement) -> None:
        self._is_following = True
        # Without headings all rows are of one size, and only one is measured.
        self.list.setUniformItemSizes(not arrangement.by_sample)
        self.model.set_arrangement(arrangement)
        self._is_following = False
        self._follow_rows()

    @Slot()
    def _on_current_changed(self) -> None:
        index = self.list.currentIndex()
        if not self._is_following and index.isValid():
            self.workspace.set_current_fov(index.data(FovIdRole))

    @Slot(object)
    def _on_current_fov_changed(self, fov_id: FovId | None) -> None:
        index = self.model.index_of(fov_id)
        if index == self.list.currentIndex():
            return
        self._is_following = True
        if index.isValid():
            self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()
        self._is_following = False

    @property
    def selected(self) -> tuple[FovId, ...]:
        """The selected FOVs, or the current one where none is."""
        ids = tuple(index.data(FovIdRole) for index in self.list.selectionModel().selectedIndexes())
        if ids:
            return ids
        current = self.workspace.current_fov_id
        return (current,) if current is not None else ()

    def step_to_unfinished(self) -> None:
        """Show the next field of the list, after the last the first, that is not annotated exhaustively."""
        fovs = self.model.shown_fovs
        index = self.model.index_of(self.workspace.current_fov_id)
        start = index.row() + 1 if index.isValid() else 0
        found = next((fov for fov in (*fovs[start:], *fovs[:start]) if not fov.state.is_complete), None)
        if found is None:
            scope = "of the list " if len(fovs) < self.model.n_all else ""
            text = f"All fields {scope}are annotated exhaustively."
            errors.post(Notice(text, severity=Severity.INFO), parent=self)
        elif found.id == self.workspace.current_fov_id:
            errors.post(Notice("This is the only field that is not done.", severity=Severity.INFO), parent=self)
        else:
            self.workspace.set_current_fov(found.id)

    def go_to(self, fov_id: FovId) -> None:
        """Show a field, and all fields again where the filter hides it."""
        if not self.model.index_of(fov_id).isValid():
            self.bar.clear()
        self.workspace.set_current_fov(fov_id)

    def open_filter_menu(self) -> None:
        """Let the user choose what is shown."""
        self.show()
        self.bar.open_filter_menu()

    def open_sort_menu(self) -> None:
        """Let the user choose the order."""
        self.show()
        self.bar.open_sort_menu()

    def toggle_flag(self) -> None:
        """Flag the selected fields, or take the flags away where all have one."""
        ids = set(self.selected)
        flagged = all(fov.is_flagged for fov in self.model.all_fovs if fov.id in ids)
        self._change(ids, lambda project: project.fovs.set_flagged(ids, flagged=not flagged), "flag of fields")

    def focus_filter(self) -> None:
        """Let the user type into the filter."""
        self.show()
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    # What is done to the selected ones

    def _on_context_menu_requested(self, position: QPoint) -> None:
        if not self.selected:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        splits = menu.addMenu("Put the samples into")
        for split in (*Split, None):
            splits.addAction(split.value if split else "no split", partial(self.set_split, split))
        states = menu.addMenu("Mark as")
        for state, text in STATE_TEXTS.items():
            states.addAction(text, partial(self.set_state, state))
        menu.addAction("Flag, or take the flag away", self.toggle_flag)
        menu.addSeparator()
        n = len(self.selected)
        menu.addAction("Remove from the project" if n == 1 else f"Remove {n} fields", self.remove_selected)
        menu.popup(self.list.viewport().mapToGlobal(position))

    def set_split(self, split: Split | None) -> None:
        """Put the samples of the selected FOVs into a split."""
        ids = set(self.selected)
        samples = {fov.sample_name for fov in self.model.all_fovs if fov.id in ids}
        try:
            wanted = SampleAssignment({}, dict.fromkeys(samples, split))
            change_samples(self.workspace, wanted, "split of samples", window=self.window())
        except UserError as error:
            errors.report(error, parent=self)

    def set_state(self, state: AnnotationState) -> None:
        """Record how far the annotation of the selected FOVs has come."""
        ids = self.selected

        def change(project: Project) -> Changes:
            for fov_id in ids:
                project.fovs.set_state(fov_id, state)
            return changes("fovs")

        self._change(ids, change, "state of fields")

    def _change(self, ids: Collection[FovId], change: Callable[[Project], Changes], text: str) -> None:
        try:
            change_fields(self.workspace, ids, change, text, window=self.window())
        except UserError as error:
            errors.report(error, parent=self)

    def remove_selected(self) -> None:
        """Remove the selected FOVs with their annotations."""
        if not self.selected:
            return
        try:
            remove_fields_undoably(self.workspace, self.selected, window=self.window())
        except UserError as error:
            errors.report(error, parent=self)
