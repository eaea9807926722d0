"""How long an experiment will take: from what this project's own runs took, else a stated guess."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from synthstudio.client.experiment import TrialState
from synthstudio.client.session import stored_settings
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.settings.experiment import ExperimentSettings, Task
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings

GUESSED_STEP_S = 0.35
"""Seconds of one step of a small network with 32 images of 128 px, on two cores without a GPU."""
GUESSED_LARGE_NETWORK = 25.0
"""How much longer a step of a network of millions of weights takes there."""
GUESSED_OTHER_S = 60.0
"""Seconds of a scoring, or of the maps of a few images."""
START_S = 4.0
"""Seconds in which an engine starts."""

_SMALL = ("small-cam", "small-yolo")
_OTHER_KINDS: dict[Task, tuple[str, ...]] = {
    "classifier": ("evaluate", "explain"),
    "detector": ("evaluate-detector",),
}
TrainingSettings = TrainClassifierSettings | TrainDetectorSettings


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that are left; `is_measured` where runs like these were timed here before."""

    seconds: float
    is_measured: bool

    @property
    def words(self) -> str:
        """For a line beside the button that starts it."""
        basis = "measured on runs like these" if self.is_measured else "a guess: nothing like it was trained here yet"
        return f"about {duration_words(self.seconds)} ({basis})"


def duration_words(seconds: float) -> str:
    """A duration in the largest units that say enough."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 10 else f"{hours} h"


def estimate(project: Project, settings: ExperimentSettings, states: Sequence[TrialState]) -> Estimate:
    """Estimate what is left of an experiment."""
    finished = finished_runs(project)
    seconds, is_measured = 0.0, True
    for task in settings.tasks:
        template = settings.training(task, settings.chosen_arms[0], seed=settings.seed)
        n_trainings = sum(state.trial.task == task and state.finished("train") is None for state in states)
        training = estimate_one_training(finished, template)
        seconds += n_trainings * training.seconds
        is_measured = is_measured and (not n_trainings or training.is_measured)
        for kind, stage in zip(_OTHER_KINDS[task], ("evaluate", "explain"), strict=False):
            n_jobs = sum(
                state.trial.task == task and stage in state.stages and stage not in state.runs for state in states
            )
            seconds += n_jobs * estimate_other_s(finished, kind)
    return Estimate(seconds, is_measured)


def finished_runs(project: Project) -> list[Run]:
    """Return what the estimates are taken from."""
    return [run for run in project.runs.list() if run.status is RunStatus.FINISHED]


def estimate_one_training(finished: Sequence[Run], settings: TrainingSettings) -> Estimate:
    """Estimate what one training takes, its start included."""
    step_s = _measured_step_s(finished, settings)
    is_measured = step_s is not None
    step_s = step_s if step_s is not None else _guessed_step_s(settings)
    return Estimate(START_S + step_s * settings.optimization.steps, is_measured)


def estimate_other_s(finished: Sequence[Run], kind: str) -> float:
    """Seconds that a job of another kind takes, its start included: as long as the earlier ones, else a guess."""
    times = [each for run in finished if run.kind == kind and (each := job_seconds(run)) is not None]
    return START_S + (median(times) if times else GUESSED_OTHER_S)


def job_seconds(run: Run) -> float | None:
    """What a finished run took, as its result tells, or None."""
    try:
        seconds = json.loads(run.summary_json)["seconds"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(seconds) if isinstance(seconds, int | float) else None


def _measured_step_s(finished: Sequence[Run], wanted: TrainingSettings) -> float | None:
    """Seconds a step of trainings of the same network with images of the same number and size took, else None."""
    found = []
    for run in finished:
        seconds = job_seconds(run) if run.kind == wanted.kind else None
        if seconds is None:
            continue
        try:
            settings = stored_settings(run)
        except UserError:
            continue
        if isinstance(settings, TrainClassifierSettings | TrainDetectorSettings) and _load(settings) == _load(wanted):
            found.append(seconds / settings.optimization.steps)
    return median(found) if found else None


def _load(settings: TrainingSettings) -> tuple[str, int, int]:
    return settings.network.name, settings.optimization.batch_size, settings.composition.canvas_px


def _guessed_step_s(settings: TrainingSettings) -> float:
    name, batch_size, canvas_px = _load(settings)
    factor = 1.0 if name in _SMALL else GUESSED_LARGE_NETWORK
    return GUESSED_STEP_S * factor * (batch_size / 32) * (canvas_px / 128) ** 2
