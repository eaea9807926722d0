"""What an experiment found: every arm's scores over its seeds, and how far the arms are apart, seed by seed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from synthstudio.client.evaluations import result_of
from synthstudio.client.experiment import TrialState, arm_title
from synthstudio.client.experiment_pairs import compare_arms
from synthstudio.client.experiment_times import job_seconds
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Run
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateDetectorResult, EvaluateResult, Interval
from synthstudio.settings.experiment import ArmName, ExperimentSettings, Task

ALL_CLASSES = ""
"""In place of a class's name: the mean of all classes."""

OWN_REMARKS = "Some evaluations have remarks of their own, which stand with their runs."


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of score. `help` says what it is."""

    key: str
    task: Task
    title: str
    help: str


MEASURES = (
    Measure("f1", "classifier", "Presence F1", "Which classes are on a crop, at thresholds chosen on validation."),
    Measure("pointing", "classifier", "Pointing", "How often the hottest place of the map lies on an object."),
    Measure("center_f1", "classifier", "Centre F1", "Peaks of the map against annotated centres."),
    Measure("energy", "classifier", "Energy in boxes", "Share of the map's heat that lies on objects of its class."),
    Measure("box_f1", "detector", "Box F1", "Boxes at IoU .5, at thresholds chosen on validation."),
    Measure("ap50", "detector", "AP50", "Average precision of boxes at IoU .5."),
    Measure("ap", "detector", "AP50:95", "Average precision of boxes, mean over IoU .5 to .95."),
)


@dataclass(frozen=True, slots=True)
class Score:
    """One score of one trained model; `chance` is what a map that knows nothing would get."""

    value: float | None
    ci95: Interval | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One score of an arm over its seeds.

    Attributes:
        values: By seed, as far as they are known and defined.
        sd: Standard deviation over the seeds (n - 1); None with fewer than two.
        interval: 95 %, from resampling the samples of the test split, of the only seed; None with several seeds.
        chance: What a map that knows nothing would get, where that is known.
    """

    values: Mapping[int, float]
    mean: float | None
    sd: float | None
    interval: Interval | None
    chance: float | None

    @property
    def ends(self) -> Interval | None:
        """Where its whisker ends: one standard deviation to each side, or the interval of the only seed."""
        if self.mean is None or self.sd is None:
            return self.interval
        return self.mean - self.sd, self.mean + self.sd


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm: (measure, class or ALL_CLASSES) -> figure."""

    arm: ArmName
    title: str
    figures: Mapping[tuple[str, str], Figure]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an arm lies above the reference, by seeds that both have.

    Attributes:
        ci95, p: Of macro F1, by resampling the samples of the test split, the same draws for both arms, over all
            these seeds; None for other measures, and where no answers are stored.
    """

    arm: ArmName
    reference: ArmName
    measure: str
    mean: float
    sd: float | None
    n: int
    ci95: Interval | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class ExperimentTable:
    """All that an experiment found so far.

    Attributes:
        n_done, n_planned: Jobs.
        measures: Those that some arm has a figure for.
        classes: Names of the classes.
        seconds: What the finished jobs took.
        notes: What a reader must know before trusting the figures.
    """

    name: str
    n_done: int
    n_planned: int
    n_seeds: int
    measures: tuple[Measure, ...]
    classes: tuple[str, ...]
    arms: tuple[ArmRow, ...]
    differences: tuple[Difference, ...]
    seconds: float
    n_images: int
    n_samples: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]


_PAIRED: Mapping[str, Task] = {"f1": "classifier", "box_f1": "detector"}
Result = EvaluateResult | EvaluateDetectorResult


def build_table(project: Project, settings: ExperimentSettings, states: Sequence[TrialState]) -> ExperimentTable:
    """Gather the scores of all finished evaluations of an experiment."""
    results = [(state, result) for state in states if (result := _result(state.finished("evaluate"))) is not None]
    scores = [(state, scores_of(result)) for state, result in results]
    arms = tuple(ArmRow(arm, arm_title(settings, arm), _figures(arm, scores)) for arm in settings.chosen_arms)
    known = {key for row in arms for key, _ in row.figures}
    newest = results[-1][1] if results else None
    return ExperimentTable(
        name=settings.name,
        n_done=sum(state.n_done for state in states),
        n_planned=sum(len(state.stages) for state in states),
        n_seeds=settings.seeds,
        measures=tuple(measure for measure in MEASURES if measure.key in known),
        classes=_classes(arms),
        arms=arms,
        differences=tuple(_with_intervals(project, states, each) for each in _differences(arms)),
        seconds=sum(job_seconds(run) or 0.0 for state in states for run in state.runs.values()),
        n_images=newest.n_images if newest is not None else 0,
        n_samples=newest.n_groups if newest is not None else 0,
        failures=tuple(f"{run.title}: {run.message}" for state in states for run in _failed(state)),
        notes=_notes(results),
    )


def _notes(results: Sequence[tuple[TrialState, Result]]) -> tuple[str, ...]:
    """What all evaluations of a task say to their readers; what some alone say stands with their own runs."""
    said: dict[Task, list[tuple[str, ...]]] = {}
    for state, result in results:
        said.setdefault(state.trial.task, []).append(result.notes)
    shared = {task: [note for note in each[0] if all(note in notes for notes in each)] for task, each in said.items()}
    has_more = any(set(notes) - set(shared[task]) for task, each in said.items() for notes in each)
    found = dict.fromkeys(note for notes in shared.values() for note in notes)
    return (*found, *((OWN_REMARKS,) if has_more else ()))


