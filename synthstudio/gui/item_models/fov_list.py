"""The FOVs of a project as a Qt list, filtered by what the user types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage, QPixmap
from typing_extensions import override

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView

RowRole = Qt.ItemDataRole.UserRole
FovIdRole = Qt.ItemDataRole.UserRole + 1
MAX_KEPT_THUMBNAILS = 2000
_ROOT = QModelIndex()

ThumbnailDone = Callable[[QImage | None], None]
ThumbnailLoader = Callable[[FieldOfView, ThumbnailDone], None]


@dataclass(frozen=True, slots=True)
class FovRow:
    """What a line of the list shows. `thumbnail` is None until it is made, `is_broken` where it cannot be."""

    fov: FieldOfView
    n_annotations: int
    thumbnail: QPixmap | None = None
    is_broken: bool = False


class FovListModel(QAbstractListModel):
    """Rows by sample and order of import; thumbnails are asked for when a row is first painted."""

    def __init__(self, load_thumbnail: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load_thumbnail = load_thumbnail
        self._all: tuple[FieldOfView, ...] = ()
        self._shown: list[FieldOfView] = []
        self._row_of: dict[FovId, int] = {}
        self._counts: Mapping[FovId, int] = {}
        self._filter = ""
        self._thumbnails: dict[str, QPixmap | None] = {}
        self._asked: set[str] = set()

    def set_fovs(self, fovs: Sequence[FieldOfView], counts: Mapping[FovId, int]) -> None:
        """Show these FOVs. Rows are replaced in place where only their content changed, so that nothing scrolls."""
        same_order = [fov.id for fov in fovs] == [fov.id for fov in self._all]
        same_names = [(fov.name, fov.sample_name) for fov in fovs] == [(f.name, f.sample_name) for f in self._all]
        self._all, self._counts = tuple(fovs), dict(counts)
        if same_order and same_names and not self._filter:
            self._shown = list(self._all)
            if self._shown:
                self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))
            return
        self._rebuild()

    def set_filter(self, text: str) -> None:
        """Show only FOVs whose sample, name, split or state has every word of the text."""
        if text.casefold() != self._filter:
            self._filter = text.casefold()
            self._rebuild()

    def _rebuild(self) -> None:
        words = self._filter.split()
        self.beginResetModel()
        self._shown = [fov for fov in self._all if _has_words(fov, words)] if words else list(self._all)
        self._row_of = {fov.id: row for row, fov in enumerate(self._shown)}
        self.endResetModel()

    def set_counts(self, counts: Mapping[FovId, int]) -> None:
        """Show other numbers of annotations."""
        old, self._counts = self._counts, dict(counts)
        for fov_id, row in self._row_of.items():
            if old.get(fov_id, 0) != self._counts.get(fov_id, 0):
                self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def fov_ids(self) -> tuple[FovId, ...]:
        """The FOVs in the order shown."""
        return tuple(fov.id for fov in self._shown)

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

    def forget_thumbnail(self, sha256: str) -> None:
        """Ask for a thumbnail anew when it is painted next."""
        self._thumbnails.pop(sha256, None)
        self._asked.discard(sha256)

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        fov = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{fov.sample_name} / {fov.name}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tool_tip(fov, self._counts.get(fov.id, 0))
        if role == FovIdRole:
            return fov.id
        if role == RowRole:
            self._ask_for_thumbnail(fov)
            thumbnail = self._thumbnails.get(fov.sha256)
            is_broken = fov.sha256 in self._thumbnails and thumbnail is None
            return FovRow(fov, self._counts.get(fov.id, 0), thumbnail, is_broken)
        return None

    def _ask_for_thumbnail(self, fov: FieldOfView) -> None:
        if fov.sha256 in self._asked:
            return
        if len(self._asked) > MAX_KEPT_THUMBNAILS:
            self._asked.clear()
            self._thumbnails.clear()
        self._asked.add(fov.sha256)
        self._load_thumbnail(fov, lambda image: self._on_thumbnail_made(fov, image))

    def _on_thumbnail_made(self, fov: FieldOfView, image: QImage | None) -> None:
        self._thumbnails[fov.sha256] = QPixmap.fromImage(image) if image is not None else None
        index = self.index_of(fov.id)
        if index.isValid():
            self.dataChanged.emit(index, index)


def _has_words(fov: FieldOfView, words: Sequence[str]) -> bool:
    text = f"{fov.sample_name} {fov.name} {fov.split or 'unassigned'} {fov.state}".casefold()
    return all(word in text for word in words)


def _tool_tip(fov: FieldOfView, n_annotations: int) -> str:
    scale = f"{fov.um_per_px:g} µm/px" if fov.um_per_px else "not calibrated"
    return (
        f"{fov.sample_name} / {fov.name}\n{fov.width:,} × {fov.height:,} px, {scale}\n"
        f"{n_annotations:,} annotations, {fov.state}, {fov.split or 'no split'}"
    )
