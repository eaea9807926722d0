"""Keeps the job bar in step with the queue and with titled background work."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Changes
from synthstudio.gui import errors
from synthstudio.gui.background import Task
from synthstudio.gui.errors import Notice, Severity
from synthstudio.gui.widgets.job_strip import JobStrip
from synthstudio.gui.widgets.time_left import TimeLeft
from synthstudio.gui.workspace import Workspace

KIND_WORDS = {
    "train-classifier": "Training",
    "evaluate": "Evaluation",
    "train-detector": "Detector training",
    "evaluate-detector": "Detector evaluation",
    "train-gan": "GAN training",
    "train-diffusion": "Diffusion training",
    "train-patch-diffusion": "Patch diffusion training",
    "train-upscaler": "Upscaler training",
    "upscale": "Larger set",
    "explain": "Explanation",
    "export-onnx": "ONNX export",
    "compose": "Set",
    "search-recipes": "Recipe search",
    "measure": "Measurement",
    "quality": "Quality check",
    "describe": "Measuring images",
    "embed": "Map of the pictures",
}
"""Of jobs that have no title of their own."""


class JobController(QObject):
    """Shows the running job, else the oldest titled task; puts the ends of jobs into words."""

    def __init__(self, workspace: Workspace, strip: JobStrip, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._strip, self._window = workspace, strip, window
        self._run: RunId | None = None
        self._stage = ""
        self._task: Task | None = None
        self._time_left = TimeLeft()
        worker, background = workspace.gpu_worker, workspace.background
        worker.job_queued.connect(self._on_job_queued)
        worker.job_started.connect(self._on_job_started)
        worker.event_received.connect(self._on_event_received)
        worker.job_ended.connect(self._on_job_ended)
        worker.job_returned.connect(self._on_job_returned)
        background.task_started.connect(self._refresh)
        background.task_ended.connect(self._on_task_ended)
        strip.cancel_requested.connect(self.cancel)
        workspace.records_changed.connect(self._on_records_changed)
        workspace.project_changed.connect(self.show_saved)
        workspace.preferences_changed.connect(self.show_device)
        self.show_device()

    def show_device(self) -> None:
        """Say what jobs run on."""
        device = self._workspace.preferences.device
        self._strip.device.setText("Device: automatic" if device == "auto" else f"Device: {device}")

    def show_saved(self) -> None:
        """Say that all is on the disk, or why nothing is written."""
        project = self._workspace.project
        if project is None:
            self._strip.saved.setText("")
        elif project.is_read_only:
            self._strip.saved.setText("Read-only")
            self._strip.saved.setToolTip(project.read_only_reason)
        else:
            self._strip.saved.setText("Saved")
            self._strip.saved.setToolTip("Every change is on the disk at once")

    @Slot(object)
    def _on_records_changed(self, told: Changes) -> None:
        project = self._workspace.project
        if project is not None and not project.is_read_only and told.kinds - {"runs", "metrics"}:
            self._strip.saved.setText(f"Saved {time.strftime('%H:%M:%S')}")

    # Jobs

    @Slot(str)
    def _on_job_queued(self, _run_id: str) -> None:
        self._refresh()

    @Slot(str)
    def _on_job_started(self, run_id: str) -> None:
        self._run, self._stage, self._time_left = RunId(run_id), "Starting the engine", TimeLeft()
        self._refresh()
        self._strip.show_progress(0, 0, None)

    @Slot(str, object)
    def _on_event_received(self, run_id: str, event: object) -> None:
        from synthstudio.protocol.messages import (  # noqa: PLC0415 - loaded with the first job, not at the start
            JobStarted,
            Progress,
            StageChanged,
            WarningRaised,
        )

        match event:
            case JobStarted(device=device):
                self._strip.device.setText(f"Device: {device}")
            case StageChanged(text=text):
                self._stage, self._time_left = text, TimeLeft()
                self._refresh()
            case Progress(done=done, total=total):
                self._time_left.add(done, total, now_s=time.monotonic())
                self._strip.show_progress(done, total, self._time_left.remaining_s())
            case WarningRaised(text=text):
                errors.post(Notice(text, severity=Severity.WARNING), parent=self._window)
            case _:
                pass

    @Slot(str)
    def _on_job_returned(self, run_id: str) -> None:
        if run_id == self._run:
            self._run = None
        self._refresh()

    @Slot(str, object)
    def _on_job_ended(self, run_id: str, outcome: object) -> None:
        from synthstudio.protocol.messages import JobFailed, JobFinished  # noqa: PLC0415 - as above

        title = self._title_of(RunId(run_id))
        if run_id == self._run:
            self._run = None
        match outcome:
            case JobFailed(message=message, hint=hint):
                errors.post(Notice(f"{title} failed: {message}", hint), parent=self._window)
            case JobFinished():
                errors.post(Notice(f"{title} is finished.", severity=Severity.INFO), parent=self._window)
            case _:
                errors.post(Notice(f"{title} was cancelled.", severity=Severity.INFO), parent=self._window)
        self._refresh()

    def _title_of(self, run_id: RunId) -> str:
        project = self._workspace.project
        if project is None:
            return "The job"
        run = next((run for run in project.runs.list() if run.id == run_id), None)
        if run is None:
            return "The job"
        return KIND_WORDS.get(run.kind, run.kind) if run.title in ("", run.kind) else run.title

    # Titled tasks

    @Slot(object)
    def _on_task_ended(self, task: Task) -> None:
        if task is self._task:
            self._task = None
        self._refresh()

    @Slot(int, int)
    def _on_task_progressed(self, done: int, total: int) -> None:
        if self._run is None:
            self._time_left.add(done, total, now_s=time.monotonic())
            self._strip.show_progress(done, total, self._time_left.remaining_s())

    @Slot()
    def _refresh(self) -> None:
        worker = self._workspace.gpu_worker
        self._strip.show_queue(len(worker.waiting))
        if self._run is not None:
            self._strip.show_work(self._title_of(self._run), self._stage)
            return
        tasks = [task for task in self._workspace.background.titled_tasks if not task.is_cancelled]
        if not tasks:
            self._task = None
            self._strip.show_nothing()
            return
        if self._task not in tasks:
            self._task, self._time_left = tasks[0], TimeLeft()
            tasks[0].progressed.connect(self._on_task_progressed)
            self._strip.show_progress(0, 0, None)
        self._strip.show_work(tasks[0].title, "")

    @Slot()
    def cancel(self) -> None:
        """Cancel what the bar shows."""
        if self._run is not None:
            self._workspace.gpu_worker.cancel(self._run)
            self._stage = "Cancelling: it stops after the present step, at the latest in a few seconds"
            self._refresh()
        elif self._task is not None:
            self._task.cancel()
            self._strip.show_work(self._task.title, "Cancelling")
