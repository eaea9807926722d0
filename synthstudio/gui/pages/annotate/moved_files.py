"""Says where the image of a shown FOV is gone or has changed, and lets the user show where it lies now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.pages.annotate.missing_files import FoundFile, find_moved, relink
from synthstudio.gui.workspace import Workspace
from synthstudio.project.files import FileState, file_state


class MovedFiles(QObject):
    """Looks after the image files of the FOVs that are shown.

    Signals:
        found: Files were found again, and the project knows where.
    """

    found = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._window = workspace, parent

    def check(self, fov: FieldOfView) -> None:
        """Compare the file with what was imported, in a thread; say so where it is another."""

        def compare(_: Tick) -> FileState:
            return file_state(fov)

        def on_compared(state: FileState) -> None:
            if state is FileState.CHANGED and fov.id == self._workspace.current_fov_id:
                self.tell_changed(fov)

        self._workspace.background.run(compare, done=on_compared, owner=self, priority=-1)

    def tell_changed(self, fov: FieldOfView) -> None:
        """Say that the file is not the one that was imported."""
        notice = Notice(
            f"The image file of {fov.name} has changed since it was imported.",
            "Its annotations may no longer fit. Show where the original file lies, or import this one anew.",
            Severity.WARNING,
            NoticeAction("Find the file…", partial(self.ask, fov)),
        )
        errors.post(notice, parent=self._window)

    def tell_missing(self, fov: FieldOfView) -> None:
        """Say that there is no file any more."""
        notice = Notice(
            f"The image of {fov.name} is missing: there is no file {fov.path}.",
            "Its annotations are safe. Show where the file lies now, and others that moved with it are found too.",
            action=NoticeAction("Find the file…", partial(self.ask, fov)),
        )
        errors.post(notice, parent=self._window)

    def ask(self, fov: FieldOfView) -> None:
        """Let the user show where the image of an FOV lies now."""
        errors.ask.file(
            self._window,
            title=f"Where is {fov.name} now?",
            start=Path(fov.path).parent,
            name_filter="Images (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;All files (*)",
            answered=partial(self.relink_to, fov),
        )

    def relink_to(self, fov: FieldOfView, path: Path) -> None:
        """Point an FOV, and others that moved with it, at the folder of this file."""
        fovs = self._workspace.require_project().fovs.list()

        def find(tick: Tick) -> list[FoundFile]:
            return find_moved(fov, path, fovs, tick)

        self._workspace.background.run(find, done=self._on_found, owner=self, title="Finding moved images")

    def _on_found(self, found: Sequence[FoundFile]) -> None:
        try:
            told = relink(self._workspace.require_writable_project(), found)
        except UserError as error:
            errors.report(error, parent=self._window)
            return
        for each in found:
            self._workspace.forget_image(each.fov_id)
        self._workspace.announce(told)
        n = len(found)
        text = "The image was found." if n == 1 else f"{n} images were found in that folder."
        errors.post(Notice(text, severity=Severity.INFO), parent=self._window)
        self.found.emit()
