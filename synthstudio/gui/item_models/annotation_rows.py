"""The annotations of one FOV as a Qt table, filtered and sorted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation, AnnotationSource, ObjectClass
from synthstudio.gui.widgets.table_model import ROOT, Index, TableModel

HEADERS = ("Class", "x, y", "Size", "Author")
CLASS, PLACE, SIZE, AUTHOR = range(4)
AnnotationIdRole = Qt.ItemDataRole.UserRole
MAX_MOVED = 64
"""Above this many changed rows the table is built anew instead of row by row."""

SortKey = tuple[object, ...]


class AnnotationRowsModel(TableModel):
    """Class, centre in px, size in px and author of each annotation; rows in the order of the ids until one sorts."""

    headers = HEADERS
    figures = frozenset({PLACE, SIZE})

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[AnnotationId, Annotation] = {}
        self._rows: list[Annotation] = []
        self._row_of: dict[AnnotationId, int] = {}
        self._classes: Mapping[ClassId, ObjectClass] = {}
        self._chips: dict[str, QIcon] = {}
        self._words: tuple[str, ...] = ()
        self._sorted_by: int | None = None
        self._is_descending = False
        self._origin_of: Callable[[AnnotationId], str] = lambda _: ""

    def set_origins(self, origin_of: Callable[[AnnotationId], str]) -> None:
        """Let this say where an annotation comes from that was suggested; it is asked when the pointer rests on one."""
        self._origin_of = origin_of

    def set_annotations(self, annotations: Sequence[Annotation], classes: Mapping[ClassId, ObjectClass]) -> None:
        """Show these annotations instead of the former ones."""
        self._all, self._classes = {each.id: each for each in annotations}, dict(classes)
        self._rebuild()

    def set_filter(self, text: str) -> None:
        """Show only annotations of which every word stands in class, author, source or note, or is "flagged"."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self._rebuild()

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted_by = column if 0 <= column < len(HEADERS) else None
        self._is_descending = order is Qt.SortOrder.DescendingOrder
        self._rebuild()

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = (
            [each for each in self._all.values() if self._accepts(each)] if self._words else [*self._all.values()]
        )
        key = self._key
        if key is not None:
            self._rows.sort(key=key)
        if self._is_descending:
            self._rows.reverse()
        self._index_rows()
        self.endResetModel()

    def _accepts(self, annotation: Annotation) -> bool:
        flag = "flagged" if annotation.is_flagged else ""
        name = self._classes[annotation.class_id].name
        text = f"{name} {annotation.author} {annotation.source} {annotation.note} {flag}".casefold()
        return all(word in text for word in self._words)

    @property
    def _key(self) -> Callable[[Annotation], SortKey] | None:
        """By what the rows are sorted; None for the order of the ids, in which they come."""
        classes = self._classes
        match self._sorted_by:
            case None:
                return None if not self._is_descending else lambda each: (each.id,)
            case column if column == CLASS:
                return lambda each: (classes[each.class_id].name.casefold(), each.id)
            case column if column == PLACE:
                return lambda each: (each.y, each.x, each.id)
            case column if column == SIZE:
                return lambda each: (_size(each), each.id)
            case _:
                return lambda each: (each.author.casefold(), each.id)

    def _place_for(self, annotation: Annotation) -> int:
        """Where a new row belongs."""
        key = self._key
        if key is None:
            return len(self._rows)
        if self._is_descending:  # bisect wants ascending rows
            return len(self._rows) - bisect_left(self._rows[::-1], key(annotation), key=key)
        return bisect_left(self._rows, key(annotation), key=key)

    def add(self, annotations: Sequence[Annotation]) -> None:
        """Add annotations where they belong: at the end, or where the sorting has them."""
        self._all.update((each.id, each) for each in annotations)
        shown = [each for each in annotations if not self._words or self._accepts(each)]
        if self._key is None and shown:
            start = len(self._rows)
            self.beginInsertRows(ROOT, start, start + len(shown) - 1)
            self._rows.extend(shown)
            self._row_of.update((each.id, start + place) for place, each in enumerate(shown))
            self.endInsertRows()
        elif len(shown) > MAX_MOVED:
            self._rebuild()
        else:
            for each in shown:
                self._insert(each)

    def _insert(self, annotation: Annotation) -> None:
        row = self._place_for(annotation)
        self.beginInsertRows(ROOT, row, row)
        self._rows.insert(row, annotation)
        self._index_rows()
        self.endInsertRows()

    def replace(self, annotations: Iterable[Annotation]) -> None:
        """Show changed annotations in place of those with the same ids, or where the sorting has them now."""
        changed = list(annotations)
        self._all.update((each.id, each) for each in changed)
        if len(changed) > MAX_MOVED and (self._words or self._key is not None):
            self._rebuild()
            return
        for each in changed:
            row, is_shown = self._row_of.get(each.id), not self._words or self._accepts(each)
            if row is None:
                if is_shown:
                    self._insert(each)
            elif not is_shown:
                self._drop(row)
            else:
                self._change(row, each)

    def _change(self, row: int, annotation: Annotation) -> None:
        former = self._rows[row]
        self._rows[row] = annotation
        key = self._key
        if key is not None and key(former) != key(annotation):
            del self._rows[row]
            place = self._place_for(annotation)
            self._rows.insert(row, annotation)
            # Moved, not taken out and put in: so it stays selected.
            if place != row and self.beginMoveRows(ROOT, row, row, ROOT, place + (place > row)):
                del self._rows[row]
                self._rows.insert(place, annotation)
                self._index_rows()
                self.endMoveRows()
                row = place
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADERS) - 1))

    def remove(self, ids: Iterable[AnnotationId]) -> None:
        """Drop annotations."""
        gone = set(ids)
        for annotation_id in gone:
            self._all.pop(annotation_id, None)
        rows = [self._row_of[each] for each in gone if each in self._row_of]
        if len(rows) == 1:
            self._drop(rows[0])
        elif rows:
            self.beginResetModel()
            self._rows = [annotation for annotation in self._rows if annotation.id not in gone]
            self._index_rows()
            self.endResetModel()

    def _drop(self, row: int) -> None:
        self.beginRemoveRows(ROOT, row, row)
        del self._rows[row]
        self._index_rows()
        self.endRemoveRows()

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

    @property
    @override
    def n_rows(self) -> int:
        return len(self._rows)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        annotation = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(annotation, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == CLASS:
            return self._chip(self._classes[annotation.class_id].color)
        if role == Qt.ItemDataRole.ToolTipRole:
            is_suggested = annotation.source is AnnotationSource.SUGGESTED
            return _tool_tip(annotation, self._origin_of(annotation.id) if is_suggested else "")
        return annotation.id if role == AnnotationIdRole else None

    def _chip(self, color: str) -> QIcon:
        if color not in self._chips:
            pixmap = QPixmap(12, 12)
            pixmap.fill(QColor(color))
            self._chips[color] = QIcon(pixmap)
            self._chips[color].addPixmap(pixmap, QIcon.Mode.Selected)  # no tint by the selection
        return self._chips[color]

    def _text(self, annotation: Annotation, column: int) -> str:
        if column == CLASS:
            signs = (" ⚑" if annotation.is_flagged else "") + (" ✎" if annotation.note else "")
            return f"{self._classes[annotation.class_id].name}{signs}"
        if column == PLACE:
            return f"{annotation.x:.0f}, {annotation.y:.0f}"
        if column == AUTHOR:
            return annotation.author
        if annotation.box is not None:
            return f"{annotation.box.width:.0f}×{annotation.box.height:.0f}"
        return f"{annotation.size_px:.0f}" if annotation.size_px else "–"


def _size(annotation: Annotation) -> float:
    """Side in px as far as the annotation has its own."""
    return max(annotation.box.width, annotation.box.height) if annotation.box else annotation.size_px or 0.0


def _tool_tip(annotation: Annotation, origin: str) -> str:
    by = f", by {annotation.author}" if annotation.author else ""
    flag = ", flagged" if annotation.is_flagged else ""
    note = f"\n{annotation.note}" if annotation.note else ""
    return f"No. {annotation.id}, {annotation.source}{by}{flag}{note}" + (f"\n{origin}" if origin else "")
