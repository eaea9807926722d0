"""The samples that fields have and would get, as a Qt table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QFont
from typing_extensions import override

from synthstudio.core.fields.sample_plans import PlannedSample
from synthstudio.gui.widgets.table_model import Index, TableModel

HEADERS = ("Field", "Sample now", "Sample then")


class SampleRowsModel(TableModel):
    """One line per field; what changes is bold."""

    headers = HEADERS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PlannedSample, ...] = ()
        self._bold = QFont()
        self._bold.setBold(True)

    def set_rows(self, rows: Sequence[PlannedSample]) -> None:
        """Show these instead of the former ones."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    @property
    @override
    def n_rows(self) -> int:
        return len(self._rows)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.fov.name, row.fov.sample_name, row.sample)[index.column()]
        if role == Qt.ItemDataRole.FontRole and row.is_change and index.column() == len(HEADERS) - 1:
            return self._bold
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.fov.path
        return None
