"""Puts the jobs of a plan into the queue, one after another, as long as the window is open."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from synthstudio.client.plans import Course, Plan, PlanCourse, PlannedJob
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import changes
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import Notice, Severity, post, report
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import JobCancelled, JobFinished


def course_specs(
    driver: PlanDriver,
    noun: str,
    *,
    group: str,
    menu: str,
    go_on: Callable[[], None],
    can_continue: Callable[[], bool],
    stop: Callable[[], None] | None = None,
) -> tuple[ActionSpec, ActionSpec]:
    """The actions that every course has: doing what is left of it, and stopping it.

    Args:
        driver: Which carries it out.
        noun: What it is called, "experiment" for example.
        group: What the ids of the actions begin with.
        menu: Title of the menu.
        go_on: Does what is left.
        can_continue: Whether something is.
        stop: Where more than the driver must be stopped.
    """
    return (
        ActionSpec(
            f"{group}.continue_{noun}",
            f"Continue the {noun}",
            go_on,
            icon="mdi6.play-pause",
            menu=menu,
            enabled_when=can_continue,
        ),
        ActionSpec(
            f"{group}.stop_{noun}",
            f"Stop the {noun}",
            stop or driver.stop,
            icon="mdi6.stop",
            menu=menu,
            enabled_when=lambda: bool(driver.active),
        ),
    )


class PlanDriver(QObject):
    """One course at a time: an experiment, a study, a batch. Jobs of the user's own take their turn between its jobs.

    Only one job of it is ever in the queue: what follows a training depends on how it ended, and a window that is
    closed leaves no row of jobs that never were.
    """

    changed = Signal()
    """Another plan is under way, or none, or another job of it."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._board = parent
        self._course: Course[Hashable] | None = None
        self._job: PlannedJob[Hashable] | None = None
        self._run_id: RunId | None = None
        self._given_up: list[Hashable] = []
        self.failed = False
        """Whether the last course could not be begun or gone on with."""
        workspace.gpu_worker.job_ended.connect(self._on_worker_job_ended)
        workspace.project_changed.connect(self._drop)

    @property
    def active(self) -> str:
        """Name of the plan that is under way, or nothing."""
        return self._course.name if self._course is not None else ""

    @property
    def job_title(self) -> str:
        """Title of its job that waits or runs, or nothing."""
        return self._job.title if self._job is not None else ""

    def start(self, plan: Plan[Hashable]) -> None:
        """Begin a plan, or go on with it; says why where that cannot be."""
        self.follow(PlanCourse(plan))

    def follow(self, course: Course[Hashable]) -> None:
        """Begin a course, or go on with it; says why where that cannot be."""
        if self._course is not None:
            return
        try:
            project = self._workspace.require_writable_project()
            under_way = course.plan_names & self._workspace.active_plans
            if under_way:
                names = ", ".join(sorted(under_way))
                raise UserError(f"{names} is under way already.", "Wait for its end, or stop it.")
        except UserError as error:
            report(error, parent=self._board)
            return
        self._course, self._given_up, self.failed = course, [], False
        self._workspace.active_plans |= course.plan_names
        self.changed.emit()

        def begin(_tick: Tick) -> PlannedJob[Hashable] | None:
            course.begin(project)
            return course.next_job(project)

        def begun(job: PlannedJob[Hashable] | None) -> None:
            self._workspace.announce(changes("experiments", "runs"))
            self._go_on(course, job)

        self._workspace.background.run(begin, done=begun, failed=partial(self._on_failed, course), owner=self)

    def stop(self) -> None:
        """Cancel its job and leave the rest undone; what is finished stays."""
        run_id = self._run_id
        self._drop()
        if run_id is not None:
            self._workspace.gpu_worker.cancel(run_id)

    @Slot()
    def _drop(self) -> None:
        if self._course is not None:
            self._workspace.active_plans -= self._course.plan_names
            self._course = self._job = self._run_id = None
            self.changed.emit()

    def _on_failed(self, course: Course[Hashable], error: Exception) -> None:
        if self._course is not course:  # it was stopped meanwhile, and another one may be under way
            return
        self.failed = True
        self._drop()
        report(error, parent=self._board)

    def _go_on(self, course: Course[Hashable], job: PlannedJob[Hashable] | None) -> None:
        """Queue the next job, unless the plan was stopped meanwhile."""
        if self._course is not course:
            return
        if job is None:
            self._tell_end(course)
            self._drop()
            return
        try:
            self._run_id = self._workspace.submit(
                job.settings, title=job.title, resume_run=job.resume_run, experiment=job.plan
            )
        except UserError as error:
            self._on_failed(course, error)
            return
        self._job = job
        self.changed.emit()

    def _tell_end(self, course: Course[Hashable]) -> None:
        n_failed = len(self._given_up)
        if n_failed:
            text = f"{n_failed} of its jobs could not be finished. Continue tries them again."
            notice = Notice(f"The {course.word} {course.name} has ended.", text, Severity.WARNING)
        else:
            notice = Notice(f"The {course.word} {course.name} is finished.", severity=Severity.INFO)
        post(notice, parent=self._board)

    @Slot(str, object)
    def _on_worker_job_ended(self, run_id: str, outcome: object) -> None:
        course, job = self._course, self._job
        if course is None or job is None or run_id != self._run_id:
            return
        self._run_id = self._job = None
        if isinstance(outcome, JobCancelled):
            self._drop()  # whoever cancels one of its jobs means the plan
            return
        if not isinstance(outcome, JobFinished):
            self._given_up.append(job.trial)
        project, given_up = self._workspace.require_project(), tuple(self._given_up)

        def choose(_tick: Tick) -> PlannedJob[Hashable] | None:
            return course.next_job(project, given_up=given_up)

        self._workspace.background.run(
            choose,
            done=lambda found: self._go_on(course, found),
            failed=partial(self._on_failed, course),
            owner=self,
        )
