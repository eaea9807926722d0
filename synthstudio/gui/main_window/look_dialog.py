"""Choosing a data set of another program to be looked at; what is in it is shown before it is opened."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.foreign import DataSet, keep_data_set
from synthstudio.core.annotations.mapping import map_classes
from synthstudio.domain.progress import Tick
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class LookDialog(ImportDialog):
    """Reads as the import does, but writes nothing into the open project.

    Signals:
        kept: (folder) The project that shows the data set.
    """

    kept = Signal(object)
    title = "Look at a data set"
    verb = "Look at"
    bare_verb = "Look at it"
    of_the_rest = "the rest can be looked at"

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(workspace, (), parent)
        self.summary.setText("Choose a folder or file. Nothing is written there: its images are read where they lie.")

    @override
    def _known_project(self) -> Project | None:
        return None

    @override
    def _show_rows_of_format(self) -> None:
        super()._show_rows_of_format()
        for widget in (self.existing, self.guides, self.copy):  # these are about the open project
            self.form.setRowVisible(widget, False)

    @Slot()
    @override
    def apply(self) -> None:
        """Keep what was read as a project in the cache; the dialog closes when that is done."""
        if self.plan is None or self._applying is not None:
            return
        path = Path(self.folder.text().strip()).expanduser().absolute()
        data = DataSet(path, self.format.currentData(), self.options())
        plan, mapping = self.plan, self.classes.mapping()

        def work(tick: Tick) -> Path:
            return keep_data_set(data, map_classes(plan, mapping), tick=tick)

        self._set_busy("Opening…")
        self._applying = self.workspace.background.run(
            work, done=self._on_kept, failed=self._on_failed, owner=self, title=f"Opening {path.name}"
        )
        self._applying.progressed.connect(self._on_progressed)
        self._applying.ended.connect(self._on_applying_ended)

    def _on_kept(self, folder: Path) -> None:
        self._applying = None
        self.kept.emit(folder)
        self.accept()
