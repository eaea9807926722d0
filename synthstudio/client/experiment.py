"""An experiment: a plan of ordinary jobs, read from the project's runs each time it is asked what comes next.

Nothing is kept beside the runs themselves. Whatever ended the last session, a cancel, a crash or a power cut, the next
one finds what is finished, goes on with a training from its checkpoint, and does the rest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from synthstudio.client.cancelling import HostCancel
from synthstudio.client.endings import has_checkpoint
from synthstudio.client.session import execute_run, start_run, stored_settings
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Experiment, FieldOfView, Run, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobCancelled, JobFinished, JobOutcome
from synthstudio.settings.base import JobSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.experiment import ArmName, ExperimentSettings, Task
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.recipe import recipe_from_toml

Stage = Literal["train", "evaluate", "explain"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of the plan, with all that is done with it."""

    task: Task
    arm: ArmName
    seed: int


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of the plan.

    Attributes:
        resume_run: The run to go on with; None for a new one.
    """

    trial: Trial
    stage: Stage
    settings: JobSettings
    title: str
    resume_run: RunId | None = None


@dataclass(frozen=True, slots=True)
class TrialState:
    """How far a trial has come: its newest run of each stage, a finished one before all others."""

    trial: Trial
    runs: dict[Stage, Run]
    stages: tuple[Stage, ...]

    def finished(self, stage: Stage) -> Run | None:
        """The finished run of a stage, or None."""
        run = self.runs.get(stage)
        return run if run is not None and run.status is RunStatus.FINISHED else None

    @property
    def next_stage(self) -> Stage | None:
        """The first stage that is not finished, or None."""
        return next((stage for stage in self.stages if self.finished(stage) is None), None)

    @property
    def n_done(self) -> int:
        """Number of finished stages."""
        return sum(self.finished(stage) is not None for stage in self.stages)


def plan_trials(settings: ExperimentSettings) -> tuple[Trial, ...]:
    """Return all trials in the order in which they are done: every arm with one seed before the next seed, so that a
    night that is too short still leaves a comparison."""
    return tuple(
        Trial(task, arm, seed)
        for seed in settings.seed_numbers
        for task in settings.tasks
        for arm in settings.chosen_arms
    )


def arm_title(settings: ExperimentSettings, arm: ArmName) -> str:
    """An arm in words, for tables and charts."""
    percent = f"{100 * settings.real_share:g} %"
    words: dict[ArmName, str] = {
        "real": "Real",
        "synthetic": "Synthetic",
        "mix": f"Synthetic + {percent} real",
        "real-share": f"{percent} real alone",
    }
    return words[arm]


def begin_experiment(project: Project, settings: ExperimentSettings) -> None:
    """Enter an experiment into the project; one of its name takes on the settings and keeps what is finished.

    Raises:
        UserError: The project is read-only, there is nothing to score on, or the data has changed since runs of this
            experiment were made.
    """
    _require_images(project, settings)
    state = project.training_state()
    earlier = project.experiments.find(settings.name)
    if earlier is not None and earlier.project_state != state and _has_finished(project, settings.name):
        raise UserError(
            f"Images or annotations have changed since the experiment {settings.name} began: what is finished cannot"
            " be compared with what would follow.",
            "Start it anew under another name.",
        )
    text = settings.model_dump_json(exclude_none=True)
    project.experiments.put(settings.name, settings_json=text, project_state=state)


def stored_experiment(experiment: Experiment) -> ExperimentSettings:
    """Return the plan of an experiment. Raises UserError where this version cannot read it."""
    found = recipe_from_toml(json.loads(experiment.settings_json), origin=f"The experiment {experiment.name}")
    assert isinstance(found, ExperimentSettings)
    return found


def read_trials(project: Project, settings: ExperimentSettings) -> tuple[TrialState, ...]:
    """Return how far each trial has come. Runs of the experiment with other settings than the plan's do not count."""
    known = []
    for run in project.runs.of_experiment(settings.name):
        try:
            known.append((run, stored_settings(run)))
        except UserError:  # written by another version: it is done again
            continue
    fovs = explained_fovs(project, settings.n_explained)
    return tuple(_trial_state(settings, trial, known, fovs) for trial in plan_trials(settings))


def _trial_state(
    settings: ExperimentSettings, trial: Trial, known: Sequence[tuple[Run, JobSettings]], fovs: tuple[str, ...]
) -> TrialState:
    stages: tuple[Stage, ...] = ("train", "evaluate")
    if trial.task == "classifier" and fovs:
        stages = (*stages, "explain")
    runs: dict[Stage, Run] = {}
    for stage in stages:
        training = runs.get("train")
        wanted = _stage_settings(
            settings, trial, stage, training=training.id if training is not None else "", fovs=fovs
        )
        matching = [run for run, found in known if found == wanted]
        if not matching:
            break
        runs[stage] = _best(matching)
        if runs[stage].status is not RunStatus.FINISHED and stage == "train":
            break
    return TrialState(trial, runs, stages)


