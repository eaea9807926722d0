"""The tags of the selected rows: what some or all of them have, and a line for a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

WIDTH_PX, HEIGHT_PX = 320, 360
NO_TAG = "This project has no tags yet. Type a word and press Return: it is put on all that is selected."


class TagsDialog(QDialog):
    """Return puts the tag of the line on all that is selected; a tick puts one on or takes it off. At once, each.

    Args:
        what: What is selected, in words: "12 images".
        known: All tags of the project.

    Signals:
        tag_changed: (tag, is put on)
    """

    tag_changed = Signal(str, bool)

    def __init__(self, what: str, known: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Tags of {what}")
        self._known = tuple(known)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("A word, as blurred or look again")
        self.line.setAccessibleName("New tag")
        self.add = QPushButton("Add", self)
        self.add.setDefault(True)
        completer = QCompleter(list(known), self.line)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)
        self.tags = QListWidget(self)
        self.tags.setAccessibleName("Tags")
        self.nothing = WrappedLabel("muted", self)
        self.nothing.setText(NO_TAG)
        self.problem = WrappedLabel("danger", self)
        self.problem.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID_PX)
        layout.addLayout(row)
        layout.addWidget(self.problem)
        layout.addWidget(self.nothing)
        layout.addWidget(self.tags, 1)
        layout.addWidget(self.buttons)
        self.resize(scaled_px(WIDTH_PX), scaled_px(HEIGHT_PX))
        self.add.clicked.connect(self._on_add_clicked)
        self.tags.itemChanged.connect(self._on_tags_item_changed)
        self.buttons.rejected.connect(self.reject)

    def show_counts(self, counts: Mapping[str, int], n_all: int) -> None:
        """Say how many of those that are selected have each tag; tags that none of them has can be ticked."""
        self.tags.blockSignals(True)
        self.tags.clear()
        for name in sorted({*self._known, *counts}):
            n_own = counts.get(name, 0)
            item = QListWidgetItem(f"{name}  {n_own:,}" if 0 < n_own < n_all else name, self.tags)
            item.setData(Qt.ItemDataRole.UserRole, name)
            partly = Qt.CheckState.PartiallyChecked if n_own else Qt.CheckState.Unchecked
            item.setCheckState(Qt.CheckState.Checked if n_own == n_all else partly)
        self.tags.blockSignals(False)
        self.nothing.setVisible(not self.tags.count())
        self.problem.hide()

    def show_problem(self, text: str) -> None:
        """Say why a tag could not be put on."""
        self.problem.setText(text)
        self.problem.show()

    @Slot()
    def _on_add_clicked(self) -> None:
        name = self.line.text().strip()
        if not name:
            self.accept()  # Return on an empty line: done
            return
        self.line.clear()
        self.tag_changed.emit(name, True)

    @Slot(QListWidgetItem)
    def _on_tags_item_changed(self, item: QListWidgetItem) -> None:
        is_on = item.checkState() is Qt.CheckState.Checked
        self.tag_changed.emit(item.data(Qt.ItemDataRole.UserRole), is_on)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and self.line.hasFocus() and self.tags.count():
            self.tags.setFocus()
            self.tags.setCurrentRow(0)
            return
        super().keyPressEvent(event)
