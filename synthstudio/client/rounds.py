"""A round: a plan of ordinary jobs that trains on the annotations so far, scores on the locked test images, suggests.

Rounds are not compared run by run, as the arms of an experiment are: each learns from what there was when it began, and
one that was cut off goes on with what there is now. What it began with is written down when it begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from synthstudio.client import plans
from synthstudio.client.evaluations import result_of
from synthstudio.client.plan_images import require_complete_images, require_scored_images
from synthstudio.client.plans import TRAIN, PlannedStage, PlannedTrial, read_states
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, Split
from synthstudio.domain.rounds import Round
from synthstudio.project import Project
from synthstudio.project.round_stock import take_stock
from synthstudio.protocol.results import EvaluateDetectorResult, EvaluateResult
from synthstudio.settings.base import JobSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.round import RoundSettings
from synthstudio.settings.suggest import SuggestSettings

KIND = "round"
EVALUATE, SUGGEST = "evaluate", "suggest"
BEST_WEIGHTS = Path("checkpoints") / "best.safetensors"
"""Where a training keeps its best network, in the folder of its run."""

TrialState: TypeAlias = plans.TrialState[str]


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The plan of one round; its only trial is told by its name."""

    settings: RoundSettings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def is_comparison(self) -> bool:
        return False

    def note_beginning(self, project: Project) -> None:
        """Write down what there is to learn from, unless the training has ended and knows nothing of it."""
        (state,) = read_states(project, self)
        if state.finished(TRAIN) is None or project.rounds.find(self.name) is None:
            project.rounds.put(self.name, take_stock(project))

    def check(self, project: Project) -> None:
        """Raise UserError where there is nothing to learn from, or to score on."""
        if not self.name:
            raise UserError("The round has no name.", "Give it one, R1 for example.")
        if not project.rounds.n_annotations():
            raise UserError("Nothing is annotated yet, so there is nothing to learn from.", "Click some objects first.")
        require_scored_images(project, purpose="score the rounds on")
        if self.settings.task == "detector":
            way_out = "let a classifier suggest"
            require_complete_images(project, Split.TEST, way_out=way_out)
            if self.settings.detector.source in ("real-boxes", "mix"):
                require_complete_images(project, Split.TRAIN, way_out=f"train on synthetic images, or {way_out}")

    def lay_out(self, project: Project) -> Sequence[PlannedTrial[str]]:
        """The round's jobs; suggestions are left out where every image is annotated completely."""
        names = [TRAIN, EVALUATE]
        if any(fov.split is not Split.TEST and not fov.state.is_complete for fov in project.fovs.list()):
            names.append(SUGGEST)
        stages = tuple(PlannedStage(name, f"{self.name}: {name}", partial(self._job, name)) for name in names)
        return (PlannedTrial(self.name, stages),)

    def _job(self, stage: str, training: str) -> JobSettings:
        if stage == TRAIN:
            return self.settings.training
        if stage == SUGGEST:
            return SuggestSettings(run=training)
        if self.settings.task == "classifier":
            return EvaluateSettings(run=training, split=Split.TEST)
        return EvaluateDetectorSettings(run=training, split=Split.TEST)


@dataclass(frozen=True, slots=True)
class RoundState:
    """How far a round has come, and what it found.

    Attributes:
        settings: None where another version wrote them.
        runs: Its newest run of each stage that was begun.
        n_done, n_jobs: Jobs that are finished and that there are.
        result: Its scores on the test images; None before they are there.
        is_comparable: Its test images, and what is marked on them, are those of the newest round.
        trouble: Why a job failed; empty otherwise.
    """

    record: Round
    settings: RoundSettings | None
    runs: dict[str, Run]
    n_done: int
    n_jobs: int
    result: EvaluateResult | EvaluateDetectorResult | None
    is_comparable: bool
    trouble: str

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.settings is None or self.n_done >= self.n_jobs

    @property
    def training(self) -> RunId | None:
        """The finished training, which is what suggests."""
        run = self.runs.get(TRAIN)
        return run.id if run is not None and self.n_done else None


def next_round(project: Project, settings: RoundSettings) -> RoundPlan:
    """Return the plan of a round with these settings; without a name in them it gets that of the next one.

    A new round that goes on from the last one is told here from which weights: what is stored of it says so ever after.
    """
    if settings.name:
        return RoundPlan(_named(project, settings))
    if settings.goes_on:
        settings = settings.model_copy(update={"begins_with": _newest_weights(project, settings)})
    taken = {record.name for record in project.experiments.list()}
    names = (f"R{number}" for number in itertools.count(len(project.rounds.list()) + 1))
    return RoundPlan(settings.model_copy(update={"name": next(name for name in names if name not in taken)}))


def read_rounds(project: Project) -> tuple[RoundState, ...]:
    """Return all rounds with what they found, oldest first."""
    records = project.rounds.list()
    newest = records[-1].stock.test_state if records else ""
    return tuple(_state_of(project, record, is_comparable=record.stock.test_state == newest) for record in records)


def _named(project: Project, settings: RoundSettings) -> RoundSettings:
    """Where nothing says from which weights it goes on: those of the round of this name, else the newest."""
    if not settings.goes_on or settings.begins_with:
        return settings
    is_new = project.rounds.find(settings.name) is None
    weights = _newest_weights(project, settings) if is_new else stored_round(project, settings.name).begins_with
    return settings.model_copy(update={"begins_with": weights})


def _newest_weights(project: Project, settings: RoundSettings) -> str:
    """Path of the weights of the newest round that has trained the same detector; without one, what is set."""
    for each in reversed(read_rounds(project)):
        if each.training is None or each.settings is None or each.settings.task != "detector":
            continue
        path = project.run_folder(each.training) / BEST_WEIGHTS
        if each.settings.detector.network.name == settings.detector.network.name and path.is_file():
            return str(path)
    return settings.begins_with


def stored_round(project: Project, name: str) -> RoundSettings:
    """Return the settings of a round. Raises NotFound, naming those that exist, and UserError where unreadable."""
    found = plans.stored_plan(plans.get_plan(project, KIND, name))
    assert isinstance(found, RoundSettings)
    return found


def _state_of(project: Project, record: Round, *, is_comparable: bool) -> RoundState:
    try:
        settings = stored_round(project, record.name)
    except UserError:
        return RoundState(record, None, {}, 0, 0, None, is_comparable, "")
    (state,) = read_states(project, RoundPlan(settings))
    scored = state.finished(EVALUATE)
    result = result_of(scored) if scored is not None else None
    return RoundState(
        record=record,
        settings=settings,
        runs=state.runs,
        n_done=state.n_done,
        n_jobs=len(state.stages),
        result=result if isinstance(result, EvaluateResult | EvaluateDetectorResult) else None,
        is_comparable=is_comparable,
        trouble=next((f"{run.title}: {run.message}" for run in state.runs.values() if run.message), ""),
    )