def _best(runs: Sequence[Run]) -> Run:
    """The newest finished run, else the newest."""
    return max(runs, key=lambda run: (run.status is RunStatus.FINISHED, run.created_at, run.id))


def _stage_settings(
    settings: ExperimentSettings, trial: Trial, stage: Stage, *, training: str, fovs: tuple[str, ...]
) -> JobSettings:
    if stage == "train":
        return settings.training(trial.task, trial.arm, seed=trial.seed)
    if stage == "explain":
        return ExplainSettings(run=training, split=Split.TEST, fovs=fovs)
    if trial.task == "classifier":
        return EvaluateSettings(run=training, split=Split.TEST)
    return EvaluateDetectorSettings(run=training, split=Split.TEST)


def next_job(project: Project, settings: ExperimentSettings, *, given_up: Collection[Trial] = ()) -> PlannedJob | None:
    """Return what is to be done next; None where nothing is left.

    Args:
        given_up: Trials that failed in this session; they are left alone until the next one.
    """
    fovs = explained_fovs(project, settings.n_explained)
    for state in read_trials(project, settings):
        stage = state.next_stage
        if stage is None or state.trial in given_up:
            continue
        training = state.finished("train")
        job_settings = _stage_settings(
            settings, state.trial, stage, training=training.id if training is not None else "", fovs=fovs
        )
        ended_early = state.runs.get(stage)
        can_resume = stage == "train" and ended_early is not None and has_checkpoint(project.run_folder(ended_early.id))
        return PlannedJob(
            state.trial,
            stage,
            job_settings,
            _title(settings, state.trial, stage),
            ended_early.id if can_resume and ended_early is not None else None,
        )
    return None


def _title(settings: ExperimentSettings, trial: Trial, stage: Stage) -> str:
    verbs: dict[Stage, str] = {"train": "", "evaluate": "evaluate ", "explain": "explain "}
    task = "" if len(settings.tasks) == 1 else f" {trial.task}"
    arm = arm_title(settings, trial.arm)
    return f"{settings.name}: {verbs[stage]}{arm[:1].lower()}{arm[1:]}{task}, seed {trial.seed}"


class Watcher(Protocol):
    """Is told what an experiment does, in the thread that drives it."""

    def job_begins(self, job: PlannedJob, run_id: RunId) -> None:
        """A job is about to start."""

    def on_event(self, event: AnyEvent) -> None:
        """The running job has said something."""

    def job_ends(self, job: PlannedJob, outcome: JobOutcome) -> None:
        """A job has ended, well or not."""


def run_experiment(
    project: Project,
    settings: ExperimentSettings,
    watcher: Watcher,
    *,
    cancel: HostCancel,
    device: str = "auto",
    command: Sequence[str] | None = None,
) -> tuple[Trial, ...]:
    """Do all that is left of an experiment, one job after another; block until it has ended.

    Args:
        cancel: Stops the running job, and the experiment with it.
        device, command: As for `execute_run`.

    Returns:
        The trials that failed. Others went on without them; the next session tries them again.

    Raises:
        UserError: As `begin_experiment`, or an engine cannot be started.
    """
    begin_experiment(project, settings)
    given_up: list[Trial] = []
    while not cancel.is_requested and (job := next_job(project, settings, given_up=given_up)) is not None:
        is_resumed = job.resume_run is not None
        run_id = job.resume_run or start_run(project, job.settings, title=job.title, experiment=settings.name)
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


def explained_fovs(project: Project, count: int) -> tuple[str, ...]:
    """Names of this many test images that have annotations, spread evenly over all of them.

    Images whose name another one has, too, are passed over: the job that writes the maps is told names.
    """
    named = Counter(fov.name for fov in project.fovs.list())
    fovs = [fov for fov in _test_images(project) if named[fov.name] == 1]
    if len(fovs) <= count:
        return tuple(fov.name for fov in fovs) if count else ()
    return tuple(fovs[number * len(fovs) // count].name for number in range(count))


def _test_images(project: Project) -> list[FieldOfView]:
    marked = project.annotations.counts()
    return [fov for fov in project.fovs.list(split=Split.TEST) if fov.state.is_complete or fov.id in marked]


def _require_images(project: Project, settings: ExperimentSettings) -> None:
    """What some job would complain about is told before the night, not in the middle of it."""
    if not _test_images(project):
        raise UserError(
            "No image of the test split is annotated, so there is nothing to compare the models on.",
            "Put annotated samples into the test split first.",
        )
    needed = [Split.TEST] if settings.with_detector else []
    if settings.with_detector and settings.chosen_arms != ("synthetic",):
        needed.append(Split.TRAIN)
    for split in needed:
        if not any(fov.state.is_complete for fov in project.fovs.list(split=split)):
            raise UserError(
                f"No image of the {split.value} split is annotated exhaustively: a detector cannot tell objects that"
                " were not clicked from background.",
                "Annotate some images completely and mark them as such, or leave the detector out.",
            )


def _has_finished(project: Project, name: str) -> bool:
    return any(run.status is RunStatus.FINISHED for run in project.runs.of_experiment(name))
