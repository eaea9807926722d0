"""An experiment: a plan of ordinary jobs that train on several kinds of data and score all on one test split.

How a plan is carried out, and gone on with after whatever ended the last session, is in `client.plans`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from synthstudio.client import plans
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.plan_images import require_complete_images, require_scored_images, scored_images
from synthstudio.client.plans import PlannedStage, PlannedTrial
from synthstudio.domain.records import Experiment, Split
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.experiment import ArmName, ExperimentSettings, Task
from synthstudio.settings.explain import ExplainSettings

KIND = "experiment"
Stage = Literal["train", "evaluate", "explain"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of the plan, with all that is done with it."""

    task: Task
    arm: ArmName
    seed: int


PlannedJob: TypeAlias = plans.PlannedJob[Trial]
TrialState: TypeAlias = plans.TrialState[Trial]
Watcher: TypeAlias = plans.Watcher[Trial]


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


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The plan of an experiment."""

    settings: ExperimentSettings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def is_comparison(self) -> bool:
        return True

    def note_beginning(self, _project: Project) -> None:
        """Nothing: all is read from the runs."""

    def check(self, project: Project) -> None:
        """Raise UserError where there is nothing to score on, or to train a detector on."""
        _require_images(project, self.settings)

    def lay_out(self, project: Project) -> Sequence[PlannedTrial[Trial]]:
        """All trials, with what is done in each."""
        fovs = explained_fovs(project, self.settings.n_explained)
        return [PlannedTrial(trial, self._stages(trial, fovs)) for trial in plan_trials(self.settings)]

    def _stages(self, trial: Trial, fovs: tuple[str, ...]) -> tuple[PlannedStage, ...]:
        names: tuple[Stage, ...] = ("train", "evaluate")
        if trial.task == "classifier" and fovs:
            names = (*names, "explain")
        return tuple(
            PlannedStage(name, _title(self.settings, trial, name), partial(self._job, trial, name, fovs))
            for name in names
        )

    def _job(self, trial: Trial, stage: Stage, fovs: tuple[str, ...], training: str) -> JobSettings:
        if stage == "train":
            return self.settings.training(trial.task, trial.arm, seed=trial.seed)
        if stage == "explain":
            return ExplainSettings(run=training, split=Split.TEST, fovs=fovs)
        if trial.task == "classifier":
            return EvaluateSettings(run=training, split=Split.TEST)
        return EvaluateDetectorSettings(run=training, split=Split.TEST)


def begin_experiment(project: Project, settings: ExperimentSettings) -> None:
    """Enter an experiment into the project. Raises UserError as `begin_plan`."""
    plans.begin_plan(project, ExperimentPlan(settings))


def list_experiments(project: Project) -> list[Experiment]:
    """Return the experiments of a project, oldest first; other kinds of plan are none."""
    return plans.list_plans(project, KIND)


def get_experiment(project: Project, name: str) -> Experiment:
    """Return one experiment. Raises NotFound, naming those that exist."""
    return plans.get_plan(project, KIND, name)


def stored_experiment(experiment: Experiment) -> ExperimentSettings:
    """Return the plan of an experiment. Raises UserError where this version cannot read it."""
    found = plans.stored_plan(experiment)
    assert isinstance(found, ExperimentSettings)
    return found


def read_trials(project: Project, settings: ExperimentSettings) -> tuple[TrialState, ...]:
    """Return how far each trial has come. Runs of the experiment with other settings than the plan's do not count."""
    return plans.read_states(project, ExperimentPlan(settings))


def next_job(project: Project, settings: ExperimentSettings, *, given_up: Collection[Trial] = ()) -> PlannedJob | None:
    """Return what is to be done next, as `next_planned_job`."""
    return plans.next_planned_job(project, ExperimentPlan(settings), given_up=given_up)


def _title(settings: ExperimentSettings, trial: Trial, stage: Stage) -> str:
    verbs: dict[Stage, str] = {"train": "", "evaluate": "evaluate ", "explain": "explain "}
    task = "" if len(settings.tasks) == 1 else f" {trial.task}"
    arm = arm_title(settings, trial.arm)
    return f"{settings.name}: {verbs[stage]}{arm[:1].lower()}{arm[1:]}{task}, seed {trial.seed}"


def run_experiment(
    project: Project,
    settings: ExperimentSettings,
    watcher: Watcher,
    *,
    cancel: HostCancel,
    device: str = "auto",
    command: Sequence[str] | None = None,
) -> tuple[Trial, ...]:
    """Do all that is left of an experiment, as `run_plan`; return the trials that failed."""
    return plans.run_plan(project, ExperimentPlan(settings), watcher, cancel=cancel, device=device, command=command)


def explained_fovs(project: Project, count: int) -> tuple[str, ...]:
    """Names of this many test images that have annotations, spread evenly over all of them.

    Images whose name another one has, too, are passed over: the job that writes the maps is told names.
    """
    named = Counter(fov.name for fov in project.fovs.list())
    fovs = [fov for fov in scored_images(project) if named[fov.name] == 1]
    if len(fovs) <= count:
        return tuple(fov.name for fov in fovs) if count else ()
    return tuple(fovs[number * len(fovs) // count].name for number in range(count))


def _require_images(project: Project, settings: ExperimentSettings) -> None:
    require_scored_images(project, purpose="compare the models on")
    needed = [Split.TEST] if settings.with_detector else []
    if settings.with_detector and settings.chosen_arms != ("synthetic",):
        needed.append(Split.TRAIN)
    for split in needed:
        require_complete_images(project, split, way_out="leave the detector out")
