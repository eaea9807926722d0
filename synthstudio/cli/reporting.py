"""Writing a report of trained models, of a synthetic set or of a reading study, as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.render import print_json, print_lines, shown_progress
from synthstudio.client.reporting.building import build_report
from synthstudio.client.reporting.experiment import build_experiment_report
from synthstudio.client.reporting.quality import build_quality_report
from synthstudio.client.reporting.sets import build_set_report
from synthstudio.client.reporting.studies import build_study_report
from synthstudio.core.export.report.document import Document
from synthstudio.core.export.report.html import render_html
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project

NEWEST = "newest"


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
    parser.add_argument("--set", metavar="NAME", help="a synthetic set: provenance, verdicts, samples")
    parser.add_argument("--study", metavar="NAME", help="a closed reading study: design and result")
    parser.add_argument(
        "--quality",
        metavar="RUN",
        nargs="?",
        const=NEWEST,
        help="a finished check of the data: what was found, with pictures; the newest where none is named",
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
                "set": arguments.set,
                "study": arguments.study,
                "quality": arguments.quality,
                "split": arguments.split,
                "n_bytes": len(content),
            }
        )
    else:
        print_lines(f"report: {out} ({len(content) / 1e6:.1f} MB)")
    return 0


def _build(project: Project, arguments: argparse.Namespace, tick: Tick) -> Document:
    subjects = (arguments.runs, arguments.experiment, arguments.set, arguments.study, arguments.quality)
    if sum(bool(each) for each in subjects) != 1:
        hint = "Name the runs, or one of --experiment, --set, --study and --quality."
        raise WrongUse("It is not clear what to report on.", hint)
    if arguments.runs:
        return build_report(project, [RunId(each) for each in arguments.runs], split=Split(arguments.split), tick=tick)
    if arguments.split != Split.TEST.value:
        raise WrongUse("The split is that of scores of runs.", "Leave --split out.")
    if arguments.set:
        return build_set_report(project, arguments.set, tick=tick)
    if arguments.study:
        return build_study_report(project, arguments.study)
    if arguments.quality:
        run_id = _newest_check(project) if arguments.quality == NEWEST else RunId(arguments.quality)
        return build_quality_report(project, run_id, tick=tick)
    return build_experiment_report(project, arguments.experiment, tick=tick)


def _newest_check(project: Project) -> RunId:
    found = [run.id for run in project.runs.list(kind="quality") if run.status is RunStatus.FINISHED]
    if not found:
        raise UserError("These data have not been checked yet.", "Check them first: synthstudio quality PROJECT.")
    return found[-1]
