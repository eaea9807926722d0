"""Brings the image of the current FOV to the page, and says what is waited for where its drive is slow."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.workspace import Workspace

WAIT_SHOWN_AFTER_MS = 400
"""Until then the former field stays: a picture that goes blank between two fields tires the eyes."""
SLOW_AFTER_MS = 5000


class FieldOpener(QObject):
    """Opens one FOV at a time; what comes for another than the current one is dropped.

    Signals:
        opened: (`FieldOfView`, `ImagePyramid`)
        waiting: (str) The image has not come yet; in words for the user.
        failed: (`FieldOfView`, Exception) It cannot be read.
        mismatched: (`FieldOfView`, int, int) The file is an image of another width and height now.
    """

    opened = Signal(object, object)
    waiting = Signal(str)
    failed = Signal(object, object)
    mismatched = Signal(object, int, int)

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._waited_for: FieldOfView | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)

    def open(self, fov_id: FovId) -> None:
        """Begin to read the image of the current FOV."""
        self._waited_for = self._workspace.require_project().fovs.get(fov_id)
        self._timer.start(WAIT_SHOWN_AFTER_MS)
        self._workspace.load_fov_image(
            fov_id, partial(self._on_decoded, fov_id), self, failed=partial(self._on_failed, fov_id)
        )

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._waited_for = None
        self._timer.stop()

    @Slot()
    def _on_timeout(self) -> None:
        fov = self._waited_for
        if fov is None:
            return
        if self._timer.interval() == WAIT_SHOWN_AFTER_MS:
            self.waiting.emit(f"Opening {fov.name} …")
            self._timer.start(SLOW_AFTER_MS)
            return
        folder = Path(fov.path).parent
        self.waiting.emit(
            f"Still opening {fov.name}: the drive of {folder} answers slowly, or not at all.\n"
            "Its annotations are safe, and other fields can be opened meanwhile."
        )

    def _on_decoded(self, fov_id: FovId, pyramid: ImagePyramid) -> None:
        if fov_id != self._workspace.current_fov_id:
            return
        self.stop()
        fov = self._workspace.require_project().fovs.get(fov_id)
        if (pyramid.width, pyramid.height) == (fov.width, fov.height):
            self.opened.emit(fov, pyramid)
            return
        self._workspace.forget_image(fov_id)  # the file may be put right while the window is open
        self.mismatched.emit(fov, pyramid.width, pyramid.height)

    def _on_failed(self, fov_id: FovId, error: Exception) -> None:
        if fov_id == self._workspace.current_fov_id:
            self.stop()
            self.failed.emit(self._workspace.require_project().fovs.get(fov_id), error)
