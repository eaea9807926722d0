"""The snapshots of a project, as a Qt table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, Qt
from typing_extensions import override

from synthstudio.gui.widgets.table_model import Index, TableModel
from synthstudio.project.snapshots import Snapshot

UNKNOWN = "cannot be read"


class SnapshotRowsModel(TableModel):
    """One line per snapshot, the newest first."""

    headers = ("Kept", "Reason", "Fields", "Annotations", "Size")
    figures = frozenset({2, 3, 4})

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Snapshot, ...] = ()
        self._now = datetime.now().astimezone()

    def set_rows(self, rows: Sequence[Snapshot]) -> None:
        """Show these instead of the former ones."""
        self.beginResetModel()
        self._rows, self._now = tuple(rows), datetime.now().astimezone()
        self.endResetModel()

    def snapshot(self, row: int) -> Snapshot:
        """The one in a line."""
        return self._rows[row]

    @property
    @override
    def n_rows(self) -> int:
        return len(self._rows)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._texts(row)[index.column()]
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(index.column())
            case Qt.ItemDataRole.ToolTipRole:
                return str(row.path)
        return None

    def _texts(self, row: Snapshot) -> tuple[str, ...]:
        counts = [f"{count:,}" if count is not None else UNKNOWN for count in (row.n_fields, row.n_annotations)]
        reason = row.reason[:1].upper() + row.reason[1:]
        return moment_text(row.taken_at, now=self._now), reason, *counts, f"{row.n_bytes / 1e6:.1f} MB"


def moment_text(moment: datetime, *, now: datetime) -> str:
    """A moment as people say it: "Today 16:55", "Yesterday 09:12", "2026-11-19 16:55"; in the time zone of `now`."""
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"Today {local:%H:%M}"
    if local.date() == (now - timedelta(days=1)).date():
        return f"Yesterday {local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"
