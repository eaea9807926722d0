"""Puts the jobs of a plan into the queue, one after another, as long as the window is open."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.client.plans import PLAN_WORDS, Plan, PlannedJob, begin_plan, next_planned_job
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import changes
from synthstudio.gui.errors import Notice, Severity, post, report
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import JobCancelled, JobFinished


class PlanDriver(QObject):
    """One plan at a time: an experiment, or a study. Jobs of the user's own take their turn between its jobs.

    Only one job of it is ever in the queue: what follows a training depends on how it ended, and a window that is
    closed leaves no row of jobs that never were.
    """

    changed = Signal()
    """Another plan is under way, or none, or another job of it."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._board = parent
        self._plan: Plan[Hashable] | None = None
        self._job: PlannedJob[Hashable] | None = None
        self._run_id: RunId | None = None
        self._given_up: list[Hashable] = []
        workspace.gpu_worker.job_ended.connect(self._on_worker_job_ended)
        workspace.project_changed.connect(self._drop)

    @property
    def active(self) -> str:
        """Name of the plan that is under way, or nothing."""
        return self._plan.name if self._plan is not None else ""

    @property
    def job_title(self) -> str:
        """Title of its job that waits or runs, or nothing."""
        return self._job.title if self._job is not None else ""

    def start(self, plan: Plan[Hashable]) -> None:
        """Begin a plan, or go on with it; says why where that cannot be."""
        if self._plan is not None:
            return
        try:
            project = self._workspace.require_writable_project()
        except UserError as error:
            report(error, parent=self._board)
            return
        self._plan, self._given_up = plan, []
        self.changed.emit()

        def begin(_tick: Tick) -> PlannedJob[Hashable] | None:
            begin_plan(project, plan)
            return next_planned_job(project, plan)

        def begun(job: PlannedJob[Hashable] | None) -> None:
            self._workspace.announce(changes("experiments", "runs"))
            self._go_on(plan, job)

        self._workspace.background.run(begin, done=begun, failed=self._on_failed, owner=self)

    def stop(self) -> None:
        """Cancel its job and leave the rest undone; what is finished stays."""
        run_id = self._run_id
        self._drop()
        if run_id is not None:
            self._workspace.gpu_worker.cancel(run_id)

    @Slot()
    def _drop(self) -> None:
        if self._plan is not None:
            self._plan = self._job = self._run_id = None
            self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self._drop()
        report(error, parent=self._board)

    def _go_on(self, plan: Plan[Hashable], job: PlannedJob[Hashable] | None) -> None:
        """Queue the next job, unless the plan was stopped meanwhile."""
        if self._plan is not plan:
            return
        if job is None:
            self._tell_end(plan)
            self._drop()
            return
        try:
            self._run_id = self._workspace.submit(
                job.settings, title=job.title, resume_run=job.resume_run, experiment=plan.name
            )
        except UserError as error:
            self._on_failed(error)
            return
        self._job = job
        self.changed.emit()

    def _tell_end(self, plan: Plan[Hashable]) -> None:
        n_failed, word = len(self._given_up), PLAN_WORDS[plan.settings.kind]
        if n_failed:
            text = f"{n_failed} of its trainings could not be finished. Continue tries them again."
            notice = Notice(f"The {word} {plan.name} has ended.", text, Severity.WARNING)
        else:
            notice = Notice(f"The {word} {plan.name} is finished.", severity=Severity.INFO)
        post(notice, parent=self._board)

    @Slot(str, object)
    def _on_worker_job_ended(self, run_id: str, outcome: object) -> None:
        plan, job = self._plan, self._job
        if plan is None or job is None or run_id != self._run_id:
            return
        self._run_id = self._job = None
        if isinstance(outcome, JobCancelled):
            self._drop()  # whoever cancels one of its jobs means the plan
            return
        if not isinstance(outcome, JobFinished):
            self._given_up.append(job.trial)
        project, given_up = self._workspace.require_project(), tuple(self._given_up)

        def choose(_tick: Tick) -> PlannedJob[Hashable] | None:
            return next_planned_job(project, plan, given_up=given_up)

        self._workspace.background.run(
            choose, done=lambda found: self._go_on(plan, found), failed=self._on_failed, owner=self
        )
