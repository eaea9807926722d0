"""A standing engine that makes images of a GAN from maps, one after another: what is behind the map editor.

It is no run: nothing is entered into the project, and nothing is written there.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import queue
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthstudio.client.cancelling import Graces, HostCancel
from synthstudio.client.endings import crash_outcome
from synthstudio.client.launch import engine_command
from synthstudio.client.process import EngineProcess
from synthstudio.core.imaging import ImageArray, translate_os_error
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRequest
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    DrawingRefused,
    DrawMap,
    DrawnRegion,
    ImageDrawn,
    JobCancelled,
    JobFailed,
    JobRequest,
    WarningRaised,
)
from synthstudio.settings.draw import DrawSettings

_POLL_S = 0.05
DRAWING_GRACES = Graces(polite_s=1.0, terminate_s=1.0, exit_s=1.0)
"""There is nothing to be saved: an engine that does not end soon is ended."""
AGAIN = "It starts again with the next change of the map."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drawing:
    """An image that was made: (S, S, 3) uint8 RGB, and the seconds that the engine took for it."""

    image: ImageArray
    seconds: float


class DrawingSession:
    """Draws the maps of one GAN; the engine is started by the first, and again after it has died.

    All methods but `interrupt` belong to one thread.

    Args:
        project: Folder of the project.
        run_id: Run of the train-gan job.
        device: "auto", "cpu" or a device string.
        command: Command line of the engine, where it is not the usual one.
    """

    def __init__(
        self,
        project: Path,
        run_id: RunId,
        *,
        device: str = "auto",
        command: Sequence[str] | None = None,
        graces: Graces = DRAWING_GRACES,
    ) -> None:
        self.run_id = run_id
        self._project = project
        self._device = device
        self._command = command or engine_command()
        self._graces = graces
        self._cancel = HostCancel()
        self._number = 0
        self._engine: EngineProcess | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the engine; None where there is none at present."""
        engine = self._engine  # which another thread may be discarding
        return engine.pid if engine is not None else None

    def start(self) -> None:
        """Start the engine where it does not run, without waiting until it is ready. Raises UserError."""
        if self._engine is not None and self._engine.poll() is not None:
            _log.info("The drawing engine has ended by itself: %s", self._engine.log_tail()[-1:])
            self._discard()
        if self._engine is None:
            self._engine = self._started()

    def draw(self, request: MapRequest, *, seed: int, index: int = 0) -> Drawing:
        """Make the image of a map; seed and index are those of the noise, where the GAN has any.

        Raises:
            UserError: The map cannot be drawn, or the engine cannot be started or has died; the next call starts it.
            Cancelled: `interrupt` was called.
        """
        self.start()
        assert self._engine is not None
        self._number += 1
        self._engine.send(_command_of(request, number=self._number, seed=seed, index=index))
        while True:
            match self._next_event(self._engine):
                case ImageDrawn(number=number) as event if number == self._number:
                    return Drawing(_pixels(event), event.seconds)
                case DrawingRefused(number=number, message=message, hint=hint) if number == self._number:
                    raise UserError(message, hint)
                case JobFailed(message=message, hint=hint, traceback=traceback):
                    _log.info("The drawing engine gave up: %s\n%s", message, traceback)
                    self._discard()
                    raise UserError(message, hint)
                case JobCancelled():
                    self._discard()
                    raise Cancelled
                case WarningRaised(text=text):
                    _log.warning("The drawing engine warns: %s", text)
                case _:
                    pass

    def interrupt(self) -> None:
        """From any thread: let a `draw` that waits give up; the session can only be closed then."""
        self._cancel.request()

    def close(self) -> None:
        """End the engine: ask, then terminate, then kill. May be called again; a later `draw` starts it anew."""
        engine = self._engine
        if engine is not None and engine.poll() is None:
            engine.send(Cancel())
            if engine.wait(self._graces.polite_s) is None:
                engine.terminate()
                engine.wait(self._graces.terminate_s)
        self._discard()

    def _started(self) -> EngineProcess:
        if self._scratch is None:
            try:
                self._scratch = tempfile.TemporaryDirectory(prefix="synthstudio-draw-", ignore_cleanup_errors=True)
            except OSError as error:
                raise translate_os_error(error, Path(tempfile.gettempdir())) from error
        folder = Path(self._scratch.name)
        settings = DrawSettings(run=str(self.run_id))
        request = JobRequest(
            run_id="draw", project=str(self._project), run_dir=str(folder), settings=settings, device=self._device
        )
        return EngineProcess(self._command, request, log_path=folder / "engine.log")

    def _next_event(self, engine: EngineProcess) -> AnyEvent:
        while True:
            if self._cancel.is_requested:
                raise Cancelled
            with contextlib.suppress(queue.Empty):
                return engine.events.get(timeout=_POLL_S)
            if engine.poll() is not None and engine.events.empty():
                self._raise_crash(engine)

    def _raise_crash(self, engine: EngineProcess) -> None:
        """Tell of an engine that has ended without a word, unless its last words come just now."""
        status = engine.wait(0) or 0
        engine.close()  # what is left in its pipes is in the queue after this
        if engine.events.empty():
            tail = engine.log_tail()
            self._discard()
            failure = crash_outcome(status, tail, can_resume=False)
            _log.warning("The drawing engine died: %s\n%s", failure.message, failure.traceback)
            raise UserError(failure.message, AGAIN)

    def _discard(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def _command_of(request: MapRequest, *, number: int, seed: int, index: int) -> DrawMap:
    regions = tuple(
        DrawnRegion(class_name=each.class_name, box=(each.box.x0, each.box.y0, each.box.x1, each.box.y1))
        for each in request.regions
    )
    return DrawMap(number=number, side=request.side, tone=request.tone, regions=regions, seed=seed, index=index)


def _pixels(event: ImageDrawn) -> ImageArray:
    return np.frombuffer(base64.b64decode(event.pixels), np.uint8).reshape(event.side, event.side, 3)
