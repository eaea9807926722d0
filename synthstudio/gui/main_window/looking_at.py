"""Looking at a data set of another program: it is read in place and opened as a project of its own."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.client.launch import app_command, engine_environment
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.main_window.pages import PAGES
from synthstudio.gui.workspace import Workspace
from synthstudio.project.origins import LookedAt, find_looked_at

QUALITY_PLACE = next(place for place, page in enumerate(PAGES) if page.id == "quality")


class LookingAt(QObject):
    """Opens data sets, in this window where no project is open, else in another; says of one what it is.

    Args:
        window: With `open_project` and `show_page`.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        workspace.project_changed.connect(self._on_project_changed)

    def ask(self) -> None:
        """Let the user choose a data set."""
        from synthstudio.gui.main_window.look_dialog import LookDialog  # noqa: PLC0415 - the first paint does not wait

        dialog = LookDialog(self._workspace, self._window)
        dialog.kept.connect(self.open)
        dialog.open()

    @Slot(object)
    def open(self, folder: Path) -> None:
        """Open the project of a data set; the one that is open stays so, in this window."""
        if self._workspace.project is None:
            self._window.open_project(folder)  # type: ignore[attr-defined]  # see above
            return
        if start_window(folder):
            notice = Notice(
                f"{folder.name} opens in a window of its own.", "This project stays open here.", Severity.INFO
            )
        else:
            notice = Notice(f"No other window could be started for {folder.name}.", "Close the project first.")
        errors.post(notice, parent=self._window)

    @Slot()
    def _on_project_changed(self) -> None:
        project = self._workspace.project
        what = find_looked_at(project) if project is not None else None
        if what is not None:
            QTimer.singleShot(0, self, self._go_to_quality)  # a window that has just been started is painted first
            errors.post(_notice(what), parent=self._window)

    def _go_to_quality(self) -> None:
        self._window.show_page(QUALITY_PLACE)  # type: ignore[attr-defined]  # see above


def _notice(what: LookedAt) -> Notice:
    n = len(what.problems)
    hint = "Its files are only read: what is changed here stays in this copy, until it is exported."
    if not n:
        return Notice(f"{what.path} is looked at in place, as {what.format}.", hint, Severity.INFO)
    read = f"{n:,} problem{'' if n == 1 else 's'} while reading: {what.problems[0]}{'' if n == 1 else ' …'}"
    return Notice(f"{what.path} is looked at in place, as {what.format}.", f"{read} {hint}", Severity.WARNING)


def start_window(folder: Path) -> bool:
    """Start the application once more, on a project; tells whether that worked."""
    process = QProcess()
    program, *arguments = app_command(folder)
    environment = QProcessEnvironment()
    for name, value in engine_environment().items():
        environment.insert(name, value)
    process.setProgram(program)
    process.setArguments(arguments)
    process.setProcessEnvironment(environment)
    return bool(process.startDetached()[0])
