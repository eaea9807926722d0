"""Differences of the chosen runs with paired intervals: of their answers, or of where their maps lie. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synthstudio.client.evaluations import compare_maps
from synthstudio.core.evaluation.comparison import Difference, RunComparison, compare_predictions
from synthstudio.core.evaluation.map_comparison import MapComparison
from synthstudio.core.evaluation.predictions import read_predictions
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Split
from synthstudio.gui.pages.train.results_view import RunSelection
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.project import Project

Figure = Literal["f1", "ap", "pointing", "centre", "energy"]
SEED = 0
"""Of the bootstrap, for the window and the command line alike."""
MAX_RUNS = 24
"""More could not be told apart in a chart; they are in the table."""
MACRO = "Macro"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs to be compared, and how they are called."""

    first: TrainingFacts
    first_name: str
    second: TrainingFacts
    second_name: str


@dataclass(frozen=True, slots=True)
class NamedDifference:
    """A difference of a class, or of the mean over all; `only_right` are crops that one run alone got right."""

    name: str
    difference: Difference
    only_right: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True)
class PairDifference:
    """What came of a pair; without rows where it cannot be compared, which the notes explain."""

    pair: Pair
    rows: tuple[NamedDifference, ...]
    notes: tuple[str, ...]


def build_pairs(selection: RunSelection) -> list[Pair]:
    """The chosen run against each other one; of two runs the upper one against the lower one."""
    runs = selection.predicted[:MAX_RUNS]
    if len(runs) < 2:
        return []
    known = {each.run.id: each for each in runs}
    chosen = known.get(selection.chosen.run.id) if selection.chosen is not None else None
    first = chosen if chosen is not None and len(runs) > 2 else runs[0]
    return [
        Pair(first, selection.label_of(first), each, selection.label_of(each)) for each in runs if each is not first
    ]


def compare_pairs(
    project: Project, pairs: Sequence[Pair], *, split: str, figure: Figure, tick: Tick
) -> list[PairDifference]:
    """Compare one figure of each pair; why one cannot be compared stands in its notes."""
    found = []
    for done, pair in enumerate(pairs):
        tick(done, len(pairs))
        try:
            found.append(
                _compare_answers(pair, split, figure)
                if figure in ("f1", "ap")
                else _compare_maps(project, pair, split, figure)
            )
        except UserError as error:
            found.append(PairDifference(pair, (), (f"{pair.second_name}: {error} {error.hint}".strip(),)))
    return found


def _compare_answers(pair: Pair, split: str, figure: Figure) -> PairDifference:
    first, second = (read_predictions(each.predictions[split]) for each in (pair.first, pair.second))
    compared = compare_predictions(first, second, seed=SEED)
    if figure == "ap":
        mean, named = compared.mean_ap, [NamedDifference(each.name, each.ap) for each in compared.per_class]
    else:
        mean = compared.macro_f1
        named = [
            NamedDifference(each.name, each.f1, (each.n_only_first, each.n_only_second)) for each in compared.per_class
        ]
    rows = (NamedDifference(MACRO, mean), *named)
    left_out = f"Not known to both, and left out: {', '.join(compared.left_out)}." if compared.left_out else ""
    what = f"the same {compared.n_rows:,} crops of {compared.n_groups:,} samples"
    return PairDifference(pair, rows, tuple(each for each in (*_notes(what, compared), left_out) if each))


def _compare_maps(project: Project, pair: Pair, split: str, figure: Figure) -> PairDifference:
    compared = compare_maps(project, pair.first.run.id, pair.second.run.id, split=Split(split), seed=SEED)
    if compared is None:
        note = "Where the maps lie was not kept: evaluate the runs again to have it compared."
        return PairDifference(pair, (), (note,))
    if figure == "pointing":
        rows = (
            NamedDifference(MACRO, compared.pointing),
            *(NamedDifference(each.name, each.pointing) for each in compared.per_class),
        )
    else:
        rows = tuple(NamedDifference(each.name, each.energy) for each in compared.per_class)
    return PairDifference(pair, rows, _notes(f"the same crops of {compared.n_groups:,} samples", compared))


def _notes(what: str, compared: RunComparison | MapComparison) -> tuple[str, ...]:
    notes = (f"Paired over {what}; positive: the second is better. p is not corrected for several classes.",)
    if compared.is_reliable:
        return notes
    return (*notes, f"With {compared.n_groups:,} samples the intervals are unreliable.")


def why_unpaired(selection: RunSelection, figure: Figure) -> str:
    """Why there are no differences; empty where there are."""
    if len(selection.runs) < 2:
        return "Select two runs or more in the table above, with Ctrl and a click, to compare them."
    if figure == "centre":
        return "Centres are counted over all images at once: there is no paired interval for them."
    if len(selection.predicted) < 2:
        return "The difference needs the answers on every crop: evaluate the runs again to have them kept."
    return ""
