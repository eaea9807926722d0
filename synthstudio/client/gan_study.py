"""A study of GANs: a plan of ordinary trainings and measurings, one for every variant and seed.

How a plan is carried out, and gone on with after whatever ended the last session, is in `client.plans`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from synthstudio.client import plans
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.experiment_times import Estimate, job_seconds
from synthstudio.client.gan_times import estimate_measuring, estimate_training
from synthstudio.client.plans import PlannedStage, PlannedTrial
from synthstudio.core.evaluation.manifold import LEAST_IMAGES
from synthstudio.core.evaluation.set_figures import comparable_count
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Experiment, RunStatus
from synthstudio.project import Project
from synthstudio.project.region_crops import CropSplit, list_region_crops
from synthstudio.settings.base import JobSettings
from synthstudio.settings.gan_study import GanStudySettings, Variant

KIND = "gan-study"
Stage = Literal["train", "measure"]


@dataclass(frozen=True, slots=True)
class GanTrial:
    """One training of a study: the key of its variant, and its seed."""

    variant: str
    seed: int


PlannedJob: TypeAlias = plans.PlannedJob[GanTrial]
TrialState: TypeAlias = plans.TrialState[GanTrial]
Watcher: TypeAlias = plans.Watcher[GanTrial]


@dataclass(frozen=True, slots=True)
class GanStudyPlan:
    """The plan of a study: every variant with one seed before the next seed, so that a night that is too short still
    leaves a comparison."""

    settings: GanStudySettings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def is_comparison(self) -> bool:
        return True

    def note_beginning(self, _project: Project) -> None:
        """Nothing: all is read from the runs."""

    def check(self, project: Project) -> None:
        """Raise UserError where there is nothing to learn from, or to measure against."""
        list_region_crops(project, self.settings.training, split="train")
        split: CropSplit = self.settings.measure.split.value
        held_out = list_region_crops(project, self.settings.training, split=split).crops
        samples = np.array([crop.sample_id for crop in held_out], np.int64)
        if comparable_count(samples, len(held_out)) < LEAST_IMAGES:
            raise UserError(
                f"The {split} split gives {len(held_out)} crops of {len(set(samples))} samples:"
                " too few to measure a GAN on.",
                f"Put more samples with boxes into it, or cut more crops of each image: two halves of {LEAST_IMAGES},"
                " with no sample in both, are the least.",
            )

    def lay_out(self, _project: Project) -> Sequence[PlannedTrial[GanTrial]]:
        """All trials, with what is done in each."""
        return [
            PlannedTrial(GanTrial(variant.key, seed), self._stages(variant, seed))
            for seed in self.settings.seed_numbers
            for variant in self.settings.variants
        ]

    def _stages(self, variant: Variant, seed: int) -> tuple[PlannedStage, ...]:
        names: tuple[Stage, ...] = ("train", "measure")
        return tuple(
            PlannedStage(name, self._title(variant, seed, name), partial(self._job, variant, seed, name))
            for name in names
        )

    def _title(self, variant: Variant, seed: int, stage: Stage) -> str:
        verb = "measure " if stage == "measure" else ""
        words = variant.title[:1].lower() + variant.title[1:]
        return f"{self.name}: {verb}{words}, seed {seed}"

    def _job(self, variant: Variant, seed: int, stage: Stage, training: str) -> JobSettings:
        if stage == "train":
            return self.settings.train(variant, seed=seed)
        return self.settings.measuring(training, seed=self.settings.seed)


def begin_study(project: Project, settings: GanStudySettings) -> None:
    """Enter a study into the project. Raises UserError as `begin_plan`."""
    plans.begin_plan(project, GanStudyPlan(settings))


def list_studies(project: Project) -> list[Experiment]:
    """Return the studies of a project, oldest first."""
    return plans.list_plans(project, KIND)


def get_study(project: Project, name: str) -> Experiment:
    """Return one study. Raises NotFound, naming those that exist."""
    return plans.get_plan(project, KIND, name)


def stored_study(record: Experiment) -> GanStudySettings:
    """Return the plan of a study. Raises UserError where this version cannot read it."""
    found = plans.stored_plan(record)
    assert isinstance(found, GanStudySettings)
    return found


def read_study(project: Project, settings: GanStudySettings) -> tuple[TrialState, ...]:
    """Return how far each trial has come."""
    return plans.read_states(project, GanStudyPlan(settings))


def next_job(project: Project, settings: GanStudySettings, *, given_up: Collection[GanTrial] = ()) -> PlannedJob | None:
    """Return what is to be done next, as `next_planned_job`."""
    return plans.next_planned_job(project, GanStudyPlan(settings), given_up=given_up)


def run_study(
    project: Project,
    settings: GanStudySettings,
    watcher: Watcher,
    *,
    cancel: HostCancel,
    device: str = "auto",
    command: Sequence[str] | None = None,
) -> tuple[GanTrial, ...]:
    """Do all that is left of a study, as `run_plan`; return the trials that failed."""
    return plans.run_plan(project, GanStudyPlan(settings), watcher, cancel=cancel, device=device, command=command)


def estimate_study(project: Project, settings: GanStudySettings, states: Sequence[TrialState]) -> Estimate:
    """Estimate what is left of a study."""
    runs = project.runs.list()
    trainings = [run for run in runs if run.kind == settings.training.kind]
    measurings = [
        seconds
        for run in runs
        if run.kind == settings.measure.kind
        and run.status is RunStatus.FINISHED
        and (seconds := job_seconds(run)) is not None
    ]
    variants = {variant.key: variant for variant in settings.variants}
    seconds, is_measured = 0.0, True
    for state in states:
        if state.finished("train") is None:
            training = estimate_training(
                trainings, settings.train(variants[state.trial.variant], seed=state.trial.seed)
            )
            seconds, is_measured = seconds + training.seconds, is_measured and training.is_measured
        if state.finished("measure") is None:
            seconds += estimate_measuring(measurings)
    return Estimate(seconds, is_measured)
