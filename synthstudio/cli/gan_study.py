"""The commands of a study of GANs: many trainings and measurings, and the table of what they found."""

from __future__ import annotations

import argparse

from synthstudio.cli.arguments import add_project
from synthstudio.cli.plan_commands import Outlook, PlanCommand, TableCommand
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.experiment_words import figure_words
from synthstudio.client.gan_study import KIND, GanStudyPlan, estimate_study, get_study, read_study, stored_study
from synthstudio.client.gan_study_table import (
    StudyTable,
    build_study_table,
    differences_line,
    paper_words,
    study_csv,
    study_json,
)
from synthstudio.project import Project
from synthstudio.settings.gan_study import GanStudySettings

TABLE = "gan-study-table"


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    (_TABLE if command == TABLE else _RUN).add_arguments(parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    return (_TABLE if command == TABLE else _RUN).execute(arguments)


def _planned(_project: Project, settings: GanStudySettings) -> GanStudyPlan:
    return GanStudyPlan(settings)


def _stored(project: Project, name: str) -> GanStudyPlan:
    return GanStudyPlan(stored_study(get_study(project, name)))


def _outlook(project: Project, plan: GanStudyPlan, *, jobs: str) -> Outlook:
    settings = plan.settings
    states = read_study(project, settings)
    lines = (
        f"study {settings.name} ({settings.study}): {len(settings.variants)} variants, {settings.seeds} seeds",
        *(f"  {variant.title}" for variant in settings.variants),
        f"{len(states)} trainings, {jobs}",
    )
    told: dict[str, object] = {"study": settings.name, "trainings": len(states)}
    return Outlook(told, lines, estimate_study(project, settings, states))


def _read(project: Project, plan: GanStudyPlan) -> StudyTable:
    return build_study_table(plan.settings, read_study(project, plan.settings))


def _tell_found(project: Project, plan: GanStudyPlan, *, status: str, is_json: bool) -> None:
    _tell(_read(project, plan), status=status, is_json=is_json)


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


_RUN = PlanCommand(
    kind=KIND,
    settings=GanStudySettings,
    planned=_planned,
    stored=_stored,
    outlook=_outlook,
    tell=_tell_found,
)
_TABLE = TableCommand(
    kind=KIND,
    csv_help="write the table as CSV",
    read=lambda project, name: _read(project, _stored(project, name)),
    to_csv=study_csv,
    tell=_tell,
)
