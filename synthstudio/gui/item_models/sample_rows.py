"""The samples that fields have and would get, as a Qt table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont
from typing_extensions import override

from synthstudio.core.fields.sample_plans import PlannedSample

HEADERS = ("Field", "Sample now", "Sample then")
_ROOT = QModelIndex()


class SampleRowsModel(QAbstractTableModel):
    """One line per field; what changes is bold."""

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
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.fov.name, row.fov.sample_name, row.sample)[index.column()]
        if role == Qt.ItemDataRole.FontRole and row.is_change and index.column() == len(HEADERS) - 1:
            return self._bold
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.fov.path
        return None