def scores_of(result: Result) -> dict[tuple[str, str], Score]:
    """Take the scores of one evaluation apart."""
    return _detector_scores(result) if isinstance(result, EvaluateDetectorResult) else _classifier_scores(result)


def _classifier_scores(result: EvaluateResult) -> dict[tuple[str, str], Score]:
    presence, places = result.classification, result.localization
    energies = [each.energy_chance for each in places.per_class.values() if each.energy_chance is not None]
    energy_chance = sum(energies) / len(energies) if energies else None
    found = {
        ("f1", ALL_CLASSES): Score(presence.macro_f1, presence.ci95),
        ("pointing", ALL_CLASSES): Score(places.pointing_accuracy, chance=places.chance),
        ("center_f1", ALL_CLASSES): Score(places.center.f1),
        ("energy", ALL_CLASSES): Score(places.energy_in_box, chance=energy_chance),
    }
    for name, each in presence.per_class.items():
        found["f1", name] = Score(each.f1, each.ci95, each.prevalence_f1)
    for name, place in places.per_class.items():
        found["pointing", name] = Score(place.pointing_accuracy, place.ci95, place.chance)
        found["center_f1", name] = Score(place.center.f1)
        found["energy", name] = Score(place.energy_in_box, chance=place.energy_chance)
    return found


def _detector_scores(result: EvaluateDetectorResult) -> dict[tuple[str, str], Score]:
    found = {
        ("box_f1", ALL_CLASSES): Score(result.macro_f1, result.ci95),
        ("ap50", ALL_CLASSES): Score(result.map50),
        ("ap", ALL_CLASSES): Score(result.map),
    }
    for name, each in result.per_class.items():
        found["box_f1", name] = Score(each.f1, each.ci95)
        found["ap50", name] = Score(each.ap50)
        found["ap", name] = Score(each.ap)
    return found


def _figures(
    arm: ArmName, scores: Sequence[tuple[TrialState, Mapping[tuple[str, str], Score]]]
) -> dict[tuple[str, str], Figure]:
    by_place: dict[tuple[str, str], dict[int, Score]] = {}
    for state, found in scores:
        if state.trial.arm == arm:
            for place, score in found.items():
                by_place.setdefault(place, {})[state.trial.seed] = score
    return {place: _figure(found) for place, found in by_place.items()}


def _figure(scores: Mapping[int, Score]) -> Figure:
    values = {seed: score.value for seed, score in scores.items() if score.value is not None}
    chances = [score.chance for score in scores.values() if score.chance is not None]
    only = next(iter(scores.values())) if len(scores) == 1 else None
    mean, sd = mean_and_sd(list(values.values()))
    return Figure(
        values=values,
        mean=mean,
        sd=sd,
        interval=only.ci95 if only is not None else None,
        chance=sum(chances) / len(chances) if chances else None,
    )


def mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and standard deviation (n - 1); None where there are too few values."""
    if not values:
        return None, None
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _differences(arms: Sequence[ArmRow]) -> Iterator[Difference]:
    """Every arm against the first one that is there: "real", where it is a part of the experiment."""
    reference = next((row for row in arms if row.arm == "real"), arms[0])
    for row in arms:
        if row is reference:
            continue
        for measure in MEASURES:
            ours, theirs = (each.figures.get((measure.key, ALL_CLASSES)) for each in (row, reference))
            if ours is None or theirs is None:
                continue
            pairs = [value - theirs.values[seed] for seed, value in ours.values.items() if seed in theirs.values]
            mean, sd = mean_and_sd(pairs)
            if mean is not None:
                yield Difference(row.arm, reference.arm, measure.key, mean, sd, len(pairs))


def _with_intervals(project: Project, states: Sequence[TrialState], difference: Difference) -> Difference:
    """Add what the stored answers say about a difference in F1."""
    task = _PAIRED.get(difference.measure)
    if task is None:
        return difference
    first, second = (_evaluations(states, task, arm) for arm in (difference.reference, difference.arm))
    seeds = sorted(first.keys() & second.keys())
    try:
        found = compare_arms(project, [first[seed] for seed in seeds], [second[seed] for seed in seeds])
    except UserError:  # a file that was taken away or damaged: the seeds still tell something
        return difference
    return dataclasses.replace(difference, ci95=found.ci95, p=found.p) if found is not None else difference


def _evaluations(states: Sequence[TrialState], task: Task, arm: ArmName) -> dict[int, Run]:
    chosen = [state for state in states if (state.trial.task, state.trial.arm) == (task, arm)]
    return {state.trial.seed: run for state in chosen if (run := state.finished("evaluate")) is not None}


def _classes(arms: Sequence[ArmRow]) -> tuple[str, ...]:
    names = (name for row in arms for _, name in row.figures if name != ALL_CLASSES)
    return tuple(dict.fromkeys(names))


def _failed(state: TrialState) -> Iterator[Run]:
    for run in state.runs.values():
        if run.message:
            yield run


def _result(run: Run | None) -> Result | None:
    found = result_of(run) if run is not None else None
    return found if isinstance(found, EvaluateResult | EvaluateDetectorResult) else None
