"""What two authors differ in, as a Qt table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Qt
from typing_extensions import override

from synthstudio.core.evaluation.agreement import Disagreement
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.gui.widgets.table_model import ROOT, Index, TableModel

NOTHING = "–"


class DisagreementRowsModel(TableModel):
    """The field, and the class that each author has given."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Disagreement] = []
        self._fovs: Mapping[FovId, str] = {}
        self._classes: Mapping[ClassId, str] = {}
        self.headers = ("Field", "", "")

    def set_rows(
        self,
        rows: Sequence[Disagreement],
        *,
        fovs: Mapping[FovId, str],
        classes: Mapping[ClassId, str],
        authors: tuple[str, str],
    ) -> None:
        """Show these instead of the former ones; names of FOVs and classes by id."""
        headers = ("Field", *authors)
        if list(rows) == self._rows and headers == self.headers and classes == self._classes:
            return
        self.beginResetModel()
        self._rows, self._fovs, self._classes = list(rows), dict(fovs), dict(classes)
        self.headers = headers
        self.endResetModel()

    def row(self, row: int) -> Disagreement:
        """The disagreement in a row."""
        return self._rows[row]

    def take(self, row: int) -> None:
        """Drop a row: it is decided."""
        self.beginRemoveRows(ROOT, row, row)
        del self._rows[row]
        self.endRemoveRows()

    @property
    @override
    def n_rows(self) -> int:
        return len(self._rows)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        row = self._rows[index.row()]
        if index.column() == 0:
            return self._fovs.get(row.fov_id, "")
        mark = (row.first, row.second)[index.column() - 1]
        return self._classes.get(mark.class_id, "") if mark else NOTHING
