"""The command that joins the parts of a set."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from synthstudio.cli.arguments import add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, shown_progress
from synthstudio.project.joined_sets import join_set


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `join`."""
    add_project(parser)
    parser.add_argument(
        "parts",
        metavar="PART",
        type=Path,
        nargs="+",
        help="folder of a part, or a copy of the project that holds a set of the same name",
    )
    parser.add_argument("--set", metavar="NAME", required=True, help="name of the joined set")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Join; return the exit status."""
    began = time.monotonic()
    project = open_to_write(arguments.project)
    try:
        with shown_progress("Joining") as tick:
            made, _ = join_set(project, arguments.set, arguments.parts, tick=tick)
        folder = project.set_folder(made.name)
    finally:
        project.close()
    seconds = round(time.monotonic() - began, 3)
    if arguments.json:
        facts = {"set": made.name, "n_images": made.n_images, "seconds": seconds, "sha256": made.manifest_sha256}
        print_json({**facts, "n_parts": len(arguments.parts), "folder": str(folder)})
    else:
        print_lines(
            f"set {made.name}: {made.n_images} images of {len(arguments.parts)} parts in {seconds:.1f} s, each checked"
            f" by its hash: {folder}",
            f"manifest sha256: {made.manifest_sha256}",
        )
    return 0
