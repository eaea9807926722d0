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
from synthstudio.domain.ids import FovId, RunId
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
    returns: bool = False
    """Once it has stopped it goes back to the head of the queue: it was only to make room."""


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
        job_returned: (run id) It was stopped and waits again, to go on from its last checkpoint.
        paused_changed: No job is begun any more, or they are again.
        records_changed: `Changes` of the project that follow from what a job did.
        idle: Nothing runs and nothing waits any more.
    """

    job_queued = Signal(str)
    job_started = Signal(str)
    event_received = Signal(str, object)
    job_ended = Signal(str, object)
    job_returned = Signal(str)
    paused_changed = Signal()
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
        self._is_paused = self._is_leaving = False
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
        if resume_run is not None and resume_run in (*self.waiting, self.running):
            raise UserError("This run is still running, being stopped, or waiting.", "Try again in a few seconds.")
        run_id = resume_run or start_run(project, settings, title=title, experiment=experiment)
        if resume_run is not None:
            project.runs.set_queued(run_id)
        title = title or project.runs.get(run_id).title
        self._append([_Job(project, run_id, title, is_resumed=resume_run is not None, cancel=HostCancel())])
        return run_id

    def take_up(self) -> tuple[RunId, ...]:
        """Put the jobs of the project that waited when a window was closed into the queue again; return which.

        One that had been stopped in its middle goes on from its last checkpoint. Parts of a plan are left to the plan.
        """
        project = self._project
        if project is None or project.is_read_only:
            return ()
        waited = [run for run in project.runs.list() if run.status is RunStatus.QUEUED and run.id not in self.waiting]
        if waited:
            from synthstudio.client import HostCancel, has_checkpoint  # noqa: PLC0415 - as in `submit`

            self._append(
                [
                    _Job(project, run.id, run.title, has_checkpoint(project.run_folder(run.id)), HostCancel())
                    for run in waited
                ]
            )
        return tuple(run.id for run in waited)

    def _append(self, jobs: Sequence[_Job]) -> None:
        with self._condition:
            self._waiting.extend(jobs)
            self._condition.notify()
        self.records_changed.emit(changes("runs"))
        for job in jobs:
            self.job_queued.emit(job.run_id)
        if not self.isRunning():
            self.start()

    @property
    def is_paused(self) -> bool:
        """Whether no job is begun, though some may wait."""
        return self._is_paused

    def pause(self) -> None:
        """Begin no job any more; the running one is left alone."""
        self._set_paused(is_paused=True)

    def go_on(self) -> None:
        """Begin jobs again."""
        self._set_paused(is_paused=False)

    def _set_paused(self, *, is_paused: bool) -> None:
        with self._condition:
            is_new = is_paused is not self._is_paused
            self._is_paused = is_paused
            self._condition.notify()
        if is_new:
            self.paused_changed.emit()

    def put_back_running(self) -> None:
        """Stop the running job and put it back at the head of the queue; a training goes on from its checkpoint."""
        with self._condition:
            if self._running is not None:
                self._running.returns = True
                self._running.cancel.request()

    def keep_for_later(self) -> None:
        """Leave the jobs to who opens the project next: what waits goes on waiting in the project, what runs is stopped
        and waits there, too. `idle` tells when it is over. Parts of a plan are cancelled: the plan is gone on with."""
        with self._condition:
            self._is_leaving = True
            self._waiting = deque(job for job in self._waiting if self._is_of_plan(job))
            if self._running is not None:
                self._running.returns = not self._is_of_plan(self._running)
                self._running.cancel.request()
        for run_id in self.waiting:
            self.cancel(run_id)
        if self.is_idle:
            self.idle.emit()

    def _is_of_plan(self, job: _Job) -> bool:
        return bool(job.project.runs.get(job.run_id).experiment)

    def cancel(self, run_id: RunId) -> None:
        """Take a waiting job out of the queue, or ask the running one to stop; the client enforces it later."""
        with self._condition:
            if self._running is not None and self._running.run_id == run_id:
                self._running.returns = False  # it may be on its way back into the queue
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
        if self.is_idle:
            self.idle.emit()

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
        """Cancel everything, without waiting for the engine to be polite, and join the thread.

        After `keep_for_later` what runs is stopped, and is kept all the same.
        """
        if not self._is_leaving:
            self.cancel_all()
        with self._condition:
            if self._running is not None:
                self._running.cancel.request_now()
            self._stopping = True
            self._condition.notify()
        self.wait()
        self._waiting.clear()
        self._stopping = self._is_leaving = False

    @override
    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopping or (bool(self._waiting) and not self._is_paused))
                if self._stopping or not self._waiting:
                    return
                job = self._running = self._waiting.popleft()
            outcome = self._execute(job)
            has_returned = self._put_back(job, outcome)
            with self._condition:
                self._running = None
                is_idle = not self._waiting
            if has_returned:
                self._told.emit(partial(self._tell_return, job.run_id, is_idle=is_idle))
            else:
                self._told.emit(partial(self._tell_end, job.run_id, outcome, is_idle=is_idle))

    def _put_back(self, job: _Job, outcome: JobOutcome) -> bool:
        """Tell whether it was stopped only to go on later; it then waits again."""
        from synthstudio.client import HostCancel, has_checkpoint  # noqa: PLC0415 - as in `submit`
        from synthstudio.protocol.messages import JobCancelled  # noqa: PLC0415 - as in `submit`

        if not job.returns or not isinstance(outcome, JobCancelled):
            return False
        try:
            job.project.runs.set_queued(job.run_id)
        except UserError:  # on a full disk it stays cancelled; the queue goes on
            logger.warning("The run %s could not be put back into the queue", job.run_id, exc_info=True)
            return False
        again = _Job(
            job.project, job.run_id, job.title, has_checkpoint(job.project.run_folder(job.run_id)), HostCancel()
        )
        with self._condition:
            if not self._is_leaving:
                self._waiting.appendleft(again)
        return True

    def _tell_return(self, run_id: RunId, *, is_idle: bool) -> None:
        self.records_changed.emit(changes("runs", "sets", "metrics"))
        self.job_returned.emit(run_id)
        if is_idle:
            self.idle.emit()

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
        from synthstudio.protocol.messages import JobFailed, RecordsChanged  # noqa: PLC0415 - as in `submit`

        def on_event(event: AnyEvent) -> None:
            if isinstance(event, RecordsChanged) and event.fov_ids:  # the project has them by now
                told = changes(*event.kinds, fov_ids=frozenset(FovId(each) for each in event.fov_ids))
                self._told.emit(partial(self.records_changed.emit, told))
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
