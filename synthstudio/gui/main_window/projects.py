"""Which project is open: a new one, one that is there, a demo, one that was dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.main_window.guessing import find_project, is_project
from synthstudio.gui.workspace import Workspace
from synthstudio.project.restoring import restore_snapshot
from synthstudio.settings.resources import Journey, demo_folder


class Projects(QObject):
    """Opens and closes projects.

    Args:
        import_from: Offers to import folders and files into the project that is open.
        window: Shows questions and notices.
    """

    def __init__(self, workspace: Workspace, *, import_from: Callable[..., None], window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._import_from, self._window = workspace, import_from, window

    def open(self, folder: Path) -> bool:
        """Open a project; tells whether it worked. A running job is asked about first."""
        return self._change(lambda: self._workspace.open_project(folder))

    def create(self, folder: Path) -> bool:
        """Make a project and open it; tells whether it worked."""
        return self._change(lambda: self._workspace.create_project(folder))

    def reopen(self) -> None:
        """Open a project anew that is open read-only; the same field is shown again."""
        project, shown = self._workspace.project, self._workspace.current_fov_id
        if project is None or not project.is_read_only:
            return  # another one was opened meanwhile
        if self._change(self._workspace.reopen_project) and shown in self._workspace.fov_order:
            self._workspace.set_current_fov(shown)

    def close(self) -> None:
        """Close the project and show the welcome."""
        self._change(self._workspace.close_project)

    def go_back(self, snapshot: Path, words: str) -> None:
        """Close the project, bring a snapshot of it back and open it again.

        Args:
            snapshot: Its file.
            words: What the user knows it by.
        """
        project, shown = self._workspace.require_project(), self._workspace.current_fov_id
        folder = project.folder

        def close() -> None:
            self._workspace.require_writable_project()
            self._workspace.close_project()

        def reopen() -> None:
            """However it ended; unless another project was opened meanwhile."""
            if self._workspace.project is None and self.open(folder) and shown in self._workspace.fov_order:
                self._workspace.set_current_fov(shown)

        def tell(_: Path | None) -> None:
            hint = "The state before is among the snapshots, too."
            self._tell(Notice(f"{folder.name} is as it was: {words}.", hint, Severity.INFO))

        if self._change(close):
            task = self._workspace.background.run(
                lambda tick: restore_snapshot(folder, snapshot.name, tick),
                done=tell,
                owner=self._window,
                title="Going back to a snapshot",
            )
            task.ended.connect(reopen)

    def _change(self, change: Callable[[], None]) -> bool:
        worker = self._workspace.gpu_worker
        if not worker.is_idle:
            action = NoticeAction("Cancel the jobs", worker.cancel_all)
            hint = "Wait for their end, or cancel them; those that wait are kept when the window is closed."
            self._tell(Notice("Jobs of this project are not finished.", hint, Severity.WARNING, action))
            return False
        try:
            change()
        except UserError as error:
            errors.report(error, parent=self._window)
            return False
        return True

    def _tell(self, notice: Notice) -> None:
        errors.post(notice, parent=self._window)

    def ask_for_new(self) -> None:
        """Let the user choose where a new project goes."""
        start = self._folder() / "my-study"
        errors.ask.new_folder(self._window, title="New project", start=start, answered=self.create)

    def ask_for_one(self) -> None:
        """Let the user choose a project to open."""
        errors.ask.folder(self._window, title="Open project", start=self._folder(), answered=self.open)

    def _folder(self) -> Path:
        recent = self._workspace.preferences.recent_projects
        return Path(recent[0]).parent if recent and Path(recent[0]).parent.is_dir() else Path.home()

    def open_demo(self) -> None:
        """Open the demo project of microscope fields; it is built first where it is not there yet."""
        self._open_demo("clicks")

    def open_skin_demo(self) -> None:
        """The same for the demo project of photographs of skin."""
        self._open_demo("gan")

    def _open_demo(self, journey: Journey) -> None:
        folder = demo_folder(journey)
        if is_project(folder):
            self.open(folder)
            return

        def build(tick: Tick) -> Path:
            from synthstudio.client.demo import build_demo  # noqa: PLC0415 - loaded when it is needed

            build_demo(folder, journey, tick).close()
            return folder

        self._workspace.background.run(build, done=self.open, owner=self._window, title="Building the demo project")

    def take_dropped(self, *paths: Path) -> None:
        """Open a project that was dropped, or import folders or files, just these."""
        project = find_project(paths[0])
        if project is not None:
            self.open(project)
        elif self._workspace.project is None:
            hint = "Make a new project or open one, then drop the images again."
            action = NoticeAction("New project…", self.ask_for_new)
            self._tell(Notice("Images are imported into a project.", hint, Severity.INFO, action))
        else:
            self._import_from(*paths)
