"""The thread that owns the job queue and the engine process, and turns events into signals."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot
from typing_extensions import override

from synthstudio.domain.errors import ProjectIsReadOnly, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, changes
from synthstudio.project import Project

if TYPE_CHECKING:
    from synthstudio.client import HostCancel
    from synthstudio.protocol.messages import AnyEvent, JobOutcome
    from synthstudio.settings.base import JobSettings

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    """One run in the queue, or the one that runs."""

    project: Project
    run_id: RunId
    title: str
    is_resumed: bool
    cancel: HostCancel


class GpuWorker(QThread):
    """Runs jobs one after another, each in an engine process of its own.

    The thread hands its news over by one private signal, and this object, which lives in the GUI thread, passes them
    on: who connects to or disconnects from a public signal never races with an emission (which crashes PySide).

    Args:
        device: What jobs run on: "auto", "cpu" or a device string.
        command: How the engine is started, where that is not the ordinary way; for tests.

    Signals:
        job_queued: (run id) It waits.
        job_started: (run id) Its turn has come.
        event_received: (run id, `AnyEvent`).
        job_ended: (run id, `JobOutcome`) The run's row in the project is written by then.
        records_changed: `Changes` of the project that follow from what a job did.
        idle: Nothing runs and nothing waits any more.
    """

    job_queued = Signal(str)
    job_started = Signal(str)
    event_received = Signal(str, object)
    job_ended = Signal(str, object)
    records_changed = Signal(object)
    idle = Signal()
    _told = Signal(object)

    def __init__(
        self, parent: QObject | None = None, *, device: str = "auto", command: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("GpuWorker")
        self.device = device
        self._command = command
        self._waiting: deque[_Job] = deque()
        self._running: _Job | None = None
        self._condition = threading.Condition()
        self._stopping = False
        self._project: Project | None = None
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def set_project(self, project: Project | None) -> None:
        """Submit to this project from now on; what is in the queue keeps its own."""
        self._project = project

    def submit(
        self, settings: JobSettings, *, title: str = "", resume_run: RunId | None = None, experiment: str = ""
    ) -> RunId:
        """Put a job into the queue; with `resume_run` go on with that run, whose own settings then count.

        Args:
            experiment: Name of the stored experiment that a new run is a part of.

        Raises:
            UserError: No project is open, or it is read-only or cannot be written.
        """
        from synthstudio.client import HostCancel, start_run  # noqa: PLC0415 - 0.2 s that the first paint need not wait for

        project = self._project
        if project is None:
            raise UserError("No project is open.", "Open one first.")
        if resume_run is not None and project.is_read_only:
            raise ProjectIsReadOnly(f"{project.name} is open read-only. {project.read_only_reason}")
        run_id = resume_run or start_run(project, settings, title=title, experiment=experiment)
        title = title or project.runs.get(run_id).title
        job = _Job(project, run_id, title, is_resumed=resume_run is not None, cancel=HostCancel())
        with self._condition:
            self._waiting.append(job)
            self._condition.notify()
        self.records_changed.emit(changes("runs"))
        self.job_queued.emit(run_id)
        if not self.isRunning():
            self.start()
        return run_id

    def cancel(self, run_id: RunId) -> None:
        """Take a waiting job out of the queue, or ask the running one to stop; the client enforces it later."""
        with self._condition:
            if self._running is not None and self._running.run_id == run_id:
                self._running.cancel.request()
                return
            waiting = next((job for job in self._waiting if job.run_id == run_id), None)
            if waiting is not None:
                self._waiting.remove(waiting)
        if waiting is not None:
            from synthstudio.protocol.messages import JobCancelled  # noqa: PLC0415 - as in `submit`

            waiting.project.runs.set_ended(run_id, RunStatus.CANCELLED)
            self.records_changed.emit(changes("runs"))
            self.job_ended.emit(run_id, JobCancelled())

    def cancel_all(self) -> None:
        """Cancel what waits and what runs; `idle` tells when it is over."""
        for run_id in [*self.waiting, *([self.running] if self.running else [])]:
            self.cancel(run_id)

    @property
    def running(self) -> RunId | None:
        """The run that the engine works on."""
        job = self._running
        return job.run_id if job else None

    @property
    def waiting(self) -> tuple[RunId, ...]:
        """The runs in the queue, the next one first."""
        with self._condition:
            return tuple(job.run_id for job in self._waiting)

    @property
    def is_idle(self) -> bool:
        with self._condition:
            return self._running is None and not self._waiting

    def title_of(self, run_id: RunId) -> str:
        """Title of a run that waits or runs; empty for any other."""
        with self._condition:
            jobs = [*self._waiting, *([self._running] if self._running else [])]
        return next((job.title for job in jobs if job.run_id == run_id), "")

    def stop(self) -> None:
        """Cancel everything, without waiting for the engine to be polite, and join the thread."""
        self.cancel_all()
        with self._condition:
            if self._running is not None:
                self._running.cancel.request_now()
            self._stopping = True
            self._condition.notify()
        self.wait()
        self._stopping = False

    @override
    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopping or bool(self._waiting))
                if not self._waiting:
                    return
                job = self._running = self._waiting.popleft()
            outcome = self._execute(job)
            with self._condition:
                self._running = None
                is_idle = not self._waiting
            self._told.emit(partial(self._tell_end, job.run_id, outcome, is_idle=is_idle))

    def _tell_end(self, run_id: RunId, outcome: JobOutcome, *, is_idle: bool) -> None:
        self.records_changed.emit(changes("runs", "sets", "metrics"))
        self.job_ended.emit(run_id, outcome)
        if is_idle:
            self.idle.emit()

    @Slot(object)
    def _on_told(self, pass_on: Callable[[], None]) -> None:
        pass_on()

    def _execute(self, job: _Job) -> JobOutcome:
        from synthstudio.client import execute_run  # noqa: PLC0415 - as in `submit`
        from synthstudio.protocol.messages import JobFailed  # noqa: PLC0415 - as in `submit`

        def on_event(event: AnyEvent) -> None:
            self._told.emit(partial(self.event_received.emit, job.run_id, event))

        self._told.emit(partial(self.job_started.emit, job.run_id))
        try:
            return execute_run(
                job.project,
                job.run_id,
                on_event=on_event,
                cancel=job.cancel,
                device=self.device,
                resume=job.is_resumed,
                command=self._command,
            )
        except UserError as error:
            return JobFailed(message=error.message, hint=error.hint)
        except Exception:  # the thread's door: a bug of the host must not end the queue
            logger.exception("The host of run %s broke", job.run_id)
            return JobFailed(message="SynthStudio itself failed while it ran this job.", hint="See the log.")
