"""Tables of attributes: sample, split, tone and condition of images."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, print_warnings
from synthstudio.core.annotations.attributes import read_attributes
from synthstudio.domain.errors import UserError
from synthstudio.domain.tones import ToneScale
from synthstudio.project.attributes import apply_attributes
from synthstudio.project.tones import find_tone_scale, set_tone_scale


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `attributes`."""
    add_project(parser)
    parser.add_argument(
        "table",
        metavar="TABLE",
        type=Path,
        nargs="?",
        help="CSV with a column image and any of sample, split, tone, condition",
    )
    parser.add_argument(
        "--tone-scale",
        metavar="LEVELS",
        help='"fitzpatrick", or the names of the levels in their order with commas between them',
    )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Set the scale, bring the table, and say what came of it."""
    if arguments.table is None and arguments.tone_scale is None:
        raise WrongUse("There is nothing to do.", "Name a table, or a tone scale.")
    scale = _parse_scale(arguments.tone_scale) if arguments.tone_scale is not None else None
    table = read_attributes(arguments.table) if arguments.table is not None else None
    project = open_to_write(arguments.project)
    try:
        if scale is not None:
            set_tone_scale(project, scale)
        outcome = apply_attributes(project, table) if table is not None else None
        known = find_tone_scale(project)
    finally:
        project.close()
    result: dict[str, object] = {"tone_scale": list(known.levels) if known is not None else None}
    if outcome is not None:
        print_warnings([str(problem) for problem in outcome.problems])
        result |= {
            "n_images": outcome.n_rows,
            "n_tones": outcome.n_tones,
            "n_conditions": outcome.n_conditions,
            "problems": [str(problem) for problem in outcome.problems],
        }
    if arguments.json:
        print_json(result)
        return 0
    if outcome is not None:
        print_lines(f"{outcome.n_rows} images: {outcome.n_tones} with a tone, {outcome.n_conditions} with a condition")
    if known is not None:
        print_lines(f"tone scale: {', '.join(known.levels)}")
    return 0


def _parse_scale(text: str) -> ToneScale:
    try:
        return ToneScale.parse(text)
    except UserError as error:
        raise WrongUse(error.message, error.hint) from error
