"""A plan of ordinary jobs, read from the project's runs each time it is asked what comes next.

Nothing is kept beside the runs themselves. Whatever ended the last session, a cancel, a crash or a power cut, the next
one finds what is finished, goes on with a training from its checkpoint, and does the rest. What a plan is about, an
experiment or a study of GANs, says a `Plan`; how it is carried out is here.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from synthstudio.client.cancelling import HostCancel
from synthstudio.client.endings import has_checkpoint
from synthstudio.client.session import execute_run, start_run, stored_settings
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Experiment, Run, RunStatus
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobCancelled, JobFinished, JobOutcome
from synthstudio.settings.base import JobSettings
from synthstudio.settings.recipe import recipe_from_toml
from synthstudio.settings.registry import RecipeUnion

T = TypeVar("T", bound=Hashable)
"""What tells one training of a plan from the others."""
T_co = TypeVar("T_co", bound=Hashable, covariant=True)
T_contra = TypeVar("T_contra", bound=Hashable, contravariant=True)

TRAIN = "train"
"""The first stage of every trial; the others use what it made, and it alone can be resumed."""


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One job of a trial.

    Attributes:
        settings: Of the job, from the id of the trial's training, which is empty for the training itself.
    """

    name: str
    title: str
    settings: Callable[[str], JobSettings]


@dataclass(frozen=True, slots=True)
class PlannedTrial(Generic[T_co]):
    """One training of a plan, with all that is done with it."""

    trial: T_co
    stages: tuple[PlannedStage, ...]


class Plan(Protocol[T_co]):
    """What is to be done, in which order."""

    @property
    def settings(self) -> JobSettings:
        """As they are stored, with the name that the runs carry."""

    @property
    def name(self) -> str:
        """What the runs carry."""

    @property
    def is_comparison(self) -> bool:
        """Whether its runs are compared with one another, so that the data must not change in between."""

    def note_beginning(self, project: Project) -> None:
        """Record what cannot be read from its runs later; each time when it is begun or gone on with."""

    def check(self, project: Project) -> None:
        """Raise UserError where the project lacks what some job would complain about in the middle of the night."""

    def lay_out(self, project: Project) -> Sequence[PlannedTrial[T_co]]:
        """Return all trials in the order in which they are done."""


@dataclass(frozen=True, slots=True)
class PlannedJob(Generic[T_co]):
    """One job of the plan.

    Attributes:
        resume_run: The run to go on with; None for a new one.
        plan: Name of the plan that a new run becomes a part of.
    """

    trial: T_co
    stage: str
    settings: JobSettings
    title: str
    resume_run: RunId | None = None
    plan: str = ""


@dataclass(frozen=True, slots=True)
class TrialState(Generic[T_co]):
    """How far a trial has come: its newest run of each stage, a finished one before all others."""

    trial: T_co
    runs: dict[str, Run]
    stages: tuple[str, ...]

    def finished(self, stage: str) -> Run | None:
        """The finished run of a stage, or None."""
        run = self.runs.get(stage)
        return run if run is not None and run.status is RunStatus.FINISHED else None

    @property
    def next_stage(self) -> str | None:
        """The first stage that is not finished, or None."""
        return next((stage for stage in self.stages if self.finished(stage) is None), None)

    @property
    def n_done(self) -> int:
        """Number of finished stages."""
        return sum(self.finished(stage) is not None for stage in self.stages)


def begin_plan(project: Project, plan: Plan[T]) -> None:
    """Enter a plan into the project; one of its name takes on the settings and keeps what is finished.

    Raises:
        UserError: The project is read-only, lacks what the plan needs, has another kind of plan under this name, or its
            data has changed since runs of this plan were made.
    """
    plan.check(project)
    state = project.training_state()
    earlier = project.experiments.find(plan.name)
    kind = plan.settings.kind
    if earlier is not None and plan_kind(earlier) != kind:
        raise UserError(f"There is already another kind of plan under the name {plan.name}.", "Choose another name.")
    is_other_data = earlier is not None and earlier.project_state != state
    if is_other_data and plan.is_comparison and _has_finished(project, plan.name):
        raise UserError(
            f"Images or annotations have changed since the {PLAN_WORDS[kind]} {plan.name} began: what is finished"
            " cannot be compared with what would follow.",
            "Start it anew under another name.",
        )
    text = plan.settings.model_dump_json(exclude_none=True)
    with project.transaction():
        project.experiments.put(plan.name, settings_json=text, project_state=state)
        plan.note_beginning(project)


