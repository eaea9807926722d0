"""Is everything still what it was? Database, files, hashes, and whether sets can be made again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from synthstudio.cli.arguments import add_project
from synthstudio.cli.render import print_json, print_lines, shown_progress
from synthstudio.client.remaking import open_remaker
from synthstudio.core.synthesis.verification import verify_set
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import RunStatus, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.database import iter_database_faults
from synthstudio.project.files import FileState, file_state


@dataclass(frozen=True, slots=True)
class SetReport:
    """What became of a set; `remade` says whether its images were made again, and if not, why not."""

    name: str
    n_images: int
    remade: str
    findings: tuple[str, ...]


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `verify`."""
    add_project(parser)
    parser.add_argument("--set", metavar="NAME", help="only this set")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Check; return 1 where anything is wrong."""
    project = Project.open(arguments.project, read_only=True)
    try:
        findings: list[str] = []
        sets = [project.sets.get(arguments.set)] if arguments.set else project.sets.list()
        if not arguments.set:
            findings += iter_database_faults(project.database)
            with shown_progress("Checking images") as tick:
                findings += _check_images(project, tick)
            findings += _check_runs(project)
        reports = []
        for each in sets:
            with shown_progress(f"Checking set {each.name}") as tick:
                reports.append(_check_set(project, each, tick))
    finally:
        project.close()
    findings += [line for report in reports for line in report.findings]
    _print(findings, reports, as_json=arguments.json)
    return 1 if findings else 0


def _print(findings: list[str], reports: list[SetReport], *, as_json: bool) -> None:
    if as_json:
        sets = [{"set": each.name, "n_images": each.n_images, "remade": each.remade} for each in reports]
        print_json({"ok": not findings, "findings": findings, "sets": sets})
        return
    print_lines(*(f"set {each.name}: {each.n_images} images, {each.remade}" for each in reports))
    print_lines(*findings)
    print_lines(f"{len(findings)} problems found" if findings else "all is well")


def _check_images(project: Project, tick: Tick) -> Iterator[str]:
    fovs = project.fovs.list()
    states: dict[tuple[str, str], FileState] = {}  # the pages of a stack share one file
    for done, fov in enumerate(fovs):
        tick(done, len(fovs))
        file = (fov.path, fov.sha256)
        try:
            state = states[file] if file in states else file_state(fov)
            states[file] = state
        except UserError as error:
            yield f"{fov.path}: {error.message}"
            continue
        if state is FileState.MISSING:
            yield f"{fov.path}: the image {fov.name} is missing"
        elif state is FileState.CHANGED:
            yield f"{fov.path}: the image {fov.name} has changed since it was imported"


def _check_runs(project: Project) -> Iterator[str]:
    for run in project.runs.list():
        if run.status is RunStatus.FINISHED and not (project.run_folder(run.id) / "recipe.toml").is_file():
            yield f"runs/{run.id}: the recipe is missing"


def _check_set(project: Project, recorded: SyntheticSet, tick: Tick) -> SetReport:
    remade = "hashes were checked"
    findings: tuple[str, ...]
    try:
        with open_remaker(project, recorded) as (maker, remade):
            found = verify_set(
                project.set_folder(recorded.name), maker, manifest_sha256=recorded.manifest_sha256, tick=tick
            )
        findings = tuple(f"sets/{recorded.name}/{each}" for each in found)
    except UserError as error:
        findings = (f"sets/{recorded.name}: {error.message}",)
    return SetReport(recorded.name, recorded.n_images, remade, findings)
