"""A batch: recipes that are carried out one after another, some with what others have made.

As with a plan nothing is kept beside the runs themselves: whatever ended the last session, the next one reads from the
runs that carry the batch's name which steps are finished, goes on with a training from its checkpoint, and does the
rest.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from synthstudio.client import plans
from synthstudio.client.endings import has_checkpoint
from synthstudio.client.experiment import ExperimentPlan
from synthstudio.client.experiment_times import job_seconds
from synthstudio.client.gan_study import GanStudyPlan
from synthstudio.client.named_records import find_faults
from synthstudio.client.plans import Plan, PlannedJob, begin_plan, next_planned_job, plan_kind, read_states
from synthstudio.client.rounds import RoundPlan
from synthstudio.client.session import stored_settings
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Experiment, Run, RunStatus
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings
from synthstudio.settings.batch import REFERENCE, BatchSettings
from synthstudio.settings.batch_steps import BatchStep, StepKey, expand_batch
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.references import set_written
from synthstudio.settings.round import RoundSettings

KIND = "batch"


@dataclass(frozen=True, slots=True)
class BatchTrial:
    """What may fail by itself: a step of a batch, and of a step that is a plan one of its trials."""

    step: StepKey
    inner: Hashable = None


BatchJob: TypeAlias = PlannedJob[BatchTrial]


class StepStatus(StrEnum):
    """How far a step has come."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    """A plan with jobs left, none of which is under way."""
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLED = "cancelled"
    """It was stopped; what is left of it is done when the batch goes on."""
    FAILED = "failed"
    READY = "ready"
    WAITING = "waiting"
    """For another step."""
    LEFT_OUT = "left out"
    """What it needs has failed."""


@dataclass(frozen=True, slots=True)
class StepState:
    """How far one step of a batch has come.

    Attributes:
        status: See `StepStatus`.
        run: Its newest run, a finished one before all others; None for a plan, and where it was not begun.
        runs: Of a plan, all its runs.
        n_done, n_jobs: Jobs that are finished and that there are; one job, unless it is a plan.
        needs: Title of the step that it waits for, or that failed.
    """

    step: BatchStep
    status: StepStatus
    run: Run | None = None
    runs: tuple[Run, ...] = ()
    n_done: int = 0
    n_jobs: int = 1
    needs: str = ""

    @property
    def seconds(self) -> float | None:
        """How long its finished jobs took; None where none is finished."""
        runs = self.runs or ((self.run,) if self.run is not None else ())
        times = [took for run in runs if run.status is RunStatus.FINISHED and (took := job_seconds(run)) is not None]
        return sum(times) if times else None


def plan_of(settings: JobSettings) -> Plan[Hashable] | None:
    """The plan of a step that is one; None for an ordinary job."""
    if isinstance(settings, ExperimentSettings):
        return ExperimentPlan(settings)
    if isinstance(settings, GanStudySettings):
        return GanStudyPlan(settings)
    if isinstance(settings, RoundSettings):
        return RoundPlan(settings)
    return None


def _unsaid_weights(settings: JobSettings) -> list[UserError]:
    """A batch is the same whenever it is gone on with, so that no job of it may begin with whatever is newest."""
    if not isinstance(settings, RoundSettings) or not settings.goes_on or settings.begins_with:
        return []
    return [
        UserError(
            "A round in a batch cannot go on from the last one without saying from which weights.",
            "Name their file as begins_with, or leave goes_on out.",
        )
    ]


def _kinds_of(project: Project, settings: JobSettings) -> set[str]:
    """Kinds of the jobs of a step: its own, or those that it plans."""
    plan = plan_of(settings)
    if plan is None:
        return {settings.kind}
    return {stage.settings("").kind for trial in plan.lay_out(project) for stage in trial.stages}


@dataclass(frozen=True)
class BatchCourse:
    """Carries out a batch.

    Args:
        settings: Of the batch. Raises UserError, naming the job, where a recipe of it is wrong.
    """

    settings: BatchSettings
    steps: tuple[BatchStep, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", expand_batch(self.settings))

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def word(self) -> str:
        return plans.PLAN_WORDS[KIND]

    @property
    def plan_names(self) -> frozenset[str]:
        plans_of_steps = (plan_of(_unlinked(step)) for step in self.steps)
        return frozenset({self.name, *(plan.name for plan in plans_of_steps if plan is not None)})

    def begin(self, project: Project) -> None:
        """Enter the batch into the project, and the plans that it holds and that are not finished.

        Raises:
            UserError: As `check`, another kind of plan has this name, or a plan that it holds cannot be begun.
        """
        self.check(project)
        self.enter(project)
        for state in self.read(project):
            plan = plan_of(_unlinked(state.step))
            if plan is not None and state.status is not StepStatus.FINISHED:
                begin_plan(project, plan)

    def check(self, project: Project) -> None:
        """Look up all that its jobs name in the project, so that none of them fails in the middle of the night.

        Raises:
            UserError: A job names a run or set that is neither there nor made by a job before it, or would write a set
                that exists; all such jobs are named.
        """
        coming_sets: set[str] = set()
        coming_kinds: set[str] = set()
        faults: list[UserError] = []
        for state in self.read(project):
            settings = state.step.settings(lambda key: f"{REFERENCE}{key.job}")
            if state.status is not StepStatus.FINISHED:
                coming_runs = {f"{REFERENCE}{key.job}" for key in state.step.uses.values()}
                found = find_faults(
                    project,
                    settings,
                    coming_runs=coming_runs,
                    coming_kinds=coming_kinds,
                    coming_sets=coming_sets,
                )
                found += _unsaid_weights(settings)
                faults += [UserError(f"The job {state.step.title}: {each.message}", each.hint) for each in found]
            coming_sets.add(set_written(settings))
            coming_kinds |= _kinds_of(project, settings)
        if faults:
            *others, last = faults
            raise UserError(" ".join([*map(str, others), last.message]), last.hint)

    def enter(self, project: Project) -> None:
        """Enter the batch into the project, to be begun later; one of its name takes on the settings.

        Raises:
            UserError: Another kind of plan has this name.
        """
        earlier = project.experiments.find(self.name)
        if earlier is not None and plan_kind(earlier) != KIND:
            raise UserError(
                f"There is already another kind of plan under the name {self.name}.", "Choose another name."
            )
        text = self.settings.model_dump_json(exclude_none=True)
        project.experiments.put(self.name, settings_json=text, project_state=project.training_state())

    def next_job(self, project: Project, *, given_up: Collection[Hashable] = ()) -> BatchJob | None:
        """Return what is to be done next; None where nothing is left but what failed or needs what failed."""
        lost = [each for each in given_up if isinstance(each, BatchTrial)]
        failed = {each.step for each in lost if each.inner is None}
        states = self.read(project)
        runs = _runs_of(states)
        for state in states:
            key = state.step.key
            if key in failed or state.status in (StepStatus.FINISHED, StepStatus.WAITING, StepStatus.LEFT_OUT):
                continue
            inner = [each.inner for each in lost if each.step == key]
            job = self._next_of(project, state, runs, inner)
            if job is not None:
                return job
        return None

    def _next_of(
        self, project: Project, state: StepState, runs: Mapping[StepKey, RunId], given_up: Sequence[Hashable]
    ) -> BatchJob | None:
        settings = state.step.settings(runs.__getitem__)
        plan = plan_of(settings)
        if plan is not None:
            job = next_planned_job(project, plan, given_up=given_up)
            if job is None:
                return None
            trial = BatchTrial(state.step.key, job.trial)
            return PlannedJob(trial, job.stage, job.settings, job.title, job.resume_run, job.plan)
        resumed = state.run.id if state.run is not None and has_checkpoint(project.run_folder(state.run.id)) else None
        return PlannedJob(
            BatchTrial(state.step.key), settings.kind, settings, self._title(state.step), resumed, self.name
        )

    def _title(self, step: BatchStep) -> str:
        return f"{self.name}: {step.title}"

    def read(self, project: Project) -> tuple[StepState, ...]:
        """Return how far each step has come, in the order in which they are done. Runs with other settings than the
        batch has now do not count."""
        known = list(_known(project, self.name))
        states: dict[StepKey, StepState] = {}
        for step in self.steps:
            states[step.key] = self._state(project, step, states, known)
        return tuple(states.values())

    def _state(
        self,
        project: Project,
        step: BatchStep,
        states: dict[StepKey, StepState],
        known: Sequence[tuple[Run, JobSettings]],
    ) -> StepState:
        plan = plan_of(_unlinked(step))
        n_jobs = 1 if plan is None else sum(len(each.stages) for each in plan.lay_out(project))
        missing = [states[key] for key in step.after if states[key].status is not StepStatus.FINISHED]
        if missing:
            broken = next((each for each in missing if each.status in (StepStatus.FAILED, StepStatus.LEFT_OUT)), None)
            status = StepStatus.WAITING if broken is None else StepStatus.LEFT_OUT
            return StepState(step, status, n_jobs=n_jobs, needs=(broken or missing[0]).step.title)
        if plan is not None:
            return _plan_state(project, step, plan, n_jobs)
        wanted, title = step.settings(_runs_of(states.values()).__getitem__), self._title(step)
        matching = [run for run, found in known if run.title == title and found == wanted]
        if not matching:
            return StepState(step, StepStatus.READY)
        run = max(matching, key=lambda each: (each.status is RunStatus.FINISHED, each.created_at, each.id))
        return StepState(step, _STATUS[run.status], run, n_done=int(run.status is RunStatus.FINISHED))


_STATUS = {
    RunStatus.FINISHED: StepStatus.FINISHED,
    RunStatus.FAILED: StepStatus.FAILED,
    RunStatus.CANCELLED: StepStatus.CANCELLED,
    RunStatus.QUEUED: StepStatus.QUEUED,
    RunStatus.RUNNING: StepStatus.RUNNING,
}


def _runs_of(states: Iterable[StepState]) -> dict[StepKey, RunId]:
    """The runs that other steps may refer to."""
    return {each.step.key: each.run.id for each in states if each.run is not None}


def _unlinked(step: BatchStep) -> JobSettings:
    """The settings of a step with names of jobs in the place of the ids of their runs."""
    return step.settings(lambda key: key.job)


def _known(project: Project, name: str) -> Iterator[tuple[Run, JobSettings]]:
    for run in project.runs.of_experiment(name):
        try:
            yield run, stored_settings(run)
        except UserError:  # written by another version: it is done again
            continue


def _plan_state(project: Project, step: BatchStep, plan: Plan[Hashable], n_jobs: int) -> StepState:
    trials = read_states(project, plan)
    runs = tuple(run for trial in trials for run in trial.runs.values())
    n_done = sum(trial.n_done for trial in trials)
    found = {run.status for run in runs}
    if n_done == n_jobs:
        status = StepStatus.FINISHED
    else:
        telling = (RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.FAILED, RunStatus.CANCELLED)
        otherwise = StepStatus.UNFINISHED if runs else StepStatus.READY
        status = next((_STATUS[each] for each in telling if each in found), otherwise)
    return StepState(step, status, runs=runs, n_done=n_done, n_jobs=n_jobs)


def list_batches(project: Project) -> list[Experiment]:
    """Return the batches of a project, oldest first."""
    return plans.list_plans(project, KIND)


def stored_batch(record: Experiment) -> BatchSettings:
    """Return a stored batch. Raises UserError where this version cannot read it."""
    found = plans.stored_plan(record)
    assert isinstance(found, BatchSettings)
    return found
