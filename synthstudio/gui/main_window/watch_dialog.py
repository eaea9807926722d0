"""Asks which folder is watched, and what becomes of images that come to lie in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from synthstudio.client.watch_options import WatchOptions
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Run, RunStatus
from synthstudio.domain.suggestions import SUGGESTING_KINDS
from synthstudio.gui import errors
from synthstudio.gui.main_window.folder_watcher import FolderWatcher
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project


class WatchDialog(QDialog):
    """The folder, whose sample its images are, whether they are copied, and which model suggests."""

    def __init__(self, workspace: Workspace, watcher: FolderWatcher, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Watch a folder")
        self._watcher = watcher
        kept = watcher.options or WatchOptions(folder="")
        self._wanted_run = kept.run
        self.is_on = QCheckBox("Import images as they come")
        self.is_on.setChecked(True)
        self.folder = QLineEdit(kept.folder)
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._choose_folder)
        self.sample = QLineEdit(kept.sample_from)
        self.sample.setPlaceholderText(r"the folder; or stem, or a pattern such as ^(patient\d+)_")
        self.copies = QCheckBox("Copy the images into the project")
        self.copies.setChecked(kept.copies)
        self.suggests = QCheckBox("Suggest what to mark on them")
        self.suggests.setChecked(kept.suggests)
        self.model = ElidedCombo()
        self.model.addItem("The newest trained model", "")
        self.model.setEnabled(kept.suggests)
        self.suggests.toggled.connect(self.model.setEnabled)
        self._lay_out()
        project = workspace.require_project()

        def read(_tick: Tick) -> list[Run]:
            return _models(project)

        workspace.background.run(read, done=self._offer_models, owner=self)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(self.is_on)
        add_row(form, "Folder", row)
        add_row(form, "Sample", self.sample)
        form.addRow(self.copies)
        form.addRow(self.suggests)
        add_row(form, "Model", self.model)
        hint = hint_label(
            "A file is taken once it has stopped growing. The folder is watched whenever the project is open."
        )
        fill_dialog(self, form, hint, save=self.save, width=520)
        for widget in (self.folder, self.browse, self.sample, self.copies, self.suggests):
            self.is_on.toggled.connect(widget.setEnabled)
        self.is_on.toggled.connect(lambda on: self.model.setEnabled(on and self.suggests.isChecked()))

    def _offer_models(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self.model.addItem(f"{run.title} · {run.created_at[:16].replace('T', ' ')}", run.id)
        self.model.setCurrentIndex(max(0, self.model.findData(self._wanted_run)))

    def _choose_folder(self) -> None:
        start = Path(self.folder.text() or Path.home())
        errors.ask.folder(
            self, title="Folder to watch", start=start, answered=lambda path: self.folder.setText(str(path))
        )

    def save(self) -> None:
        """Watch what was asked for, and close; where that cannot be, say why and stay."""
        try:
            if self.is_on.isChecked():
                self._watcher.start(
                    WatchOptions(
                        folder=self.folder.text().strip(),
                        sample_from=self.sample.text().strip(),
                        copies=self.copies.isChecked(),
                        suggests=self.suggests.isChecked(),
                        run=self.model.currentData() or "",
                    )
                )
            else:
                self._watcher.stop()
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
            return
        self.accept()


def _models(project: Project) -> list[Run]:
    """Finished trainings that can suggest, the newest first."""
    runs = [
        run for kind in SUGGESTING_KINDS for run in project.runs.list(kind=kind) if run.status is RunStatus.FINISHED
    ]
    return sorted(runs, key=lambda run: run.created_at, reverse=True)
