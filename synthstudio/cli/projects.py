"""New projects and their classes."""

from __future__ import annotations

import argparse
import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from synthstudio.cli.arguments import WrongUse, add_project
from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.render import print_json, print_lines, print_table
from synthstudio.core.imaging import read_bytes
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import ObjectClass, Role
from synthstudio.project import Project

_SIZE = re.compile(r"([0-9]*\.?[0-9]+)\s*(px|um|µm|μm)")
_KEYS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"name": (str,), "role": (str,), "size_um": (int, float), "size_px": (int, float), "color": (str,), "key": (str,)}
)
_CLASSES_HELP = "TOML file with [[classes]] tables (name, role, size_um or size_px, color, key), or one name a line"


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class to be added."""

    name: str
    role: Role = Role.OBJECT
    size_um: float | None = None
    size_px: float | None = None
    color: str | None = None
    key: str | None = None


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `new` and `classes`."""
    add_project(parser)
    if command == "new":
        parser.add_argument("--classes", metavar="FILE", type=Path, help=_CLASSES_HELP)
        return
    parser.add_argument(
        "--add", metavar="NAME", help="add an object class; may be given again", action="append", default=[]
    )
    parser.add_argument(
        "--add-artifact",
        metavar="NAME",
        help="add a class that is pasted, but never labelled",
        action="append",
        default=[],
    )
    parser.add_argument(
        "--set-size", metavar="NAME=SIZE", help="mean side, as in rbc=7.5um or rbc=80px", action="append", default=[]
    )
    parser.add_argument("--set-role", metavar="NAME=ROLE", help="object or artifact", action="append", default=[])
    parser.add_argument("--rename", metavar="OLD=NEW", help="give a class another name", action="append", default=[])


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Make a project, or show and change classes."""
    if command == "new":
        return _new(arguments)
    wishes = (arguments.add, arguments.add_artifact, arguments.set_size, arguments.set_role, arguments.rename)
    project = open_to_write(arguments.project) if any(wishes) else Project.open(arguments.project, read_only=True)
    try:
        if any(wishes):
            with project.transaction():
                _change(project, arguments)
        _show(project, as_json=arguments.json)
    finally:
        project.close()
    return 0


def _new(arguments: argparse.Namespace) -> int:
    wanted = read_classes(arguments.classes) if arguments.classes else []
    project = Project.create(arguments.project)
    try:
        with project.transaction():
            for each in wanted:
                project.classes.add(**dataclasses.asdict(each))
        if arguments.json:
            names = [each.name for each in project.classes.list()]
            print_json({"project": str(project.folder), "classes": names})
        else:
            print_lines(f"new project {project.folder} with {len(wanted)} classes")
    finally:
        project.close()
    return 0


def read_classes(path: Path) -> list[NewClass]:
    """Read a file of classes. Raises UserError, naming what is wrong in it."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
        if path.suffix.lower() != ".toml":
            return [NewClass(line.strip()) for line in text.splitlines() if line.strip()]
        tables = tomllib.loads(text).get("classes")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"The file of classes {path} is damaged: {error}.", "Mend it, then try again.") from error
    if not isinstance(tables, list) or not tables:
        raise UserError(f"{path} holds no [[classes]].", 'Example: [[classes]], then name = "rbc", size_um = 7.5')
    return [_read_class(table, path) for table in tables]


def _read_class(table: object, path: Path) -> NewClass:
    hint = f"A class may have {', '.join(_KEYS)}."
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise UserError(f"{path}: a class has no name.", hint)
    for key, value in table.items():
        if key not in _KEYS:
            raise UserError(f"{path}: {key} of the class {table['name']} is unknown.", hint)
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise UserError(f"{path}: {key} = {value!r} of the class {table['name']} is of the wrong kind.", hint)
        if isinstance(value, int | float) and not value > 0:
            raise UserError(f"{path}: {key} of the class {table['name']} must be above 0.", hint)
    role = _role(table.get("role", "object"))
    return NewClass(**{**table, "role": role})


def _role(text: str) -> Role:
    if text not in set(Role):
        raise WrongUse(f"There is no role {text}.", f"It is one of {', '.join(Role)}.")
    return Role(text)


def _change(project: Project, arguments: argparse.Namespace) -> None:
    for name in arguments.add:
        project.classes.add(name)
    for name in arguments.add_artifact:
        project.classes.add(name, role=Role.ARTIFACT)
    for wish in arguments.set_size:
        name, text = _split(wish)
        found = _SIZE.fullmatch(text.strip())
        if not found or not float(found[1]) > 0:
            raise WrongUse(f"{text!r} is no size.", "Give a number above 0 with its unit, as in 7.5um or 80px.")
        size, known = float(found[1]), _get(project, name)
        if found[2] == "px":
            project.classes.update(dataclasses.replace(known, size_px=size))
        else:
            project.classes.update(dataclasses.replace(known, size_um=size))
    for wish in arguments.set_role:
        name, text = _split(wish)
        project.classes.update(dataclasses.replace(_get(project, name), role=_role(text)))
    for wish in arguments.rename:
        name, text = _split(wish)
        project.classes.update(dataclasses.replace(_get(project, name), name=text))


def _split(wish: str) -> tuple[str, str]:
    name, sign, value = wish.rpartition("=")
    if not (sign and name and value):
        raise WrongUse(f"{wish!r} is not understood.", "Write NAME=VALUE.")
    return name, value


def _get(project: Project, name: str) -> ObjectClass:
    found = project.classes.find(name)
    if found is None:
        known = ", ".join(each.name for each in project.classes.list()) or "none yet"
        raise NotFound(f"There is no class {name} in this project.", f"Classes of this project: {known}.")
    return found


def _show(project: Project, *, as_json: bool) -> None:
    totals: dict[int, int] = {}
    for counts in project.annotations.counts().values():
        for class_id, count in counts.items():
            totals[class_id] = totals.get(class_id, 0) + count
    rows = [
        (each.name, each.role.value, each.size_um, each.size_px, each.key, totals.get(each.id, 0))
        for each in project.classes.list()
    ]
    names = ("name", "role", "size_um", "size_px", "key", "annotations")
    if as_json:
        print_json({"classes": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table(("class", "role", "size um", "size px", "key", "annotations"), rows)
