"""Lists of samples side by side, between which they are dragged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import SampleId
from synthstudio.domain.records import Split
from synthstudio.gui.item_models.fov_listing import natural

SampleIdRole = Qt.ItemDataRole.UserRole


class _SampleList(QListWidget):
    """Signals: samples_dropped (from which list)."""

    samples_dropped = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(f"Samples: {name}")
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        source = event.source()
        if isinstance(source, _SampleList) and source is not self:
            # The rows are moved by the one who listens; Qt's own move would make copies without our data's types.
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.samples_dropped.emit(source)
        else:
            event.ignore()


class SplitColumns(QWidget):
    """One list per split.

    Args:
        splits: Each split with its title.

    Signals:
        moved: (tuple of `SampleId`, `Split` or None) The user has put these samples into another split.
    """

    moved = Signal(object, object)

    def __init__(self, splits: Sequence[tuple[Split | None, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lists: dict[Split | None, _SampleList] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for split, title in splits:
            column = QVBoxLayout()
            column.setSpacing(4)
            samples = _SampleList(title)
            samples.samples_dropped.connect(lambda source, split=split: self._move(source, split))
            samples.itemSelectionChanged.connect(self._on_selection_changed)
            heading = QLabel(title)
            heading.setBuddy(samples)
            column.addWidget(heading)
            column.addWidget(samples, 1)
            layout.addLayout(column, 1)
            self.lists[split] = samples

    def set_division(self, division: Mapping[SampleId, Split | None], texts: Mapping[SampleId, str]) -> None:
        """Show the samples, by name."""
        for split, samples in self.lists.items():
            samples.clear()
            chosen = [each for each, part in division.items() if part is split]
            for sample_id in sorted(chosen, key=lambda each: natural(texts[each])):
                item = QListWidgetItem(texts[sample_id], samples)
                item.setData(SampleIdRole, sample_id)

    @Slot()
    def _on_selection_changed(self) -> None:
        """Only one list has a selection: else a key would move what is out of sight, too."""
        source = self.sender()
        if isinstance(source, _SampleList) and source.selectedItems():
            for each in self.lists.values():
                if each is not source:
                    each.clearSelection()

    def move_selected(self, split: Split | None) -> None:
        """Put the selected samples into a split."""
        for source in self.lists.values():
            if source is not self.lists[split] and source.selectedItems():
                self._move(source, split)
                return

    def _move(self, source: _SampleList, split: Split | None) -> None:
        target, items = self.lists[split], source.selectedItems()
        row = min((source.row(item) for item in items), default=0)
        ids: list[SampleId] = []
        for item in items:
            source.takeItem(source.row(item))
            target.addItem(item)
            ids.append(item.data(SampleIdRole))
        source.setCurrentRow(min(row, source.count() - 1))  # so that the next key moves the next one
        target.scrollToBottom()
        self.moved.emit(tuple(ids), split)
