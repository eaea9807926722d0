"""Watching one engine from its start to its one final event, cancel ladder included."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from synthstudio.client.cancelling import DEFAULT_GRACES, Graces, HostCancel
from synthstudio.client.endings import crash_outcome, has_checkpoint
from synthstudio.client.process import EngineProcess
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobOutcome,
    JobRequest,
    StageChanged,
)

_POLL_S = 0.05
_FINAL = (JobFinished, JobCancelled, JobFailed)
Rung = Literal["", "politely", "terminated", "killed"]


def supervise(
    command: Sequence[str],
    request: JobRequest,
    *,
    on_event: Callable[[AnyEvent], None],
    cancel: HostCancel,
    graces: Graces = DEFAULT_GRACES,
) -> JobOutcome:
    """Run the engine; return how it ended, which is always exactly one outcome.

    Args:
        command: Command line of the engine.
        request: What it is to do; its `run_dir` exists and gets `engine.log`.
        on_event: Called in this thread with every event but the final one, and with a `StageChanged` at each rung of
            the cancel ladder. What it raises ends the engine and goes on to the caller.
        cancel: Stops the run once it is requested.

    Raises:
        UserError: The engine cannot be started.
    """
    run_dir = Path(request.run_dir)
    engine = EngineProcess(command, request, log_path=run_dir / "engine.log")
    try:
        ladder = _Ladder(engine, cancel, graces, on_event)
        final = _watch(engine, ladder, on_event)
        if final is not None:
            engine.wait(graces.exit_s)
    finally:
        engine.close()
    if final is None:
        # Its last words may have come between the last look at the queue and the end of the pipes.
        final = _drain(engine, on_event)
    if final is not None:
        return final
    if ladder.rung in ("terminated", "killed"):
        return JobCancelled(how=ladder.rung)
    return crash_outcome(engine.wait(0) or 0, engine.log_tail(), can_resume=has_checkpoint(run_dir))


def _watch(engine: EngineProcess, ladder: _Ladder, on_event: Callable[[AnyEvent], None]) -> JobOutcome | None:
    while True:
        try:
            event = engine.events.get(timeout=_POLL_S)
        except queue.Empty:
            # Not the end of the pipe: a worker that outlives a killed engine holds it open.
            if engine.poll() is not None:
                return None
        else:
            if isinstance(event, _FINAL):
                return event
            on_event(event)
        ladder.climb()


def _drain(engine: EngineProcess, on_event: Callable[[AnyEvent], None]) -> JobOutcome | None:
    while not engine.events.empty():
        event = engine.events.get()
        if isinstance(event, _FINAL):
            return event
        on_event(event)
    return None


class _Ladder:
    """Cancel (polite), then terminate, then kill; each rung is announced."""

    def __init__(
        self, engine: EngineProcess, cancel: HostCancel, graces: Graces, on_event: Callable[[AnyEvent], None]
    ) -> None:
        self.rung: Rung = ""
        self._engine = engine
        self._cancel = cancel
        self._graces = graces
        self._on_event = on_event
        self._deadline = 0.0

    def climb(self) -> None:
        """Take the next rung where its time has come."""
        if not self._cancel.is_requested:
            return
        is_due = time.monotonic() >= self._deadline
        if self.rung == "":
            self._take("politely", self._graces.polite_s, "Stopping")
            self._engine.send(Cancel())
        elif self.rung == "politely" and (is_due or self._cancel.is_urgent):
            self._take("terminated", self._graces.terminate_s, "The engine does not stop; ending it")
            self._engine.terminate()
        elif self.rung == "terminated" and is_due:
            self._take("killed", float("inf"), "The engine does not end; killing it")
            self._engine.kill()

    def _take(self, rung: Rung, grace_s: float, text: str) -> None:
        self.rung = rung
        self._deadline = time.monotonic() + grace_s
        self._on_event(StageChanged(text=text))
