"""What is known of the project's rounds. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthstudio.client.experiment_times import Estimate
from synthstudio.client.plans import list_plans
from synthstudio.client.round_curve import curve_of, score_of, score_words
from synthstudio.client.round_suggestions import RoundScores, score_round_suggestions
from synthstudio.client.round_times import estimate_round
from synthstudio.client.rounds import KIND, RoundPlan, RoundState, read_rounds
from synthstudio.core.suggestions.learning import LearningPoint
from synthstudio.domain.suggestions import SuggestionCounts
from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.curve_plot import Curve
from synthstudio.gui.widgets.score_table import ScoreRow
from synthstudio.project import Project

Cost = Literal["annotations", "actions", "minutes"]
COST_WORDS: dict[Cost, str] = {
    "annotations": "Annotations",
    "actions": "Actions of experts",
    "minutes": "Expert minutes",
}
_COSTS: dict[Cost, Callable[[LearningPoint], float]] = {
    "annotations": lambda point: float(point.n_annotations),
    "actions": lambda point: float(point.n_actions),
    "minutes": lambda point: point.expert_s / 60,
}
_NO_ENDS = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class RoundsFacts:
    """All rounds, and what there would be for the next one.

    Attributes:
        n_annotations: Now.
        suggested: What became of the suggestions of each round's model, by the name of the round.
        scored: How good they were, for rounds whose suggestions somebody has worked with.
        time_left: Of the newest round, where it is not finished.
        names: Names of all plans, so that the next round gets a free one.
        colors: Of the classes, by name.
    """

    rounds: tuple[RoundState, ...]
    n_annotations: int
    suggested: dict[str, SuggestionCounts]
    scored: RoundScores
    time_left: Estimate | None
    names: frozenset[str]
    colors: Mapping[str, str]

    @property
    def newest(self) -> RoundState | None:
        return self.rounds[-1] if self.rounds else None

    @property
    def n_new(self) -> int:
        """How many annotations more there are than the newest round began with."""
        return self.n_annotations - (self.newest.record.stock.n_annotations if self.newest is not None else 0)


def read_round_facts(project: Project) -> RoundsFacts:
    """Read all rounds of a project."""
    rounds = read_rounds(project)
    newest = rounds[-1] if rounds else None
    is_left = newest is not None and not newest.is_complete and newest.settings is not None
    return RoundsFacts(
        rounds=rounds,
        n_annotations=project.rounds.n_annotations(),
        suggested={each.name: _judged(project, each) for each in rounds},
        scored=score_round_suggestions(project, rounds),
        time_left=estimate_round(project, RoundPlan(newest.settings))
        if is_left and newest is not None and newest.settings is not None
        else None,
        names=frozenset(record.name for record in list_plans(project, KIND)),
        colors={each.name: each.color for each in project.classes.list()},
    )


def _judged(project: Project, each: RoundState) -> SuggestionCounts:
    if each.training is None:
        return SuggestionCounts()
    counts = project.suggestions.counts_by_class(each.training).values()
    return SuggestionCounts(
        sum(count.n_open for count in counts),
        sum(count.n_accepted for count in counts),
        sum(count.n_rejected for count in counts),
    )


def curves(
    rounds: Sequence[RoundState], key: str, names: Sequence[str], cost: Cost, *, colors: Mapping[str, str]
) -> tuple[Curve, ...]:
    """The learning curve of a measure as lines, each with its intervals.

    Args:
        rounds: Oldest first.
        key: Of the measure.
        names: Classes; an empty name stands for the mean of all.
        cost: What the score is drawn against.
        colors: Of the classes; what has none is drawn in that of texts.
    """
    found = []
    for name in names:
        points = sorted((each.point for each in curve_of(rounds, key, name)), key=_COSTS[cost])
        if points:
            found.append(
                Curve(
                    name or "all classes",
                    colors.get(name, current_theme().text),
                    np.array([_COSTS[cost](point) for point in points], np.float64),
                    np.array([point.score for point in points], np.float64),
                    ends=np.array([point.ci95 or _NO_ENDS for point in points], np.float64),
                    has_points=True,
                )
            )
    return tuple(found)


def rows_of(facts: RoundsFacts, key: str) -> list[ScoreRow]:
    """A row for each round, newest first."""
    return [_row(facts, each, key) for each in reversed(facts.rounds)]


def _row(facts: RoundsFacts, each: RoundState, key: str) -> ScoreRow:
    stock, judged, scores = each.record.stock, facts.suggested[each.name], facts.scored.get(each.name)
    honest = scores.honest if scores is not None else None
    cells = (
        each.record.created_at[5:16].replace("T", " "),
        f"{stock.n_annotations:,}",
        f"{stock.n_complete:,}",
        f"{stock.n_actions:,}",
        f"{stock.expert_s / 60:.0f}",
        score_words(score_of(each, key), digits=2),
        f"{judged.n_accepted:,}",
        f"{judged.n_rejected:,}",
        f"{judged.n_open:,}",
        score_words(honest.precision if honest is not None else None, digits=2),
        score_words(honest.recall if honest is not None else None, digits=2),
    )
    tip = "" if each.is_comparable else "Scored on other test images, or other marks on them: not on the curve."
    return ScoreRow(each.name if each.is_comparable else f"{each.name} *", cells, tip=each.trouble or tip)


def seeing_words(facts: RoundsFacts) -> str:
    """What seeing suggestions did in the newest round with whose suggestions somebody has worked; else nothing."""
    name = next((each.name for each in reversed(facts.rounds) if each.name in facts.scored), None)
    return f"{name}: {facts.scored[name].words}" if name is not None else ""


def state_words(facts: RoundsFacts, *, job_title: str) -> str:
    """How far the newest round is, and what is new since."""
    newest = facts.newest
    if newest is None:
        return f"{facts.n_annotations:,} annotations to learn from."
    if newest.settings is None:
        return "Another version of the program planned the newest round."
    parts = [f"{newest.name}: {newest.n_done} of {newest.n_jobs} jobs are done"]
    if facts.time_left is not None:
        parts.append(f"time left {facts.time_left.words}")
    parts.append(f"{facts.n_new:+,} annotations since it began")
    now = f" Now: {job_title}." if job_title else ""
    return f"{', '.join(parts)}.{now}"
