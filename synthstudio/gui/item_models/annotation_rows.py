"""The annotations of one FOV as a Qt table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, ObjectClass

HEADERS = ("Class", "x, y", "Size")
AnnotationIdRole = Qt.ItemDataRole.UserRole
_ROOT = QModelIndex()


class AnnotationRowsModel(QAbstractTableModel):
    """Class, centre in px, and size in px of each annotation; rows in the order of the ids."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Annotation] = []
        self._row_of: dict[AnnotationId, int] = {}
        self._classes: Mapping[ClassId, ObjectClass] = {}
        self._chips: dict[str, QIcon] = {}

    def set_annotations(self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass]) -> None:
        """Show these annotations instead of the former ones."""
        self.beginResetModel()
        self._rows, self._classes = list(annotations), dict(classes)
        self._index_rows()
        self.endResetModel()

    def add(self, annotations: Sequence[Annotation]) -> None:
        """Append annotations."""
        start = len(self._rows)
        self.beginInsertRows(_ROOT, start, start + len(annotations) - 1)
        self._rows.extend(annotations)
        self._row_of.update((each.id, start + place) for place, each in enumerate(annotations))
        self.endInsertRows()

    def replace(self, annotations: Iterable[Annotation]) -> None:
        """Show changed annotations in place of those with the same ids."""
        for annotation in annotations:
            row = self._row_of[annotation.id]
            self._rows[row] = annotation
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADERS) - 1))

    def remove(self, ids: Iterable[AnnotationId]) -> None:
        """Drop annotations."""
        gone = set(ids)
        if len(gone) == 1:
            row = self._row_of[next(iter(gone))]
            self.beginRemoveRows(_ROOT, row, row)
            del self._rows[row]
            self._index_rows()
            self.endRemoveRows()
            return
        self.beginResetModel()
        self._rows = [annotation for annotation in self._rows if annotation.id not in gone]
        self._index_rows()
        self.endResetModel()

    def _index_rows(self) -> None:
        self._row_of = {annotation.id: row for row, annotation in enumerate(self._rows)}

    def row_of(self, annotation_id: AnnotationId) -> int | None:
        """The row of an annotation, or None."""
        return self._row_of.get(annotation_id)

    def id_at(self, row: int) -> AnnotationId:
        """The id of the annotation in a row."""
        return self._rows[row].id

    @property
    def longest_class_name(self) -> str:
        """The longest name in the first column could be this."""
        return max((each.name for each in self._classes.values()), key=len, default="")

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    @override
    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(HEADERS)

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        return None

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        annotation = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(annotation, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() > 0:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._chip(self._classes[annotation.class_id].color)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"No. {annotation.id}, {annotation.source}" + (
                f", by {annotation.author}" if annotation.author else ""
            )
        return annotation.id if role == AnnotationIdRole else None

    def _chip(self, color: str) -> QIcon:
        if color not in self._chips:
            pixmap = QPixmap(12, 12)
            pixmap.fill(QColor(color))
            self._chips[color] = QIcon(pixmap)
            self._chips[color].addPixmap(pixmap, QIcon.Mode.Selected)  # no tint by the selection
        return self._chips[color]

    def _text(self, annotation: Annotation, column: int) -> str:
        if column == 0:
            return self._classes[annotation.class_id].name
        if column == 1:
            return f"{annotation.x:.0f}, {annotation.y:.0f}"
        if annotation.box is not None:
            return f"{annotation.box.width:.0f}×{annotation.box.height:.0f}"
        return f"{annotation.size_px:.0f}" if annotation.size_px else "–"
