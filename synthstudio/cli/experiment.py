"""The commands of an experiment: many jobs one after another, and the table of what they found."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from synthstudio.cli.arguments import add_project
from synthstudio.cli.plan_commands import Outlook, PlanCommand, TableCommand
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.experiment import (
    KIND,
    ExperimentPlan,
    arm_title,
    get_experiment,
    read_trials,
    stored_experiment,
)
from synthstudio.client.experiment_table import (
    ALL_CLASSES,
    ArmRow,
    ExperimentTable,
    Measure,
    build_table,
)
from synthstudio.client.experiment_times import estimate
from synthstudio.client.experiment_words import figure_words, table_csv, table_json
from synthstudio.project import Project
from synthstudio.settings.experiment import ExperimentSettings

TABLE = "experiment-table"


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    (_TABLE if command == TABLE else _RUN).add_arguments(parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    return (_TABLE if command == TABLE else _RUN).execute(arguments)


def _planned(_project: Project, settings: ExperimentSettings) -> ExperimentPlan:
    return ExperimentPlan(settings)


def _stored(project: Project, name: str) -> ExperimentPlan:
    return ExperimentPlan(stored_experiment(get_experiment(project, name)))


def _outlook(project: Project, plan: ExperimentPlan, *, jobs: str) -> Outlook:
    settings = plan.settings
    states = read_trials(project, settings)
    arms = ", ".join(arm_title(settings, arm) for arm in settings.chosen_arms)
    lines = (
        f"experiment {settings.name}: {arms}; {settings.seeds} seeds; {' and '.join(settings.tasks)}",
        f"{len(states)} trainings, {jobs}",
    )
    told: dict[str, object] = {"experiment": settings.name, "trainings": len(states)}
    return Outlook(told, lines, estimate(project, settings, states))


def _read(project: Project, plan: ExperimentPlan) -> ExperimentTable:
    return build_table(project, plan.settings, read_trials(project, plan.settings))


def _tell_found(project: Project, plan: ExperimentPlan, *, status: str, is_json: bool) -> None:
    _tell(_read(project, plan), status=status, is_json=is_json)


def _tell(table: ExperimentTable, *, status: str, is_json: bool) -> None:
    if is_json:
        print_json({"status": status, **table_json(table)})
        return
    print_lines(
        f"experiment {table.name}: {status}, {table.n_done} of {table.n_planned} jobs; {table.n_images} test images of"
        f" {table.n_samples} samples; mean ± standard deviation over up to {table.n_seeds} seeds"
    )
    _print_overall(table)
    for measure in table.measures:
        _print_classes(table, measure)
    _print_differences(table)
    print_lines(*(f"failed: {text}" for text in table.failures), *(f"note: {text}" for text in table.notes))


def _print_overall(table: ExperimentTable) -> None:
    rows: list[list[Scalar]] = [
        [row.title, _n_seeds(row), *(figure_words(row.figures.get((each.key, ALL_CLASSES))) for each in table.measures)]
        for row in table.arms
    ]
    chances = [_chance(table.arms, measure.key, ALL_CLASSES) for measure in table.measures]
    if any(chances):
        rows.append(["by chance", None, *chances])
    print_table(("trained on", "seeds", *(measure.title for measure in table.measures)), rows)


def _print_classes(table: ExperimentTable, measure: Measure) -> None:
    """A line for each class, of which there may be dozens; the arms are few."""
    print_lines("")
    rows: list[list[Scalar]] = [
        [
            name,
            *(figure_words(row.figures.get((measure.key, name))) for row in table.arms),
            _chance(table.arms, measure.key, name),
        ]
        for name in table.classes
    ]
    by_chance = "always present" if measure.key == "f1" else "by chance"
    columns = (f"{measure.title} by class", *(row.title for row in table.arms), by_chance)
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows)


def _print_differences(table: ExperimentTable) -> None:
    if not table.differences:
        return
    titles = {row.arm: row.title for row in table.arms}
    words = {measure.key: measure.title for measure in table.measures}
    rows: list[list[Scalar]] = [
        [
            titles[each.arm],
            words[each.measure],
            f"{each.mean:+.3f}",
            f"{each.sd:.3f}" if each.sd is not None else "",
            each.n,
            f"{each.ci95[0]:+.3f} to {each.ci95[1]:+.3f}" if each.ci95 is not None else "",
            f"{each.p:.2g}" if each.p is not None else "",
        ]
        for each in table.differences
    ]
    print_lines("")
    against = titles[table.differences[0].reference].lower()
    print_table((f"against {against}", "score", "difference", "± seeds", "seeds", "95 % by samples", "p"), rows)


def _n_seeds(row: ArmRow) -> int:
    return max((len(figure.values) for figure in row.figures.values()), default=0)


def _chance(arms: Sequence[ArmRow], key: str, name: str) -> str:
    found = [figure.chance for row in arms if (figure := row.figures.get((key, name))) and figure.chance is not None]
    return f"{sum(found) / len(found):.3f}" if found else ""


_RUN = PlanCommand(
    kind=KIND,
    settings=ExperimentSettings,
    planned=_planned,
    stored=_stored,
    outlook=_outlook,
    tell=_tell_found,
)
_TABLE = TableCommand(
    kind=KIND,
    csv_help="write the table as CSV, class by class",
    read=lambda project, name: _read(project, _stored(project, name)),
    to_csv=table_csv,
    tell=_tell,
)
