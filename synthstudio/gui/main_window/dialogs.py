"""The dialogs that are reached from anywhere. Each is loaded when it is needed: the first paint does not wait."""
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionRegistry
from synthstudio.gui.main_window.annotator import Annotator
from synthstudio.gui.main_window.folder_watcher import FolderWatcher
from synthstudio.gui.main_window.fov_panel import FovPanel
from synthstudio.gui.main_window.projects import Projects
from synthstudio.gui.workspace import Workspace


class Dialogs(QObject):
    """Opens them over the window.

    Args:
        workspace: What they show and change.
        fov_panel: Which fields are selected.
        registry: Actions, and their keys.
        annotate: Goes to the page that annotates, and returns it.
        complete: Makes what pages make late, so that the registry knows all of their actions.
        window: The window.
    """

    def __init__(
        self,
        workspace: Workspace,
        fov_panel: FovPanel,
        registry: ActionRegistry,
        *,
        annotate: Callable[[], Annotator],
        complete: Callable[[], None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._fov_panel, self._registry = workspace, fov_panel, registry
        self._annotate, self._complete = annotate, complete
        self._window = window

    def open_import(self, *paths: Path) -> None:
        """Open the import, on what was dropped."""
        from synthstudio.gui.main_window.import_dialog import ImportDialog

        try:
            self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        ImportDialog(self._workspace, paths, self._window).open()

    def open_export(self) -> None:
        """Open the export."""
        from synthstudio.gui.main_window.export_dialog import ExportDialog

        ExportDialog(self._workspace, self._window).open()

    def open_calibration(self, drawn_px: float | None = None) -> None:
        """Open the calibration of the selected fields; of the shown one, after a line was drawn over its scale bar."""
        from synthstudio.gui.main_window.calibration_dialog import CalibrationDialog

        shown, selected = self._workspace.current_fov_id, self._fov_panel.selected
        if drawn_px is not None and shown is not None and shown not in selected:
            selected = (shown,)
        CalibrationDialog(self._workspace, selected, self._window, drawn_px=drawn_px).open()

    def open_samples(self) -> None:
        """Open the making of samples from names."""
        from synthstudio.gui.main_window.samples_dialog import SamplesDialog

        SamplesDialog(self._workspace, self._window).open()

    def open_splits(self) -> None:
        """Open the division into train, validation and test."""
        from synthstudio.gui.main_window.splits_dialog import SplitsDialog

        SplitsDialog(self._workspace, self._window).open()

    def open_crop_labels(self) -> None:
        """Open the labelling of whole crops."""
        from synthstudio.gui.main_window.crop_labels_dialog import CropLabelsDialog

        CropLabelsDialog(self._workspace, self._window).open()

    def open_agreement(self) -> None:
        """Open the comparison of authors beside the viewer."""
        from synthstudio.gui.main_window.agreement_dialog import AgreementDialog

        AgreementDialog(self._workspace, self._annotate(), self._window).show()

    def open_guide(self) -> None:
        """Show the user guide."""
        from synthstudio.gui.main_window.help_dialogs import guide_dialog

        try:
            guide_dialog(self._window).show()
        except UserError as error:
            errors.report(error, parent=self._window)

    def open_keys(self) -> None:
        """Show all keys, to be changed."""
        from synthstudio.gui.main_window.keys_dialog import KeysDialog

        self._complete()
        KeysDialog(self._registry, self._workspace, self._window).open()

    def open_author(self) -> None:
        """Ask for the name that new annotations carry."""
        from synthstudio.gui.main_window.author_dialog import AuthorDialog

        AuthorDialog(self._workspace, self._window).open()

    def open_job_hours(self) -> None:
        """Ask for the hours in which jobs are begun."""
        from synthstudio.gui.main_window.job_hours_dialog import JobHoursDialog

        JobHoursDialog(self._workspace, self._window).open()

    def open_watch(self, watcher: FolderWatcher) -> None:
        """Ask which folder is watched."""
        from synthstudio.gui.main_window.watch_dialog import WatchDialog

        try:
            self._workspace.require_writable_project()
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        WatchDialog(self._workspace, watcher, self._window).open()

    def open_snapshots(self, projects: Projects) -> None:
        """Show the states of the project that one can go back to."""
        from synthstudio.gui.main_window.snapshots_dialog import SnapshotsDialog

        SnapshotsDialog(self._workspace, projects, self._window).open()

    def open_about(self) -> None:
        """Say what this is."""
        from synthstudio.gui.main_window.help_dialogs import about_dialog

        about_dialog(self._window).show()
