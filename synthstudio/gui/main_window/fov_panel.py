"""The samples and fields of the project: thumbnails, states, filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QLineEdit, QListView, QMenu, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import AnnotationState, Changes, FieldOfView, Split
from synthstudio.gui import errors
from synthstudio.gui.item_models.fov_delegate import WIDE_FROM_PX, FovDelegate
from synthstudio.gui.item_models.fov_list import FovIdRole, FovListModel, ThumbnailDone
from synthstudio.gui.workspace import Workspace

REREAD_AFTER_MS = 40
"""A burst of changes leads to one re-reading."""


@dataclass(frozen=True, slots=True)
class _Listing:
    fovs: list[FieldOfView]
    counts: dict[FovId, int]


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
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setToolTip("Show fields whose name, sample, split or state has these words (Ctrl+L)")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter fields")
        self.filter.textChanged.connect(self._on_filter_changed)
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(8)
        filter_row = QVBoxLayout()
        filter_row.setContentsMargins(8, 0, 8, 0)
        filter_row.addWidget(self.filter)
        layout.addLayout(filter_row)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.summary)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REREAD_AFTER_MS)
        self._timer.timeout.connect(self._read)
        self._is_following = False
        workspace.project_changed.connect(self._on_project_changed)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.current_fov_changed.connect(self._on_current_fov_changed)

    # Reading

    @Slot()
    def _on_project_changed(self) -> None:
        self.model.set_fovs([], {})
        self._read()

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        if told.kinds & {"fovs", "samples", "annotations"}:
            self._timer.start()

    def _read(self) -> None:
        project = self.workspace.project
        if project is None:
            self.model.set_fovs([], {})
            self._show_summary(_Listing([], {}))
            return

        def read(_: Tick) -> _Listing:
            counts = {fov_id: sum(by_class.values()) for fov_id, by_class in project.annotations.counts().items()}
            return _Listing(project.fovs.list(), counts)

        def show(listing: _Listing) -> None:
            if self.workspace.project is project:
                self._show(listing)

        self.workspace.background.run(read, done=show, owner=self, priority=1)

    def _show(self, listing: _Listing) -> None:
        self._is_following = True
        self.model.set_fovs(listing.fovs, listing.counts)
        self._is_following = False
        self.workspace.set_fov_order(self.model.fov_ids)
        self._show_summary(listing)
        self._on_current_fov_changed(self.workspace.current_fov_id)

    def _show_summary(self, listing: _Listing) -> None:
        n_done = sum(fov.state is AnnotationState.EXHAUSTIVE for fov in listing.fovs)
        n = len(listing.fovs)
        self.summary.setText(f"{n_done:,}/{n:,} done" if n else "No fields yet")
        self.summary.setToolTip(f"{n_done:,} of {n:,} fields are annotated exhaustively")

    def _load_thumbnail(self, fov: FieldOfView, done: ThumbnailDone) -> None:
        def finish(image: QImage | None) -> None:
            done(image)

        self.workspace.load_thumbnail(fov, finish, self)

    # Current and selection

    def _on_filter_changed(self, text: str) -> None:
        self._is_following = True
        self.model.set_filter(text)
        self._is_following = False
        self.workspace.set_fov_order(self.model.fov_ids)
        self._on_current_fov_changed(self.workspace.current_fov_id)

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
        words = {AnnotationState.NONE: "not annotated", AnnotationState.PARTIAL: "partly annotated"}
        for state in AnnotationState:
            states.addAction(words.get(state, "annotated exhaustively"), partial(self.set_state, state))
        menu.addSeparator()
        n = len(self.selected)
        menu.addAction("Remove from the project…" if n == 1 else f"Remove {n} fields…", self.ask_to_remove)
        menu.popup(self.list.viewport().mapToGlobal(position))

    def set_split(self, split: Split | None) -> None:
        """Put the samples of the selected FOVs into a split."""
        ids = set(self.selected)

        def mutate() -> Changes:
            project = self.workspace.require_writable_project()
            samples = {fov.sample_id for fov in project.fovs.list() if fov.id in ids}
            return project.samples.set_split(samples, split)

        self._mutate(mutate)

    def set_state(self, state: AnnotationState) -> None:
        """Record how far the annotation of the selected FOVs has come."""

        def mutate() -> Changes:
            project = self.workspace.require_writable_project()
            with project.transaction():
                told = [project.fovs.set_state(fov_id, state) for fov_id in self.selected]
            return told[0]

        if self.selected:
            self._mutate(mutate)

    def ask_to_remove(self) -> None:
        """Remove the selected FOVs with their annotations, after asking: it cannot be undone."""
        ids = self.selected
        n_annotations = sum(len(self.workspace.require_project().annotations.list(each)) for each in ids)
        errors.ask.choose(
            self,
            title="Remove fields",
            text=f"Remove {len(ids):,} fields with {n_annotations:,} annotations from the project?\n"
            "This cannot be undone. The image files themselves stay where they are.",
            choices=["Remove"],
            answered=lambda _choice: self._remove(ids),
        )

    def _remove(self, ids: tuple[FovId, ...]) -> None:
        self.workspace.undo_stack.clear()  # its edits may speak of what is gone
        self._mutate(lambda: self.workspace.require_writable_project().fovs.remove(ids))

    def _mutate(self, mutation: Callable[[], Changes]) -> None:
        try:
            told = mutation()
        except UserError as error:
            errors.report(error, parent=self)
            return
        self.workspace.announce(told)
