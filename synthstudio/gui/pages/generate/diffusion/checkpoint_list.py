"""The checkpoints of a fine-tuning as a list, from which one is chosen to make images with."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from synthstudio.gui.pages.generate.diffusion.checkpoint_facts import COLUMNS, Checkpoint, checkpoint_rows
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.sortable_table import SortableTable


class CheckpointList(QWidget):
    """Newest first.

    Signals:
        selection_changed: (step) Another one is selected.
        use_requested: (step) Make images with it.
    """

    selection_changed = Signal(int)
    use_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = SortableTable("Checkpoints", self)
        self.table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.use = QPushButton("Make images with it", self)
        self.use.setToolTip("Goes to the tab Images with the selected checkpoint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.use)
        self.table.selection_changed.connect(self._on_table_selection_changed)
        self.table.doubleClicked.connect(lambda _index: self.request_use())
        self.use.clicked.connect(self.request_use)
        self.show_checkpoints(())

    def show_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Show these; what was selected stays so."""
        self.table.set_table(COLUMNS, checkpoint_rows(checkpoints))
        self.use.setEnabled(bool(self.table.selected))

    @property
    def selected(self) -> int | None:
        """The step of the selected checkpoint."""
        return int(self.table.selected[0]) if self.table.selected else None

    def select(self, step: int | None) -> None:
        """Select a checkpoint, where there is one of that step; tells nobody."""
        if step is not None and str(step) in self.table.keys and step != self.selected:
            self.table.select([str(step)], current=str(step))
        self.use.setEnabled(bool(self.table.selected))

    @Slot()
    def request_use(self) -> None:
        """Ask for images that are made with the selected one."""
        if self.selected is not None:
            self.use_requested.emit(self.selected)

    @Slot()
    def _on_table_selection_changed(self) -> None:
        self.use.setEnabled(bool(self.table.selected))
        if self.selected is not None:
            self.selection_changed.emit(self.selected)
