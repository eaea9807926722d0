"""The commands of an experiment: many jobs one after another, and the table of what they found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project, add_settings, has_settings, recipe_from_arguments
from synthstudio.cli.jobs import cancelled_by_signals, open_to_write
from synthstudio.cli.render import Display, Scalar, print_json, print_lines, print_table
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.experiment import PlannedJob, arm_title, read_trials, run_experiment, stored_experiment
from synthstudio.client.experiment_table import (
    ALL_CLASSES,
    ArmRow,
    ExperimentTable,
    Measure,
    build_table,
)
from synthstudio.client.experiment_times import estimate
from synthstudio.client.experiment_words import figure_words, table_csv, table_json
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from synthstudio.protocol.messages import JobFailed, JobOutcome
from synthstudio.settings.experiment import ExperimentSettings

RUN, TABLE = "experiment", "experiment-table"
EXIT_FAILED = 1


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    if command == TABLE:
        parser.add_argument("name", metavar="NAME", nargs="?", help="the experiment [default: the newest]")
        parser.add_argument("--csv", metavar="FILE", type=Path, help="write the table as CSV, class by class")
        return
    parser.add_argument("recipe_file", metavar="RECIPE.toml", nargs="?", type=Path, help="settings; flags override it")
    parser.add_argument("--resume", metavar="NAME", help="go on with this experiment, with its own settings")
    parser.add_argument("--plan", action="store_true", help="say what would be done and how long it takes; do nothing")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")
    add_settings(RUN, parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if command == TABLE:
        return _show_table(arguments)
    if arguments.plan:
        return _show_plan(arguments)
    given = _given_settings(arguments)
    project = open_to_write(arguments.project)
    try:
        return _run(project, given or _stored(project, arguments.resume), arguments)
    finally:
        project.close()


def _given_settings(arguments: argparse.Namespace) -> ExperimentSettings | None:
    """What recipe and flags say; None where a stored experiment is to be gone on with."""
    if arguments.recipe_file is not None:
        if arguments.recipe is not None or arguments.preset is not None:
            raise WrongUse("Two recipes were given.", "Give one, by its path.")
        arguments.recipe = arguments.recipe_file
    if arguments.resume is not None:
        if has_settings(arguments):
            raise WrongUse("An experiment that is gone on with keeps its settings.", "Leave the other settings out.")
        return None
    settings = recipe_from_arguments(RUN, arguments)
    assert isinstance(settings, ExperimentSettings)  # the recipe's kind has been compared
    return settings


def _stored(project: Project, name: str | None) -> ExperimentSettings:
    if name is not None:
        return stored_experiment(project.experiments.get(name))
    known = project.experiments.list()
    if not known:
        raise UserError(
            f"There is no experiment in {project.folder}.", "Start one with: synthstudio experiment PROJECT."
        )
    return stored_experiment(known[-1])


class _Teller:
    """Tells what the experiment does, on standard error."""

    def __init__(self, project: Project, settings: ExperimentSettings, display: Display) -> None:
        self.trouble = ""
        self.on_event = display.on_event
        self._project = project
        self._settings = settings
        self._display = display

    def job_begins(self, job: PlannedJob, run_id: RunId) -> None:
        states = read_trials(self._project, self._settings)
        done, planned = sum(each.n_done for each in states), sum(len(each.stages) for each in states)
        again = " (resumed)" if job.resume_run is not None else ""
        self._display.note(f"[{done + 1}/{planned}] {job.title}{again}: {run_id}")

    def job_ends(self, job: PlannedJob, outcome: JobOutcome) -> None:
        if isinstance(outcome, JobFailed):
            said = f"{job.title} failed: {outcome.message}"
            self.trouble = self.trouble or said
            self._display.warn(f"{said} {outcome.hint}".strip())


def _run(project: Project, settings: ExperimentSettings, arguments: argparse.Namespace) -> int:
    cancel = HostCancel()
    with Display() as display, cancelled_by_signals(cancel):
        teller = _Teller(project, settings, display)
        failed = run_experiment(project, settings, teller, cancel=cancel, device=arguments.device)
    table = build_table(project, settings, read_trials(project, settings))
    is_complete = not failed and table.n_done == table.n_planned
    status = "finished" if is_complete else "cancelled" if cancel.is_requested else "failed"
    _tell(table, status=status, is_json=arguments.json)
    if is_complete:
        return 0
    reason = teller.trouble or "The experiment was stopped."
    sys.stderr.write(
        f"error: {reason} {table.n_done} of {table.n_planned} jobs are done. The same command goes on with the rest.\n"
    )
    return EXIT_FAILED


def _show_table(arguments: argparse.Namespace) -> int:
    project = Project.open(arguments.project)
    try:
        settings = _stored(project, arguments.name)
        table = build_table(project, settings, read_trials(project, settings))
    finally:
        project.close()
    if arguments.csv is not None:
        write_bytes_atomically(arguments.csv, table_csv(table))
    _tell(table, status="finished" if table.n_done == table.n_planned else "unfinished", is_json=arguments.json)
    return 0


def _show_plan(arguments: argparse.Namespace) -> int:
    given = _given_settings(arguments)
    project = Project.open(arguments.project)
    try:
        settings = given or _stored(project, arguments.resume)
        states = read_trials(project, settings)
        time = estimate(project, settings, states)
    finally:
        project.close()
    planned, done = sum(len(each.stages) for each in states), sum(each.n_done for each in states)
    if arguments.json:
        told = {"experiment": settings.name, "trainings": len(states), "jobs": planned, "done": done}
        print_json({**told, "seconds": round(time.seconds), "is_measured": time.is_measured})
        return 0
    arms = ", ".join(arm_title(settings, arm) for arm in settings.chosen_arms)
    print_lines(
        f"experiment {settings.name}: {arms}; {settings.seeds} seeds; {' and '.join(settings.tasks)}",
        f"{len(states)} trainings, {planned} jobs, {done} of them done",
        f"time left: {time.words}",
    )
    return 0


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
