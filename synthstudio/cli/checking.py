"""The command `quality`: of a project, of a set, or of a data set of another program that is read in place."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from synthstudio.cli import jobs
from synthstudio.cli.arguments import WrongUse
from synthstudio.cli.found import print_findings
from synthstudio.cli.render import print_warnings, shown_progress
from synthstudio.client.foreign import DataSet, keep_data_set
from synthstudio.core.annotations.guessing import guess_format
from synthstudio.core.annotations.planning import ReadOptions
from synthstudio.core.annotations.readers import READERS
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan
from synthstudio.domain.records import Split
from synthstudio.project.project import DATABASE_NAME

_DATA_SET_FLAGS = ("format", "images", "split", "sample_from")


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `quality`."""
    jobs.add_arguments(command, parser)
    group = parser.add_argument_group(
        "a data set of another program",
        "PROJECT may also be a folder or file in another format: it is read in place, and nothing is written there.",
    )
    group.add_argument("--format", choices=sorted(READERS), help="its format [default: guessed from what lies there]")
    group.add_argument("--images", metavar="DIR", type=Path, help="folder of its images, where they lie elsewhere")
    group.add_argument("--split", choices=[each.value for each in Split], help="split of all its images")
    group.add_argument(
        "--sample-from",
        metavar="REGEX",
        help=r"specimen or patient of an image: one group, searched in its path, as ^(patient\d+)_; folder; or stem",
    )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Check it; return the exit status."""
    path: Path = arguments.project.expanduser().absolute()
    asked = [name for name in _DATA_SET_FLAGS if getattr(arguments, name) is not None]
    if not path.exists():
        raise UserError(f"{path} does not exist.", "Check the path.")
    if (path / DATABASE_NAME).is_file():
        if asked:
            raise WrongUse(f"--{asked[0].replace('_', '-')} is for data sets of other programs.", "Leave it out.")
        return jobs.execute(command, arguments)
    data = DataSet(path, arguments.format or guess_format(path), _options(arguments))
    if arguments.format is None:
        print_warnings([f"{path.name} is read as {data.format}; name another format with --format."])
    with shown_progress("Reading") as tick:
        plan = READERS[data.format](data.path, data.options, tick=tick)
    arguments.project = keep_data_set(data, plan)
    arguments.told = _told(data, plan)
    arguments.tell = partial(print_findings, n_unread=len(plan.problems))
    print_warnings([str(problem) for problem in plan.problems])
    status = jobs.execute(command, arguments)
    return jobs.EXIT_NOT_SOUND if plan.problems else status


def _options(arguments: argparse.Namespace) -> ReadOptions:
    return ReadOptions(
        images=arguments.images.expanduser().absolute() if arguments.images else None,
        split=Split(arguments.split) if arguments.split else None,
        sample_from=arguments.sample_from,
    )


def _told(data: DataSet, plan: ImportPlan) -> dict[str, object]:
    """What is said of the data set in the result."""
    problems = [str(each) for each in plan.problems]
    told: dict[str, object] = {"data_set": str(data.path), "format": data.format, "problems": problems}
    return told | ({"is_sound": False} if problems else {})
