"""The FOVs of a project as a Qt list, filtered and sorted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage, QPixmap
from typing_extensions import override

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.item_models.fov_listing import ClassCounts, FovArrangement, FovFilter, FovOrder, arrange

RowRole = Qt.ItemDataRole.UserRole
FovIdRole = Qt.ItemDataRole.UserRole + 1
HeadingRole = Qt.ItemDataRole.UserRole + 2
MAX_KEPT_THUMBNAILS = 2000
MAX_TOLD = 100
"""Up to so many changed rows are told one by one."""
_ROOT = QModelIndex()

ThumbnailDone = Callable[[QImage | None], None]
ThumbnailLoader = Callable[[FieldOfView, ThumbnailDone], None]


@dataclass(frozen=True, slots=True)
class FovRow:
    """What a line of the list shows. `thumbnail` is None until it is made, `is_broken` where it cannot be.

    `heading` is the name of the sample that begins with this line, where the list is grouped.
    """

    fov: FieldOfView
    n_annotations: int
    thumbnail: QPixmap | None = None
    is_broken: bool = False
    heading: str = ""


class FovListModel(QAbstractListModel):
    """The FOVs, filtered and sorted; thumbnails are asked for when a row is first painted."""

    def __init__(self, load_thumbnail: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load_thumbnail = load_thumbnail
        self._all: tuple[FieldOfView, ...] = ()
        self._shown: tuple[FieldOfView, ...] = ()
        self._headings: Mapping[FovId, str] = {}
        self._row_of: dict[FovId, int] = {}
        self._counts: ClassCounts = {}
        self._filter = FovFilter()
        self._arrangement = FovArrangement()
        self._thumbnails: dict[str, QPixmap | None] = {}
        self._asked: set[str] = set()

    def set_fovs(self, fovs: Sequence[FieldOfView], counts: ClassCounts, *, kept: FovId | None = None) -> None:
        """Show these FOVs. Rows are replaced in place where only their content changed, so that nothing scrolls.

        Args:
            kept: Stays in the list where it is shown now, though the filter no longer has it.
        """
        former, self._counts = self._counts, counts
        paths = {fov.id: fov.path for fov in self._all}
        self._all = tuple(fovs)
        for fov in self._all:
            if paths.get(fov.id, fov.path) != fov.path:  # found again: what had no thumbnail may have one now
                self._forget_thumbnail(fov)
        self._arrange(kept if kept in self._row_of else None, former)

    def set_counts(self, counts: ClassCounts, changed: Collection[FovId], *, kept: FovId | None = None) -> None:
        """Show other numbers of annotations of some FOVs; all counts are given, `kept` is as in `set_fovs`."""
        former, self._counts = self._counts, counts
        wanted = self._filter
        if wanted.class_ids or wanted.is_unannotated or self._arrangement.order is FovOrder.COUNT:
            self._arrange(kept if kept in self._row_of else None, former)
            return
        for fov_id in changed:
            index = self.index_of(fov_id)
            if index.isValid():
                self.dataChanged.emit(index, index)

    @property
    def filter(self) -> FovFilter:
        """What an FOV must be to be shown."""
        return self._filter

    def set_filter(self, wanted: FovFilter) -> None:
        """Show only FOVs that the filter accepts."""
        if wanted != self._filter:
            self._filter = wanted
            self._arrange(None)

    @property
    def arrangement(self) -> FovArrangement:
        """How the list is sorted."""
        return self._arrangement

    def set_arrangement(self, arrangement: FovArrangement) -> None:
        """Sort and group in another way."""
        if arrangement != self._arrangement:
            self._arrangement = arrangement
            self._arrange(None)

    def _arrange(self, kept: FovId | None, former: ClassCounts | None = None) -> None:
        arranged = arrange(self._all, self._counts, wanted=self._filter, arrangement=self._arrangement, kept=kept)
        same_rows = tuple(fov.id for fov in arranged.fovs) == self.fov_ids and arranged.headings == self._headings
        if same_rows:
            self._show_changed(arranged.fovs, self._counts if former is None else former)
            return
        self.beginResetModel()
        self._shown, self._headings = arranged.fovs, arranged.headings
        self._row_of = {fov.id: row for row, fov in enumerate(self._shown)}
        self.endResetModel()

    def _show_changed(self, fovs: tuple[FieldOfView, ...], former: ClassCounts) -> None:
        """Repaint the rows that have other content: telling Qt of all makes it lay out thousands anew."""
        pairs = zip(self._shown, fovs, strict=True)
        changed = [
            row for row, (old, new) in enumerate(pairs) if former.get(new.id) != self._counts.get(new.id) or old != new
        ]
        self._shown = fovs
        for row in changed if len(changed) <= MAX_TOLD else ():
            self.dataChanged.emit(self.index(row), self.index(row))
        if len(changed) > MAX_TOLD:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    @property
    def fov_ids(self) -> tuple[FovId, ...]:
        """The FOVs in the order shown."""
        return tuple(fov.id for fov in self._shown)

    @property
    def shown_fovs(self) -> tuple[FieldOfView, ...]:
        """The FOVs in the order shown."""
        return self._shown

    @property
    def n_all(self) -> int:
        """Number of FOVs without the filter."""
        return len(self._all)

    @property
    def all_fovs(self) -> tuple[FieldOfView, ...]:
        """All FOVs, whatever the filter."""
        return self._all

    def index_of(self, fov_id: FovId | None) -> QModelIndex:
        """The index of an FOV; invalid where it is not shown."""
        row = self._row_of.get(fov_id) if fov_id is not None else None
        return self.index(row) if row is not None else QModelIndex()

    def _forget_thumbnail(self, fov: FieldOfView) -> None:
        """Ask for a thumbnail anew when it is painted next."""
        self._thumbnails.pop(fov.content_key, None)
        self._asked.discard(fov.content_key)

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        fov = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{fov.sample_name} / {fov.name}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tool_tip(fov, self._n_annotations(fov))
        if role == FovIdRole:
            return fov.id
        if role == RowRole:
            self._ask_for_thumbnail(fov)
            thumbnail = self._thumbnails.get(fov.content_key)
            is_broken = fov.content_key in self._thumbnails and thumbnail is None
            heading = self._headings.get(fov.id, "")
            return FovRow(fov, self._n_annotations(fov), thumbnail, is_broken, heading)
        if role == HeadingRole:
            return self._headings.get(fov.id, "")
        return None

    def _n_annotations(self, fov: FieldOfView) -> int:
        return sum(self._counts.get(fov.id, {}).values())

    def _ask_for_thumbnail(self, fov: FieldOfView) -> None:
        if fov.content_key in self._asked:
            return
        if len(self._asked) > MAX_KEPT_THUMBNAILS:
            self._asked.clear()
            self._thumbnails.clear()
        self._asked.add(fov.content_key)
        self._load_thumbnail(fov, lambda image: self._on_thumbnail_made(fov, image))

    def _on_thumbnail_made(self, fov: FieldOfView, image: QImage | None) -> None:
        self._thumbnails[fov.content_key] = QPixmap.fromImage(image) if image is not None else None
        index = self.index_of(fov.id)
        if index.isValid():
            self.dataChanged.emit(index, index)


def _tool_tip(fov: FieldOfView, n_annotations: int) -> str:
    scale = f"{fov.um_per_px:g} µm/px" if fov.um_per_px else "not calibrated"
    flag = ", flagged" if fov.is_flagged else ""
    note = f"\n{fov.note}" if fov.note else ""
    return (
        f"{fov.sample_name} / {fov.name}\n{fov.width:,} × {fov.height:,} px, {scale}\n"
        f"{n_annotations:,} annotations, {fov.state}, {fov.split or 'no split'}{flag}{note}"
    )
