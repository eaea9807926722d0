"""All that a job may do to the outside."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import ImageArray, encode_png
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.processes import ALONE, Processes
from synthstudio.project import Project
from synthstudio.protocol.messages import (
    AnyEvent,
    DrawingRefused,
    DrawMap,
    DrawPrompt,
    ImageDrawn,
    MetricLogged,
    PreviewReady,
    Progress,
    RecordsChanged,
    StageChanged,
    WarningRaised,
)

_MIN_PROGRESS_INTERVAL_S = 0.1


class CancelToken:
    """Set by the reader of commands; a job can only ask."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Ask the job to stop."""
        self._event.set()

    @property
    def is_requested(self) -> bool:
        return self._event.is_set()


class DrawingDesk:
    """The maps or prompts that are to be drawn: the reader of commands puts them here, a draw job takes the newest."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._newest: DrawMap | DrawPrompt | None = None
        self._is_closed = False

    def put(self, command: DrawMap | DrawPrompt) -> None:
        """Take a request; one that nobody has taken yet is dropped for it."""
        with self._condition:
            self._newest = command
            self._condition.notify()

    def close(self) -> None:
        """Let a job that waits go on: nothing will come any more."""
        with self._condition:
            self._is_closed = True
            self._condition.notify()

    def take(self) -> DrawMap | DrawPrompt | None:
        """Wait for a request; None once the desk is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_closed or self._newest is not None)
            taken, self._newest = self._newest, None
            return None if self._is_closed else taken


class JobContext:
    """What a running job sees of the world.

    Attributes:
        project: The project, open read-only: the engine reports results, its host writes them.
        run_id: Id of the run.
        run_dir: Folder for the run's files; a process that only helps in a training has one of its own.
        shared_dir: Folder of the run, the same for all processes; only the main one writes there.
        processes: Which process this is of those that share the training.
        device: "auto", "cpu" or a torch device string.
        seed: Seed of all randomness.
        resume: Continue from the last checkpoint in `run_dir`.
    """

    def __init__(
        self,
        *,
        project: Project,
        run_id: str,
        run_dir: Path,
        device: str,
        seed: int,
        resume: bool,
        emit: Callable[[AnyEvent], None],
        cancel: CancelToken,
        save_checkpoint: threading.Event,
        desk: DrawingDesk | None = None,
        shared_dir: Path | None = None,
        processes: Processes = ALONE,
    ) -> None:
        self.project = project
        self.run_id = run_id
        self.run_dir = run_dir
        self.shared_dir = shared_dir or run_dir
        self.processes = processes
        self.device = device
        self.seed = seed
        self.resume = resume
        self._emit = emit
        self._cancel = cancel
        self._save_checkpoint = save_checkpoint
        self._desk = desk or DrawingDesk()
        self._last_progress = -_MIN_PROGRESS_INTERVAL_S

    def tick(self, done: int, total: int) -> None:
        """Report progress; raise Cancelled once a cancel was asked for. Cheap enough for every step."""
        if self._cancel.is_requested:
            raise Cancelled
        moment = time.monotonic()
        if done >= total or moment - self._last_progress >= _MIN_PROGRESS_INTERVAL_S:
            self._last_progress = moment
            self._emit(Progress(done=done, total=total))

    def stage(self, text: str) -> None:
        """Say which part of the work begins."""
        self._emit(StageChanged(text=text))

    def metric(self, name: str, value: float, *, step: int) -> None:
        """Log one value of a curve."""
        self._emit(MetricLogged(name=name, step=step, value=float(value)))

    def preview(self, image: ImageArray, caption: str) -> None:
        """Show a small (H, W, 3) uint8 RGB picture of what is being made."""
        self._emit(PreviewReady(caption=caption, png=base64.b64encode(encode_png(image)).decode()))

    def records_changed(self, *kinds: str, fov_ids: tuple[int, ...] = ()) -> None:
        """Say that files of these record kinds are complete, those of some FOVs where they are named."""
        self._emit(RecordsChanged(kinds=kinds, fov_ids=fov_ids))

    def warn(self, text: str) -> None:
        """Tell the user something that does not stop the job."""
        self._emit(WarningRaised(text=text))

    def take_checkpoint_request(self) -> bool:
        """Tell, once, whether a checkpoint was asked for since the last call."""
        if self._save_checkpoint.is_set():
            self._save_checkpoint.clear()
            return True
        return False

    def next_drawing(self) -> DrawMap | DrawPrompt:
        """Wait for the newest map or prompt that is to be drawn; raise Cancelled once a cancel was asked for."""
        command = self._desk.take()
        if command is None or self._cancel.is_requested:
            raise Cancelled
        return command

    def drawn(self, number: int, image: ImageArray, *, seconds: float) -> None:
        """Hand over the (S, S, 3) uint8 RGB image of the map of this number."""
        pixels = base64.b64encode(image.tobytes()).decode()
        self._emit(ImageDrawn(number=number, side=image.shape[0], pixels=pixels, seconds=seconds))

    def drawing_refused(self, number: int, error: UserError) -> None:
        """Say why the map of this number cannot be drawn."""
        self._emit(DrawingRefused(number=number, message=error.message, hint=error.hint))

    def rng(self, stream: int = 0) -> np.random.Generator:
        """Return a generator that depends on the seed and the stream number alone."""
        return np.random.Generator(np.random.Philox(key=[self.seed, stream]))
