"""The commands of recipes: one job of any kind, or a batch of many; and the table of what a batch has done."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import do_job, open_to_write
from synthstudio.cli.planning import add_course_arguments, carry_out_course, newest_plan
from synthstudio.cli.render import Scalar, print_json, print_lines, print_table
from synthstudio.client.batch_words import BatchTable, batch_json, build_batch_table, took_words
from synthstudio.client.batches import KIND, BatchCourse, StepStatus, stored_batch
from synthstudio.client.plan_status import status_of
from synthstudio.client.plans import get_plan, was_cancelled
from synthstudio.project import Project
from synthstudio.settings.batch import BatchSettings
from synthstudio.settings.recipe import job_settings, read_recipe

RUN, TABLE = "run", "batch"


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of one of the commands."""
    add_project(parser)
    if command == TABLE:
        parser.add_argument("name", metavar="NAME", nargs="?", help="the batch [default: the newest]")
        return
    parser.add_argument(
        "recipe", metavar="RECIPE.toml", type=Path, help="settings of a job, its kind included, or a batch"
    )
    parser.add_argument("--replace", action="store_true", help="replace a set of the same name; not of a batch")
    parser.add_argument("--plan", action="store_true", help="of a batch: say what would be done; do nothing")
    add_course_arguments(parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    if command == TABLE:
        return _show(arguments.project, None, arguments)
    recipe = read_recipe(arguments.recipe)
    if not isinstance(recipe, BatchSettings):
        if arguments.until is not None or arguments.plan:
            raise WrongUse("--until and --plan are for a batch; this is one job.", "Leave them out.")
        return do_job(job_settings(recipe, origin=str(arguments.recipe)), arguments)
    if arguments.replace:
        raise WrongUse("A batch goes on with what is unfinished and replaces nothing.", "Leave --replace out.")
    if arguments.plan:
        return _show(arguments.project, BatchCourse(recipe), arguments)
    return _run(BatchCourse(recipe), arguments)


def _run(course: BatchCourse, arguments: argparse.Namespace) -> int:
    project = open_to_write(arguments.project)
    try:

        def count() -> tuple[int, int]:
            table = build_batch_table(project, course)
            return table.n_done, table.n_jobs

        ending = carry_out_course(project, course, count, device=arguments.device, until=arguments.until)
        _tell(build_batch_table(project, course), status=ending.status, is_json=arguments.json)
    finally:
        project.close()
    return ending.exit_status()


def _show(folder: Path, course: BatchCourse | None, arguments: argparse.Namespace) -> int:
    project = Project.open(folder)
    try:
        if course is None:
            record = (
                get_plan(project, KIND, arguments.name) if arguments.name is not None else newest_plan(project, KIND)
            )
            course = BatchCourse(stored_batch(record))
        else:
            course.check(project)
        table = build_batch_table(project, course)
        stopped = was_cancelled(project, course.plan_names)
    finally:
        project.close()
    has_failed = any(row.status is StepStatus.FAILED for row in table.rows)
    status = status_of(n_done=table.n_done, n_planned=table.n_jobs, has_failed=has_failed, was_cancelled=stopped)
    _tell(table, status=status, is_json=arguments.json)
    return 0


def _tell(table: BatchTable, *, status: str, is_json: bool) -> None:
    if is_json:
        print_json({"status": status, **batch_json(table)})
        return
    print_lines(f"batch {table.name}: {status}, {table.n_done} of {table.n_jobs} jobs, {took_words(table.seconds)}")
    rows: list[list[Scalar]] = [
        [row.title, row.kind, row.status.value, took_words(row.seconds), row.outcome, row.run] for row in table.rows
    ]
    print_table(("job", "kind", "status", "took", "outcome", "run"), rows)
