"""Snapshots of a project's database: the list of them, and going back to one."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import add_project
from synthstudio.cli.render import print_json, print_lines, print_table
from synthstudio.domain.errors import UserError
from synthstudio.project.project import DATABASE_NAME
from synthstudio.project.restoring import restore_snapshot
from synthstudio.project.snapshots import Snapshot, find_snapshots, list_snapshots


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `snapshots` and `restore`."""
    add_project(parser)
    if command == "restore":
        parser.add_argument(
            "snapshot", metavar="SNAPSHOT", help="its file as `snapshots` lists it, or the beginning of that name"
        )


def execute(command: str, arguments: argparse.Namespace) -> int:
    """List the snapshots, or go back to one. No project is opened: it may be damaged."""
    folder: Path = arguments.project.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist.", "Check the path.")
    if not (folder / DATABASE_NAME).is_file() and not find_snapshots(folder):
        raise UserError(f"{folder} is not a SynthStudio project.", "Choose a folder that holds a project.sqlite.")
    if command == "restore":
        return _restore(folder, arguments.snapshot, as_json=arguments.json)
    found = list_snapshots(folder)
    if arguments.json:
        print_json({"project": str(folder), "snapshots": [_told(each) for each in found]})
    elif found:
        columns = ("snapshot", "taken", "reason", "fields", "annotations", "MB")
        print_table(columns, [_row(each) for each in found])
    else:
        print_lines("no snapshots yet; one is kept before imports and other edits that change much")
    return 0


def _restore(folder: Path, name: str, *, as_json: bool) -> int:
    kept = restore_snapshot(folder, name)
    kept_as = str(kept.relative_to(folder)) if kept is not None else None
    if as_json:
        print_json({"project": str(folder), "restored": name, "kept": kept_as})
        return 0
    print_lines(f"the project {folder} is as it was in {name}")
    if kept_as is not None:
        print_lines(f"the state before is kept in {kept_as}")
    return 0


def _told(snapshot: Snapshot) -> dict[str, object]:
    return {
        "snapshot": snapshot.path.name,
        "taken_at": snapshot.taken_at.isoformat().replace("+00:00", "Z"),
        "reason": snapshot.reason,
        "bytes": snapshot.n_bytes,
        "fields": snapshot.n_fields,
        "annotations": snapshot.n_annotations,
    }


def _row(snapshot: Snapshot) -> tuple[str, str, str, int | None, int | None, float]:
    return (
        snapshot.path.name,
        f"{snapshot.taken_at.astimezone():%Y-%m-%d %H:%M}",
        snapshot.reason,
        snapshot.n_fields,
        snapshot.n_annotations,
        snapshot.n_bytes / 1e6,
    )
