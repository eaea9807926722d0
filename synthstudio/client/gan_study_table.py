"""What a study of GANs found: every variant's figures over its seeds, beside the floor; as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from synthstudio.client.evaluations import result_of
from synthstudio.client.experiment_table import Figure, mean_and_sd
from synthstudio.client.experiment_times import job_seconds
from synthstudio.client.gan_study import TrialState
from synthstudio.domain.records import Run, Split
from synthstudio.protocol.results import Interval, MeasuredFigure, MeasureResult, TrainGanResult
from synthstudio.settings.gan_study import FULL, GanStudySettings


@dataclass(frozen=True, slots=True)
class GanMeasure:
    """One kind of figure. `help` says what it is, and which way is better."""

    key: str
    title: str
    help: str


MEASURES = (
    GanMeasure("fid", "FID", "Fréchet distance to the real crops in the space of the features; lower is better."),
    GanMeasure("kid", "KID", "Kernel distance to the real crops; unbiased with few images; lower is better."),
    GanMeasure("precision", "Precision", "Share of the synthetic images that lie among the real ones."),
    GanMeasure("recall", "Recall", "Share of the real images that lie among the synthetic ones."),
    GanMeasure("density", "Density", "As precision, but not fooled by outliers; may exceed 1."),
    GanMeasure("coverage", "Coverage", "Share of the real images that have a synthetic one nearby."),
    GanMeasure("image", "L1", "Mean distance to held-out crops of the validation, grey levels; lower is better."),
    GanMeasure("region", "L1 in regions", "The same inside the regions of the condition."),
    GanMeasure("seconds", "Time", "Seconds of one training."),
)
VALIDATION = MappingProxyType({"image": "validation/image", "region": "validation/region"})
"""Measures that a training itself takes: their names in its result."""

PAPER = MappingProxyType(
    {
        "floor": (83.6, 2.5),
        FULL: (122.4, 3.4),
        "checkerboard-mitigation": (151.6, 3.4),
        "region-loss": (174.0, 4.7),
        "feature-matching": (140.7, 2.5),
    }
)
"""FID and half its interval in Ghorbani et al. 2019, by variant: other photographs, other features."""
PAPER_NOTE = (
    "The paper's FIDs (Ghorbani et al. 2019) are of other photographs, cut and measured otherwise: compare the order,"
    " never the numbers."
)
TEST_NOTE = (
    "These variants were compared on the test images: what is chosen by that looks better on them than it is on others."
)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One variant: measure -> figure over its seeds. `paper` is its FID and half interval there, where it has one."""

    key: str
    title: str
    figures: Mapping[str, Figure]
    paper: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class VariantDifference:
    """How far a variant of an ablation lies above the full training, by seeds that both have.

    Attributes:
        sd: Of the seeds' own differences (n - 1); None with fewer than two.
    """

    variant: str
    measure: str
    mean: float
    sd: float | None
    n: int


@dataclass(frozen=True, slots=True)
class StudyTable:
    """All that a study found so far.

    Attributes:
        n_done, n_planned: Jobs.
        measures: Those that some variant has a figure for.
        floor: What real images score against other real ones: mean over the measurings, and its interval.
        features: What the distances were measured with.
        is_comparable: Whether they may be compared with published FIDs.
        seconds: What the finished jobs took.
        notes: What a reader must know before trusting the figures.
    """

    name: str
    study: str
    n_done: int
    n_planned: int
    n_seeds: int
    measures: tuple[GanMeasure, ...]
    rows: tuple[StudyRow, ...]
    floor: Mapping[str, Figure]
    features: str
    is_comparable: bool
    seconds: float
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    differences: tuple[VariantDifference, ...] = ()

    @property
    def paper_floor(self) -> tuple[float, float] | None:
        """The paper's own floor, where its variants are those of this study."""
        return PAPER["floor"] if self.study == "ablation" else None


@dataclass(frozen=True, slots=True)
class _Scored:
    """What one trial gave."""

    seed: int
    figures: Mapping[str, MeasuredFigure]
    own: Mapping[str, float]


def build_study_table(settings: GanStudySettings, states: Sequence[TrialState]) -> StudyTable:
    """Gather the figures of all finished jobs of a study."""
    scored: dict[str, list[_Scored]] = {}
    for state in states:
        scored.setdefault(state.trial.variant, []).append(_scored(state))
    is_ablation = settings.study == "ablation"
    rows = tuple(
        StudyRow(
            variant.key,
            variant.title,
            _figures(scored.get(variant.key, ())),
            PAPER.get(variant.key) if is_ablation else None,
        )
        for variant in settings.variants
    )
    results = [result for state in states if (result := _measured(state)) is not None]
    newest = results[-1] if results else None
    known = {key for row in rows for key in row.figures}
    return StudyTable(
        name=settings.name,
        study=settings.study,
        n_done=sum(state.n_done for state in states),
        n_planned=sum(len(state.stages) for state in states),
        n_seeds=settings.seeds,
        measures=tuple(measure for measure in MEASURES if measure.key in known),
        rows=rows,
        floor=_floor([each for group in scored.values() for each in group]),
        features=newest.features if newest is not None else "",
        is_comparable=newest is not None and newest.is_published,
        seconds=sum(job_seconds(run) or 0.0 for state in states for run in state.runs.values()),
        failures=tuple(f"{run.title}: {run.message}" for state in states for run in _failed(state)),
        notes=_notes(settings, results),
        differences=tuple(_differences(rows)) if is_ablation else (),
    )