PLAN_WORDS = {"experiment": "experiment", "gan-study": "study", "batch": "batch", "round": "round"}
"""What a plan of each kind is called."""


def plan_kind(record: Experiment) -> str:
    """Kind of a stored plan; empty where it cannot be read."""
    try:
        values = json.loads(record.settings_json)
    except ValueError:
        return ""
    return str(values.get("kind", "")) if isinstance(values, dict) else ""


def list_plans(project: Project, kind: str) -> list[Experiment]:
    """Return the stored plans of a kind, oldest first."""
    return [record for record in project.experiments.list() if plan_kind(record) == kind]


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it where a plan has it: whoever writes that one's name goes on with it."""
    if name not in taken:
        return name
    base = name.rstrip("0123456789 ") or name
    return next(f"{base} {number}" for number in itertools.count(2) if f"{base} {number}" not in taken)


def get_plan(project: Project, kind: str, name: str) -> Experiment:
    """Return a stored plan. Raises NotFound, naming those of its kind that exist."""
    found = project.experiments.find(name)
    if found is None or plan_kind(found) != kind:
        known = ", ".join(each.name for each in list_plans(project, kind)) or "none yet"
        word = PLAN_WORDS[kind]
        plural = {"study": "studies", "batch": "batches"}.get(word, f"{word}s")
        raise NotFound(f"There is no {word} {name} in this project.", f"The {plural} are: {known}.")
    return found


def stored_plan(record: Experiment) -> RecipeUnion:
    """Return the settings of a stored plan. Raises UserError where this version cannot read them."""
    kind = plan_kind(record)
    return recipe_from_toml(json.loads(record.settings_json), origin=f"The {PLAN_WORDS.get(kind, kind)} {record.name}")


def read_states(project: Project, plan: Plan[T]) -> tuple[TrialState[T], ...]:
    """Return how far each trial has come. Runs of the plan with other settings than it has now do not count."""
    return tuple(state for _, state in _read(project, plan))


def _read(project: Project, plan: Plan[T]) -> list[tuple[PlannedTrial[T], TrialState[T]]]:
    known: list[tuple[Run, JobSettings]] = []
    for run in project.runs.of_experiment(plan.name):
        try:
            known.append((run, stored_settings(run)))
        except UserError:  # written by another version: it is done again
            continue
    return [(each, _state(each, known)) for each in plan.lay_out(project)]


def _state(planned: PlannedTrial[T], known: Sequence[tuple[Run, JobSettings]]) -> TrialState[T]:
    runs: dict[str, Run] = {}
    for stage in planned.stages:
        wanted = stage.settings(_training_id(runs))
        matching = [run for run, found in known if found == wanted]
        if not matching:
            break
        runs[stage.name] = _best(matching)
        if runs[stage.name].status is not RunStatus.FINISHED and stage.name == TRAIN:
            break
    return TrialState(planned.trial, runs, tuple(stage.name for stage in planned.stages))


def was_cancelled(project: Project, names: Collection[str]) -> bool:
    """Whether the last that happened to the runs of these plans is that one was cancelled; a later crash, or a job that
    waits or runs, says otherwise."""
    runs = [run for name in names for run in project.runs.of_experiment(name)]
    if any(not run.finished_at for run in runs):
        return False
    last = max(runs, key=lambda run: (run.finished_at, run.id), default=None)
    return last is not None and last.status is RunStatus.CANCELLED


def _training_id(runs: dict[str, Run]) -> str:
    training = runs.get(TRAIN)
    return training.id if training is not None else ""


def _best(runs: Sequence[Run]) -> Run:
    """The newest finished run, else the newest."""
    return max(runs, key=lambda run: (run.status is RunStatus.FINISHED, run.created_at, run.id))


