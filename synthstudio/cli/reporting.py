"""Writing a report of trained models as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.render import print_json, print_lines, shown_progress
from synthstudio.client.reporting.building import build_report
from synthstudio.client.reporting.experiment import build_experiment_report
from synthstudio.core.export.report.document import Document
from synthstudio.core.export.report.html import render_html
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Split
from synthstudio.project import Project


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `report`."""
    add_project(parser)
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="trainings to report on; those after the first of a kind are compared with it",
    )
    parser.add_argument(
        "--experiment", metavar="NAME", help="an experiment: its arms over all seeds, one training of each in full"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="HTML file to write")
    parser.add_argument(
        "--split", choices=[each.value for each in Split], default=Split.TEST.value, help="images [default test]"
    )
    parser.add_argument("--replace", action="store_true", help="replace an older file of the name")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Write the report and say where it is."""
    out: Path = arguments.out.absolute()
    if out.is_dir():
        raise WrongUse(f"{out} is a folder.", "Name the file to write, such as report.html.")
    if out.exists() and not arguments.replace:
        raise UserError(f"{out} exists already.", "Choose another name, or replace it with --replace.")
    project = Project.open(arguments.project, read_only=True)
    try:
        with shown_progress("Gathering") as tick:
            document = _build(project, arguments, tick)
    finally:
        project.close()
    content = render_html(document).encode()
    write_bytes_atomically(out, content)
    if arguments.json:
        print_json(
            {
                "report": str(out),
                "runs": arguments.runs,
                "experiment": arguments.experiment,
                "split": arguments.split,
                "n_bytes": len(content),
            }
        )
    else:
        print_lines(f"report: {out} ({len(content) / 1e6:.1f} MB)")
    return 0


def _build(project: Project, arguments: argparse.Namespace, tick: Tick) -> Document:
    if bool(arguments.runs) == bool(arguments.experiment):
        raise WrongUse("It is not clear which runs to report on.", "Name the runs, or an experiment with --experiment.")
    if arguments.runs:
        return build_report(project, [RunId(each) for each in arguments.runs], split=Split(arguments.split), tick=tick)
    if arguments.split != Split.TEST.value:
        raise WrongUse("An experiment is scored on the test split.", "Leave --split out.")
    return build_experiment_report(project, arguments.experiment, tick=tick)
