"""When jobs are begun: a pause by hand, the hours of the clock, and the queue that outlives the window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Run
from synthstudio.gui import errors
from synthstudio.gui.errors import Notice, NoticeAction, Severity
from synthstudio.gui.main_window.job_hours import read_hours
from synthstudio.gui.widgets.job_strip import JobStrip
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

LOOK_MS = 10_000
"""Between two looks at the clock."""


class JobQueue(QObject):
    """Pauses the queue and lets it go on; takes up what an earlier window has left.

    Args:
        clock: Tells the time on the wall.
    """

    def __init__(
        self, workspace: Workspace, strip: JobStrip, window: QWidget, *, clock: Callable[[], datetime] = datetime.now
    ) -> None:
        super().__init__(window)
        self._workspace, self._strip, self._window, self._clock = workspace, strip, window, clock
        self._was_open: bool | None = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look_at_clock)
        worker = workspace.gpu_worker
        for signal in (worker.job_queued, worker.job_started, worker.job_ended, worker.job_returned):
            signal.connect(self._show)
        worker.paused_changed.connect(self._show)
        strip.pause_toggled.connect(self.toggle_pause)
        workspace.preferences_changed.connect(self._on_preferences_changed)
        workspace.project_changed.connect(self._on_project_changed)
        self._hours_text = ""
        self._on_preferences_changed()

    # Pausing

    @Slot()
    def toggle_pause(self) -> None:
        """Begin no more jobs, or go on; it holds until the clock says otherwise."""
        worker = self._workspace.gpu_worker
        if worker.is_paused:
            worker.go_on()
        else:
            worker.pause()

    @Slot()
    def look_at_clock(self) -> None:
        """Pause or go on where the hours have just ended or begun."""
        hours = read_hours(self._workspace.preferences.job_hours)
        if hours is None:
            return
        is_open = hours.holds(self._clock())
        if is_open is self._was_open:
            return
        self._was_open = is_open
        worker = self._workspace.gpu_worker
        if is_open:
            worker.go_on()
            return
        worker.pause()
        if hours.stops_running:
            worker.put_back_running()

    @Slot()
    def _on_preferences_changed(self) -> None:
        text = self._workspace.preferences.job_hours
        if text == self._hours_text:
            return
        self._hours_text, self._was_open = text, None
        if text:
            self._timer.start()
            self.look_at_clock()
        else:
            self._timer.stop()
            self._workspace.gpu_worker.go_on()
        self._show()

    @Slot()
    def _show(self, *_told: object) -> None:
        worker = self._workspace.gpu_worker
        hours = read_hours(self._workspace.preferences.job_hours)
        words = ""
        if hours is not None:
            moment = self._clock()
            verb = "Jobs run until" if hours.holds(moment) else "Jobs go on at"
            words = f"{verb} {hours.next_change(moment):%H:%M}"
        self._strip.show_pause(is_paused=worker.is_paused, hours=words, has_jobs=not worker.is_idle)

    # What the last window has left

    @Slot()
    def _on_project_changed(self) -> None:
        project = self._workspace.project
        if project is None or project.is_read_only:
            return
        interrupted, project.interrupted_runs = project.interrupted_runs, ()

        def read(_tick: Tick) -> list[Run]:
            return _resumable(project, interrupted)

        if interrupted:
            self._workspace.background.run(read, done=self._offer_to_resume, owner=self)
        waited = self._workspace.gpu_worker.take_up()
        if waited:
            action = NoticeAction("Leave them out", lambda: self._cancel(waited))
            text = "1 job that waited goes on." if len(waited) == 1 else f"{len(waited)} jobs that waited go on."
            errors.post(Notice(text, severity=Severity.INFO, action=action), parent=self._window)

    def _cancel(self, run_ids: tuple[RunId, ...]) -> None:
        for run_id in run_ids:
            self._workspace.gpu_worker.cancel(run_id)

    def _offer_to_resume(self, runs: list[Run]) -> None:
        if not runs:
            return
        titles = ", ".join(run.title for run in runs)
        notice = Notice(
            f"SynthStudio ended while this ran: {titles}.",
            "It goes on from its last checkpoint." if len(runs) == 1 else "They go on from their last checkpoints.",
            Severity.WARNING,
            NoticeAction("Go on", lambda: self._resume(runs)),
        )
        errors.post(notice, parent=self._window)

    def _resume(self, runs: list[Run]) -> None:
        from synthstudio.client import stored_settings  # noqa: PLC0415 - loaded with the first job, not at the start

        for run in runs:
            try:
                self._workspace.submit(stored_settings(run), title=run.title, resume_run=run.id)
            except UserError as error:
                errors.report(error, parent=self._window)
                return


def _resumable(project: Project, run_ids: tuple[RunId, ...]) -> list[Run]:
    """Those that left a checkpoint and are no part of a plan, which is gone on with as a whole."""
    from synthstudio.client import has_checkpoint  # noqa: PLC0415 - as above

    runs = [project.runs.get(run_id) for run_id in run_ids]
    return [run for run in runs if not run.experiment and has_checkpoint(project.run_folder(run.id))]
