"""What is known of the project's experiments. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from synthstudio.client.experiment import TrialState, list_experiments, read_trials, stored_experiment
from synthstudio.client.experiment_table import (
    ALL_CLASSES,
    ArmRow,
    Difference,
    ExperimentTable,
    Figure,
    build_table,
)
from synthstudio.client.experiment_times import estimate
from synthstudio.client.experiment_words import figure_words
from synthstudio.client.plan_facts import PlanFacts
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Experiment
from synthstudio.gui.pages.train.run_colors import run_color
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarSeries
from synthstudio.project import Project
from synthstudio.settings.experiment import ARMS, ExperimentSettings

MAPS_CHANCE, PRESENCE_CHANCE = "by chance", "always “present”"


ExperimentFacts: TypeAlias = PlanFacts[ExperimentSettings, ExperimentTable]


def read_experiments(project: Project) -> list[ExperimentFacts]:
    """Read all experiments of a project, newest first."""
    return [_facts(project, record) for record in reversed(list_experiments(project))]


def _facts(project: Project, record: Experiment) -> ExperimentFacts:
    try:
        settings = stored_experiment(record)
    except UserError:
        return PlanFacts(record)
    states: tuple[TrialState, ...] = read_trials(project, settings)
    return PlanFacts(record, settings, build_table(project, settings, states), estimate(project, settings, states))


def chart_of(table: ExperimentTable, measure: str) -> BarChart:
    """One measure as bars: a group for the mean of all classes and one for each class, a bar for each arm."""
    names = [
        name for name in (ALL_CLASSES, *table.classes) if any((measure, name) in row.figures for row in table.arms)
    ]
    series = tuple(
        BarSeries(row.title, run_color(ARMS.index(row.arm)), tuple(_bar(row.figures, measure, name) for name in names))
        for row in table.arms
    )
    return BarChart(
        groups=tuple(name or "all classes" for name in names),
        series=series,
        baselines=tuple(chance_of(table, measure, name) for name in names),
        baseline_name=PRESENCE_CHANCE if measure == "f1" else MAPS_CHANCE,
    )


def _bar(figures: Mapping[tuple[str, str], Figure], measure: str, name: str) -> Bar:
    figure = figures.get((measure, name))
    if figure is None:
        return Bar(None)
    low, high = figure.ends or (None, None)
    return Bar(figure.mean, low, high)


def chance_of(table: ExperimentTable, measure: str, name: str) -> float | None:
    """What knowing nothing would score: the mean over the arms."""
    found = [figure.chance for row in table.arms if (figure := row.figures.get((measure, name))) is not None]
    known = [chance for chance in found if chance is not None]
    return sum(known) / len(known) if known else None


def arm_tip(table: ExperimentTable, row: ArmRow) -> str:
    """Every seed's own figures, one line for each measure."""
    lines = [row.title]
    for measure in table.measures:
        figure = row.figures.get((measure.key, ALL_CLASSES))
        if figure is not None and figure.values:
            values = ", ".join(f"{value:.3f} (seed {seed})" for seed, value in sorted(figure.values.items()))
            lines.append(f"{measure.title}: {values}")
    return "\n".join(lines)


def whisker_line(table: ExperimentTable, measure: str) -> str:
    """What the whiskers of the chart are; empty where it has none."""
    figures = [figure for row in table.arms if (figure := row.figures.get((measure, ALL_CLASSES))) is not None]
    has_spread = any(figure.sd is not None for figure in figures)
    has_interval = any(figure.sd is None and figure.interval is not None for figure in figures)
    if has_spread and has_interval:
        return "Whiskers: standard deviation over the seeds; with one seed, 95 % interval of the test samples."
    if has_spread:
        return "Whiskers: standard deviation over the seeds."
    return "Whiskers: 95 % interval of the test samples." if has_interval else ""


def differences_line(table: ExperimentTable, measure: str) -> str:
    """How far the arms lie above or below the reference, in one line; empty where nothing can be said."""
    titles = {row.arm: row.title for row in table.arms}
    found = [each for each in table.differences if each.measure == measure]
    if not found:
        return ""
    parts = [f"{titles[each.arm]} {_difference_words(each)}" for each in found]
    return f"Against {titles[found[0].reference].lower()}, seed by seed: {'; '.join(parts)}."


def _difference_words(each: Difference) -> str:
    spread = f" ± {each.sd:.3f}" if each.sd is not None else ""
    seeds = f"{each.n} {'seed' if each.n == 1 else 'seeds'}"
    if each.ci95 is None:
        return f"{each.mean:+.3f}{spread} ({seeds})"
    p = f", p {each.p:.2g}" if each.p is not None else ""
    return f"{each.mean:+.3f}{spread} ({seeds}; by samples {each.ci95[0]:+.2f} to {each.ci95[1]:+.2f}{p})"


def cells_of(table: ExperimentTable, row: ArmRow, measures: tuple[str, ...]) -> tuple[str, ...]:
    """The cells of an arm: number of seeds, then one figure for each measure."""
    n_seeds = max((len(figure.values) for figure in row.figures.values()), default=0)
    figures = (row.figures.get((key, ALL_CLASSES)) for key in measures)
    return (f"{n_seeds} of {table.n_seeds}", *(figure_words(figure, digits=2) for figure in figures))