def next_planned_job(project: Project, plan: Plan[T], *, given_up: Collection[Hashable] = ()) -> PlannedJob[T] | None:
    """Return what is to be done next; None where nothing is left.

    Args:
        given_up: Trials that failed in this session; they are left alone until the next one.
    """
    for planned, state in _read(project, plan):
        name = state.next_stage
        if name is None or state.trial in given_up:
            continue
        stage = next(each for each in planned.stages if each.name == name)
        training = state.finished(TRAIN)
        settings = stage.settings(training.id if training is not None else "")
        ended_early = state.runs.get(name)
        can_resume = name == TRAIN and ended_early is not None and has_checkpoint(project.run_folder(ended_early.id))
        resume_run = ended_early.id if can_resume and ended_early is not None else None
        if name == TRAIN and resume_run is None:
            plan.note_beginning(project)  # it may have waited since the plan was begun
        return PlannedJob(state.trial, name, settings, stage.title, resume_run, plan.name)
    return None


class Course(Protocol[T_co]):
    """Jobs that are done one after another, and gone on with after whatever ended the last session: a plan of trials,
    or a batch."""

    @property
    def name(self) -> str:
        """What its runs carry."""

    @property
    def word(self) -> str:
        """What it is called, "experiment" for example."""

    @property
    def plan_names(self) -> frozenset[str]:
        """Its own name, and those of the plans that it holds: none of them may be under way twice."""

    def begin(self, project: Project) -> None:
        """Enter it into the project. Raises UserError where it cannot be carried out."""

    def next_job(self, project: Project, *, given_up: Collection[Hashable] = ()) -> PlannedJob[T_co] | None:
        """Return what is to be done next; None where nothing is left but what failed in this session."""


@dataclass(frozen=True, slots=True)
class PlanCourse(Generic[T]):
    """A plan of trials, carried out trial by trial."""

    plan: Plan[T]

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def word(self) -> str:
        return PLAN_WORDS[self.plan.settings.kind]

    @property
    def plan_names(self) -> frozenset[str]:
        return frozenset({self.plan.name})

    def begin(self, project: Project) -> None:
        """Enter it into the project, as `begin_plan`."""
        begin_plan(project, self.plan)

    def next_job(self, project: Project, *, given_up: Collection[Hashable] = ()) -> PlannedJob[T] | None:
        """Return what is to be done next, as `next_planned_job`."""
        return next_planned_job(project, self.plan, given_up=given_up)


class Watcher(Protocol[T_contra]):
    """Is told what a plan does, in the thread that drives it."""

    def job_begins(self, job: PlannedJob[T_contra], run_id: RunId) -> None:
        """A job is about to start."""

    def on_event(self, event: AnyEvent) -> None:
        """The running job has said something."""

    def job_ends(self, job: PlannedJob[T_contra], outcome: JobOutcome) -> None:
        """A job has ended, well or not."""


def run_plan(
    project: Project,
    plan: Plan[T],
    watcher: Watcher[T],
    *,
    cancel: HostCancel,
    device: str = "auto",
    command: Sequence[str] | None = None,
) -> tuple[T, ...]:
    """Do all that is left of a plan, one job after another; block until it has ended.

    Args:
        cancel: Stops the running job, and the plan with it.
        device, command: As for `execute_run`.

    Returns:
        The trials that failed. Others went on without them; the next session tries them again.

    Raises:
        UserError: As `begin_plan`, or an engine cannot be started.
    """
    return run_course(project, PlanCourse(plan), watcher, cancel=cancel, device=device, command=command)


def run_course(
    project: Project,
    course: Course[T],
    watcher: Watcher[T],
    *,
    cancel: HostCancel,
    device: str = "auto",
    command: Sequence[str] | None = None,
) -> tuple[T, ...]:
    """Do all that is left of a course, as `run_plan`."""
    course.begin(project)
    given_up: list[T] = []
    while not cancel.is_requested and (job := course.next_job(project, given_up=given_up)) is not None:
        is_resumed = job.resume_run is not None
        run_id = job.resume_run or start_run(project, job.settings, title=job.title, experiment=job.plan)
        watcher.job_begins(job, run_id)
        outcome = execute_run(
            project, run_id, on_event=watcher.on_event, cancel=cancel, device=device, resume=is_resumed, command=command
        )
        watcher.job_ends(job, outcome)
        if isinstance(outcome, JobCancelled):
            break
        if not isinstance(outcome, JobFinished):
            given_up.append(job.trial)
    return tuple(given_up)


def _has_finished(project: Project, name: str) -> bool:
    return any(run.status is RunStatus.FINISHED for run in project.runs.of_experiment(name))
