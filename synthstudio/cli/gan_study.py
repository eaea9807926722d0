"""The commands of a study of GANs: many trainings and measurings, and the table of what they found."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.planning import add_plan_arguments, carry_out, count_jobs, given_settings, newest_plan
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.experiment_words import figure_words
from synthstudio.client.gan_study import GanStudyPlan, estimate_study, get_study, read_study, stored_study
from synthstudio.client.gan_study_table import (
    StudyTable,
    build_study_table,
    differences_line,
    paper_words,
    study_csv,
    study_json,
)
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.project import Project
from synthstudio.settings.gan_study import GanStudySettings

RUN, TABLE = "gan-study", "gan-study-table"


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    if command == TABLE:
        parser.add_argument("name", metavar="NAME", nargs="?", help="the study [default: the newest]")
        parser.add_argument("--csv", metavar="FILE", type=Path, help="write the table as CSV")
        return
    add_plan_arguments(RUN, parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if command == TABLE:
        return _show_table(arguments)
    given = given_settings(RUN, arguments)
    assert given is None or isinstance(given, GanStudySettings)  # the recipe's kind has been compared
    if arguments.plan:
        return _show_plan(given, arguments)
    project = open_to_write(arguments.project)
    try:
        settings = given or _stored(project, arguments.resume)
        states, ending = carry_out(project, GanStudyPlan(settings), device=arguments.device)
        _tell(build_study_table(settings, states), status=ending.status, is_json=arguments.json)
    finally:
        project.close()
    return ending.exit_status()


def _stored(project: Project, name: str | None) -> GanStudySettings:
    return stored_study(get_study(project, name) if name is not None else newest_plan(project, RUN))


def _show_table(arguments: argparse.Namespace) -> int:
    project = Project.open(arguments.project)
    try:
        settings = _stored(project, arguments.name)
        table = build_study_table(settings, read_study(project, settings))
    finally:
        project.close()
    if arguments.csv is not None:
        write_bytes_atomically(arguments.csv, study_csv(table))
    _tell(table, status="finished" if table.n_done == table.n_planned else "unfinished", is_json=arguments.json)
    return 0


def _show_plan(given: GanStudySettings | None, arguments: argparse.Namespace) -> int:
    project = Project.open(arguments.project)
    try:
        settings = given or _stored(project, arguments.resume)
        states = read_study(project, settings)
        time = estimate_study(project, settings, states)
    finally:
        project.close()
    done, planned = count_jobs(states)
    if arguments.json:
        told = {"study": settings.name, "trainings": len(states), "jobs": planned, "done": done}
        print_json({**told, "seconds": round(time.seconds), "is_measured": time.is_measured})
        return 0
    print_lines(
        f"study {settings.name} ({settings.study}): {len(settings.variants)} variants, {settings.seeds} seeds",
        *(f"  {variant.title}" for variant in settings.variants),
        f"{len(states)} trainings, {planned} jobs, {done} of them done",
        f"time left: {time.words}",
    )
    return 0


def _tell(table: StudyTable, *, status: str, is_json: bool) -> None:
    if is_json:
        print_json({"status": status, **study_json(table)})
        return
    features = f"; measured with {table.features}" if table.features else ""
    print_lines(f"study {table.name}: {status}, {table.n_done} of {table.n_planned} jobs{features}")
    has_paper = any(row.paper is not None for row in table.rows)
    columns = ("variant", *(measure.title for measure in table.measures), *(("paper's FID",) if has_paper else ()))
    rows: list[list[Scalar]] = [
        [
            row.title,
            *(figure_words(row.figures.get(measure.key)) for measure in table.measures),
            *([paper_words(row.paper)] if has_paper else []),
        ]
        for row in table.rows
    ]
    if table.floor:
        floor = [figure_words(table.floor[each.key]) if each.key in table.floor else "" for each in table.measures]
        paper = [paper_words(table.paper_floor)] if has_paper else []
        rows.append(["Real against real", *floor, *paper])
    print_table(columns, rows)
    lines = [
        f"{measure.title}: {words}" for measure in table.measures if (words := differences_line(table, measure.key))
    ]
    print_lines(*lines)
    print_lines(*(f"failed: {text}" for text in table.failures), *(f"note: {text}" for text in table.notes))
