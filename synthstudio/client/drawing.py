"""A standing engine that makes images from maps or prompts, one after another: what is behind the map editor.

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
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Box
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    DrawingRefused,
    DrawMap,
    DrawnPlace,
    DrawnRegion,
    DrawPrompt,
    ImageDrawn,
    JobCancelled,
    JobFailed,
    JobRequest,
    StageChanged,
    WarningRaised,
)
from synthstudio.settings.draw import DrawSettings

_POLL_S = 0.05
DRAWING_GRACES = Graces(polite_s=1.0, terminate_s=1.0, exit_s=1.0)
"""There is nothing to be saved: an engine that does not end soon is ended."""
_NUDGE = StageChanged(text="")
"""No event of the engine: told by identity, it only ends a wait for one."""
AGAIN = "It starts again with the next change of the map."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drawing:
    """An image that was made: (S, S, 3) uint8 RGB, and the seconds that the engine took for it."""

    image: ImageArray
    seconds: float


class DrawingSession:
    """Draws with one generator; the engine is started by the first request, and again after it has died.

    All methods but `interrupt` and `nudge` belong to one thread.

    Args:
        project: Folder of the project.
        run_id: Run that has trained the generator; empty for a local model.
        device: "auto", "cpu" or a device string.
        settings: Which checkpoint or local model draws, and how; where it is not simply that of the run.
        command: Command line of the engine, where it is not the usual one.
    """

    def __init__(
        self,
        project: Path,
        run_id: RunId,
        *,
        device: str = "auto",
        settings: DrawSettings | None = None,
        command: Sequence[str] | None = None,
        graces: Graces = DRAWING_GRACES,
    ) -> None:
        self.run_id = run_id
        self._settings = settings or DrawSettings(run=str(run_id))
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

    def draw(self, request: MapRequest | PromptRequest, *, seed: int, index: int = 0) -> Drawing:
        """Make the image of a map or prompt; seed and index are those of the noise, where the generator has any.

        Raises:
            UserError: The request cannot be drawn, or the engine cannot be started or has died: the next starts it.
            Cancelled: `interrupt` was called.
        """
        number = self.send(request, seed=seed, index=index)
        while True:
            answer = self.receive()
            if answer is not None and answer[0] == number:
                if isinstance(answer[1], UserError):
                    raise answer[1]
                return answer[1]

    def send(self, request: MapRequest | PromptRequest, *, seed: int, index: int = 0) -> int:
        """Ask for an image without waiting for it; return the number that its answer will have.

        Of what is sent while the engine makes another image, only the newest is made, right after that one.

        Raises:
            UserError: The engine cannot be started.
        """
        self.start()
        assert self._engine is not None
        self._number += 1
        self._engine.send(_command_of(request, number=self._number, seed=seed, index=index))
        return self._number

    def receive(self) -> tuple[int, Drawing | UserError] | None:
        """Wait for the next answer: its number, and the image or why there is none; None after a `nudge`.

        Raises:
            UserError: The engine has died: the next request starts it, and nothing that was sent will be answered.
            Cancelled: `interrupt` was called.
        """
        assert self._engine is not None
        while True:
            match self._next_event(self._engine):
                case event if event is _NUDGE:
                    return None
                case ImageDrawn(number=number) as event:
                    return number, Drawing(_pixels(event), event.seconds)
                case DrawingRefused(number=number, message=message, hint=hint):
                    return number, UserError(message, hint)
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

    def nudge(self) -> None:
        """From any thread: let a `receive` that waits, or comes next, return without an answer."""
        engine = self._engine
        if engine is not None:
            engine.events.put(_NUDGE)

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
        request = JobRequest(
            run_id="draw",
            project=str(self._project),
            run_dir=str(folder),
            settings=self._settings,
            device=self._device,
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


def _command_of(request: MapRequest | PromptRequest, *, number: int, seed: int, index: int) -> DrawMap | DrawPrompt:
    if isinstance(request, PromptRequest):
        return DrawPrompt(
            number=number,
            prompt=request.prompt,
            side=request.side,
            negative=request.negative,
            steps=request.steps,
            guidance=request.guidance,
            scheduler=request.scheduler,
            place=_place_of(request),
            seed=seed,
            index=index,
        )
    regions = tuple(DrawnRegion(class_name=each.class_name, box=_corners(each.box)) for each in request.regions)
    return DrawMap(number=number, side=request.side, tone=request.tone, regions=regions, seed=seed, index=index)


def _place_of(request: PromptRequest) -> DrawnPlace | None:
    place = request.place
    if place is None:
        return None
    return DrawnPlace(
        fov=place.fov_id,
        window=_corners(place.window),
        box=_corners(place.box) if place.box is not None else None,
        strength=place.strength,
    )


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def _pixels(event: ImageDrawn) -> ImageArray:
    return np.frombuffer(base64.b64decode(event.pixels), np.uint8).reshape(event.side, event.side, 3)