def _scored(state: TrialState) -> _Scored:
    own: dict[str, float] = {}
    training = state.finished("train")
    result = result_of(training) if training is not None else None
    if isinstance(result, TrainGanResult):
        own["seconds"] = result.seconds
        for key, name in VALIDATION.items():
            value = result.best.get(name)
            if value is not None:
                own[key] = value
    measured = _measured(state)
    return _Scored(state.trial.seed, dict(measured.overall.figures) if measured is not None else {}, own)


def _measured(state: TrialState) -> MeasureResult | None:
    run = state.finished("measure")
    result = result_of(run) if run is not None else None
    return result if isinstance(result, MeasureResult) else None


def _figures(trials: Sequence[_Scored]) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for measure in MEASURES:
        values = {each.seed: value for each in trials if (value := _value(each, measure.key)) is not None}
        if not values:
            continue
        floors = [figure.floor for each in trials if (figure := each.figures.get(measure.key)) is not None]
        mean, sd = mean_and_sd(list(values.values()))
        interval = _only_interval(trials, measure.key) if len(values) == 1 else None
        found[measure.key] = Figure(values, mean, sd, interval, mean_and_sd(floors)[0])
    return found


def _value(trial: _Scored, key: str) -> float | None:
    figure = trial.figures.get(key)
    return figure.mean if figure is not None else trial.own.get(key)


def _only_interval(trials: Sequence[_Scored], key: str) -> Interval | None:
    return next((figure.ci95 for each in trials if (figure := each.figures.get(key)) is not None), None)


def _differences(rows: Sequence[StudyRow]) -> Iterator[VariantDifference]:
    """Every variant against the full training, seed by seed."""
    full, *others = rows
    for row in others:
        for measure in MEASURES:
            ours, theirs = row.figures.get(measure.key), full.figures.get(measure.key)
            if ours is None or theirs is None:
                continue
            pairs = [value - theirs.values[seed] for seed, value in ours.values.items() if seed in theirs.values]
            mean, sd = mean_and_sd(pairs)
            if mean is not None:
                yield VariantDifference(row.key, measure.key, mean, sd, len(pairs))


def _floor(trials: Sequence[_Scored]) -> dict[str, Figure]:
    """Real against real. All trainings with one seed of the measuring share it; the mean, should it differ."""
    found: dict[str, Figure] = {}
    for measure in MEASURES:
        figures = [figure for each in trials if (figure := each.figures.get(measure.key)) is not None]
        if figures:
            mean, _ = mean_and_sd([figure.floor for figure in figures])
            found[measure.key] = Figure({}, mean, None, figures[0].floor_ci95, None)
    return found


def _notes(settings: GanStudySettings, results: Sequence[MeasureResult]) -> tuple[str, ...]:
    """What all measurings say to their readers, and how the figures are to be read."""
    shared = [note for note in results[0].notes if all(note in each.notes for each in results)] if results else []
    if settings.study == "ablation":
        return (*shared, PAPER_NOTE)
    return (*shared, TEST_NOTE) if settings.measure.split is Split.TEST else tuple(shared)


def _failed(state: TrialState) -> list[Run]:
    return [run for run in state.runs.values() if run.message]


def paper_words(paper: tuple[float, float] | None) -> str:
    """The paper's FID of a variant, for a cell; empty where it has none."""
    return f"{paper[0]:g} ± {paper[1]:g}" if paper is not None else ""


def differences_line(table: StudyTable, key: str) -> str:
    """How far the variants lie above the full training in one measure; empty where nothing can be said."""
    titles = {row.key: row.title for row in table.rows}
    found = [each for each in table.differences if each.measure == key]
    if not found:
        return ""
    return f"Against full, seed by seed: {'; '.join(f'{titles[each.variant]} {_above(each)}' for each in found)}."


def _above(each: VariantDifference) -> str:
    spread = f" ± {each.sd:.3g}" if each.sd is not None else ""
    return f"{each.mean:+.3g}{spread} ({each.n} {'seed' if each.n == 1 else 'seeds'})"


def study_json(table: StudyTable) -> dict[str, object]:
    """The table as one JSON object; undefined figures are null."""
    return {
        "study": table.name,
        "of": table.study,
        "jobs": {"done": table.n_done, "planned": table.n_planned},
        "seeds": table.n_seeds,
        "seconds": round(table.seconds, 1),
        "features": {"name": table.features, "is_comparable": table.is_comparable},
        "floor": {key: _told(figure) for key, figure in table.floor.items()},
        "variants": [
            {
                "variant": row.key,
                "title": row.title,
                "measures": {key: _told(figure) for key, figure in row.figures.items()},
                "fid_of_the_paper": row.paper[0] if row.paper is not None else None,
            }
            for row in table.rows
        ],
        "differences": [
            {"variant": each.variant, "measure": each.measure, "mean": each.mean, "sd": each.sd, "n": each.n}
            for each in table.differences
        ],
        "failures": list(table.failures),
        "notes": list(table.notes),
    }


def _told(figure: Figure) -> dict[str, object]:
    values = [{"seed": seed, "value": value} for seed, value in figure.values.items()]
    return {"mean": figure.mean, "sd": figure.sd, "ci95": figure.interval, "values": values}


def study_csv(table: StudyTable) -> bytes:
    """The table as CSV, one line for each variant and measure, the floor first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["study", "variant", "measure", "mean", "sd", "ci95_low", "ci95_high", "seeds"])
    rows = [("real against real", table.floor), *((row.title, row.figures) for row in table.rows)]
    for title, figures in rows:
        for measure in table.measures:
            figure = figures.get(measure.key)
            if figure is not None:
                low, high = figure.interval or (None, None)
                numbers = (figure.mean, figure.sd, low, high)
                cells = ["" if number is None else f"{number:.6g}" for number in numbers]
                writer.writerow([table.name, title, measure.title, *cells, len(figure.values) or ""])
    return text.getvalue().encode()
