"""Local models by commands: bring them in, list, check and remove them; nothing is downloaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from synthstudio.cli.arguments import add_action
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, print_table, print_warnings, shown_progress
from synthstudio.core.models.licences import licence_line
from synthstudio.domain.models import LocalModel
from synthstudio.project import Project

EXIT_DAMAGED = 1


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `models`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = add_action(actions, "add", "bring a model in: a diffusers folder, or a .safetensors file")
    add.add_argument("path", metavar="PATH", type=Path, help="folder or file; what it is, is told from its contents")
    add.add_argument("--name", metavar="NAME", default="", help="name in the project; else after the folder or file")
    add.add_argument(
        "--copy", action="store_true", help="copy the files into the project; else they stay where they are"
    )
    add_action(actions, "list", "list the models of the project")
    check = add_action(actions, "check", "hash the files of models again: are they what was brought in?")
    check.add_argument("names", metavar="NAME", nargs="*", help="of models; none means all")
    remove = add_action(actions, "remove", "forget a model; files outside the project are left alone")
    remove.add_argument("name", metavar="NAME", help="of the model")


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where a check finds something."""
    is_reading = arguments.action in ("list", "check")
    project = Project.open(arguments.project, read_only=True) if is_reading else open_to_write(arguments.project)
    try:
        match arguments.action:
            case "add":
                return _add(project, arguments)
            case "list":
                return _list(project, as_json=arguments.json)
            case "check":
                return _check(project, arguments)
            case _:
                project.models.remove(arguments.name)
                _tell({"removed": arguments.name}, f"removed {arguments.name}", as_json=arguments.json)
                return 0
    finally:
        project.close()


def _add(project: Project, arguments: argparse.Namespace) -> int:
    with shown_progress("Reading the model") as tick:
        model = project.models.add(arguments.path, name=arguments.name, copies=arguments.copy, tick=tick)
    if not model.licence:
        print_warnings(["no licence was found beside the model: find out what you may do with it."])
    words = f"model {model.name}: {model.architecture}, {model.kind.words}, for {model.kind.purpose}"
    _tell(model_as_json(model), f"{words}\nSHA-256 {model.sha256}", as_json=arguments.json)
    return 0


def _list(project: Project, *, as_json: bool) -> int:
    found, damaged = project.models.list(), project.models.damaged()
    if as_json:
        print_json({"models": [model_as_json(each) for each in found], "damaged": list(damaged)})
        return 0
    if not found and not damaged:
        print_lines("no models yet: synthstudio models add PROJECT PATH")
        return 0
    rows = [
        (
            each.name,
            each.kind.value,
            each.architecture,
            f"{each.n_bytes / 1e6:.0f} MB",
            licence_line(each.licence),
            "in place" if each.is_in_place else "copied",
        )
        for each in found
    ]
    print_table(("name", "kind", "what", "size", "licence", "files"), rows)
    print_warnings([f"the card of {name} is damaged: remove it and bring it in again." for name in damaged])
    return 0


def _check(project: Project, arguments: argparse.Namespace) -> int:
    names = arguments.names or [*(each.name for each in project.models.list()), *project.models.damaged()]
    problems: dict[str, list[str]] = {}
    for name in names:
        with shown_progress(f"Checking {name}") as tick:
            problems[name] = list(project.models.check(name, tick))
    is_sound = not any(problems.values())
    if arguments.json:
        print_json({"ok": is_sound, "models": problems})
    else:
        print_lines(*(f"{name}: {' '.join(problems[name]) or 'as it was brought in'}" for name in names))
        print_lines(*([] if names else ["no models to check"]))
    return 0 if is_sound else EXIT_DAMAGED


def model_as_json(model: LocalModel) -> dict[str, object]:
    """What `--json` says of a model."""
    return {
        "name": model.name,
        "kind": model.kind.value,
        "architecture": model.architecture,
        "path": str(model.path),
        "sha256": model.sha256,
        "bytes": model.n_bytes,
        "licence": model.licence,
        "in_place": model.is_in_place,
        "facts": dict(model.facts),
    }


def _tell(told: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        print_lines(*words.splitlines())
