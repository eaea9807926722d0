"""Says where the image of a shown FOV is gone or has changed, and lets the user show where it lies now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.pages.annotate.missing_files import FoundFile, find_moved, relink
from synthstudio.gui.workspace import Workspace
from synthstudio.project.files import FileState, file_state

LOOK_AGAIN_MS = 3000
"""A network drive that comes back shows its field again by itself."""


class MovedFiles(QObject):
    """Looks after the image files of the FOVs that are shown.

    Signals:
        found: Files were found again, and the project knows where.
    """

    found = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._window = workspace, parent
        self._known_same: set[tuple[str, str, int, int]] = set()
        self._missing: FieldOfView | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_AGAIN_MS)
        self._timer.timeout.connect(self._look_again)

    def check(self, fov: FieldOfView) -> None:
        """Compare the file with what was imported, in a thread; say so where it is another."""

        def compare(tick: Tick) -> FileState:
            facts = _facts_of(fov)
            if facts in self._known_same:  # a slide, or another page of a stack: gigabytes that were read already
                return FileState.SAME
            state = file_state(fov, tick)
            if state is FileState.SAME and facts is not None:
                self._known_same.add(facts)
            return state

        def on_compared(state: FileState) -> None:
            if state is FileState.CHANGED and fov.id == self._workspace.current_fov_id:
                self.tell_changed(fov)

        self._workspace.background.run(compare, done=on_compared, owner=self, priority=-1, reads_images=True)

    def explain(self, fov: FieldOfView, error: UserError) -> None:
        """Say why an image could not be read; where its file is gone, wait for it to come back."""

        def on_looked(is_there: bool) -> None:
            if fov.id != self._workspace.current_fov_id:
                return
            if is_there:
                errors.report(error, parent=self._window)
            else:
                self._missing = fov
                self._timer.start()
                self.tell_missing(fov)

        self._look_for(fov, on_looked)

    def forget_missing(self) -> None:
        """Wait for no file any more: another field is shown."""
        self._missing = None
        self._timer.stop()

    @Slot()
    def _look_again(self) -> None:
        fov = self._missing
        if fov is None:
            return

        def on_looked(is_there: bool) -> None:
            if fov is self._missing and fov.id == self._workspace.current_fov_id:
                if is_there:
                    self.found.emit()
                else:
                    self._timer.start()

        self._look_for(fov, on_looked)

    def _look_for(self, fov: FieldOfView, then: Callable[[bool], None]) -> None:
        """Tell whether the file is there; from a thread, since a drive that has vanished may never answer."""

        def look(_: Tick) -> bool:
            return Path(fov.path).is_file()

        self._workspace.background.run(look, done=then, owner=self, reads_images=True)

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
            "Its annotations are safe. It is shown again once its drive is back; if it was moved, show where it lies"
            " now, and others that moved with it are found too.",
            action=NoticeAction("Find the file…", partial(self.ask, fov)),
        )
        errors.post(notice, parent=self._window)

    def ask(self, fov: FieldOfView) -> None:
        """Let the user show where the image of an FOV lies now."""
        errors.ask.file(
            self._window,
            title=f"Where is {fov.name} now?",
            # Not where the file was: the dialog looks at its folder at once, and that may be on a dead drive.
            start=self._workspace.require_project().folder.parent,
            name_filter="Images (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp);;All files (*)",
            answered=partial(self.relink_to, fov),
        )

    def ask_for_current(self) -> None:
        """Let the user show where the image of the current FOV lies now."""
        fov_id = self._workspace.current_fov_id
        if fov_id is not None:
            self.ask(self._workspace.require_project().fovs.get(fov_id))

    def relink_to(self, fov: FieldOfView, path: Path) -> None:
        """Point an FOV, and others that moved with it, at the folder of this file."""
        project = self._workspace.require_project()
        fovs = project.fovs.list()

        def find(tick: Tick) -> list[FoundFile]:
            return find_moved(project, fov, path, fovs, tick)

        self._workspace.background.run(
            find, done=self._on_found, owner=self, title="Finding moved images", reads_images=True
        )

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
        text = "The image was found." if n == 1 else f"{n:,} images were found: they moved together."
        errors.post(Notice(text, severity=Severity.INFO), parent=self._window)
        self.found.emit()


def _facts_of(fov: FieldOfView) -> tuple[str, str, int, int] | None:
    """What is known of a file without reading it; None where there is none."""
    try:
        found = Path(fov.path).stat()
    except OSError:
        return None
    return fov.path, fov.sha256, found.st_size, found.st_mtime_ns
