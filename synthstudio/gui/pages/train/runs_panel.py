"""The list of trainings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.icons import themed_icon

WIDTH_PX = 184
ICONS = {
    RunStatus.QUEUED: "mdi6.clock-outline",
    RunStatus.RUNNING: "mdi6.play-circle-outline",
    RunStatus.FINISHED: "mdi6.check-circle-outline",
    RunStatus.CANCELLED: "mdi6.cancel",
    RunStatus.FAILED: "mdi6.alert-circle-outline",
}


class RunsPanel(QWidget):
    """Newest first: name, then status, score and time."""

    run_chosen = Signal(object)
    """`RunId`, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(max(WIDTH_PX, scaled_px(160)))  # of two lists beside each other neither may grow much
        head = QLabel("Trainings", self)
        head.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, GRID_PX)
        head.setProperty("strong", True)
        self.list = QListWidget(self)
        self.list.setAccessibleName("Trainings")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(self.list, 1)
        self.list.currentRowChanged.connect(self._on_list_current_row_changed)

    @property
    def chosen(self) -> RunId | None:
        item = self.list.currentItem()
        return RunId(item.data(Qt.ItemDataRole.UserRole)) if item is not None else None

    def set_trainings(self, trainings: Sequence[TrainingFacts]) -> None:
        """Show these; the chosen one stays chosen."""
        kept = self.chosen
        self.list.blockSignals(True)
        self.list.clear()
        for each in trainings:
            entry = QListWidgetItem(f"{each.name}\n{each.short_line}", self.list)
            entry.setIcon(themed_icon(ICONS[each.run.status]))
            entry.setData(Qt.ItemDataRole.UserRole, each.run.id)
            entry.setToolTip(f"{each.name}\n{each.run.id}\n{each.run.message}".strip())
        ids = [each.run.id for each in trainings]
        self.list.setCurrentRow(ids.index(kept) if kept in ids else (0 if ids else -1))
        self.list.blockSignals(False)

    def choose(self, run_id: RunId) -> None:
        """Choose a run as a click would."""
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == run_id:
                self.list.setCurrentRow(row)

    @Slot()
    def _on_list_current_row_changed(self) -> None:
        self.run_chosen.emit(self.chosen)
