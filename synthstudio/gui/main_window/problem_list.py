"""Problems of an import, line by line; whoever made the files wants to read them, so they can be copied and saved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QListWidget

from synthstudio.gui.widgets.saving import save_bytes

MAX_LISTED = 1000


class ProblemList(QListWidget):
    """Shows the first `MAX_LISTED` problems; all of them can be saved."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[str] = []
        self.setAccessibleName("Problems")
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        copy = QAction("Copy", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._on_copy_triggered)
        save = QAction("Save all…", self)
        save.triggered.connect(self._on_save_triggered)
        self.addActions([copy, save])
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def show_problems(self, problems: list[str]) -> None:
        """Show these instead."""
        self._all = problems
        self.clear()
        self.addItems(problems[:MAX_LISTED])
        if len(problems) > MAX_LISTED:
            self.addItem(f"… and {len(problems) - MAX_LISTED:,} more")

    @Slot()
    def _on_copy_triggered(self) -> None:
        rows = sorted(self.row(item) for item in self.selectedItems())
        chosen = [self.item(row).text() for row in rows] or self._all
        QGuiApplication.clipboard().setText("\n".join(chosen))

    @Slot()
    def _on_save_triggered(self) -> None:
        text = "".join(f"{problem}\n" for problem in self._all)
        save_bytes(self, "import-problems.txt", "Text (*.txt)", lambda: text.encode("utf-8", errors="replace"))
