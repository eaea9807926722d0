"""Flags from settings models: flag beats recipe or preset beats default. The environment is not read."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from synthstudio.domain.errors import UserError
from synthstudio.settings.base import JobSettings
from synthstudio.settings.recipe import job_settings, read_recipe, recipe_from_toml
from synthstudio.settings.registry import SETTINGS_BY_RECIPE_KIND, RecipeUnion, SettingsUnion
from synthstudio.settings.resources import resource_path
from synthstudio.settings.schema import SettingSpec, setting_specs

# Further names of settings that the commands of the design give them.
ALIASES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("compose", "set_name"): "--set",
        ("generate", "set_name"): "--set",
        ("measure", "set_name"): "--set",
        ("quality", "set_name"): "--set",
        ("explain", "fovs"): "--field",
        ("detect", "fovs"): "--field",
        ("train-classifier", "network.name"): "--network",
    }
)
_NO_SHORT_FLAG = frozenset({"name"})  # says nothing without its group
_DEST_PREFIX = "setting:"


class WrongUse(UserError):
    """The arguments are at fault: exit status 2."""


class RunEnded(UserError):
    """A run that ended without a result: failed or cancelled."""

    def __init__(self, run_id: str, status: str, *, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.run_id = run_id
        self.status = status


def add_project(parser: argparse.ArgumentParser) -> None:
    """Declare the project that a command works on."""
    parser.add_argument("project", metavar="PROJECT", type=Path, help="project folder")


def add_settings(kind: str, parser: argparse.ArgumentParser) -> None:
    """Declare one flag for each setting of a job kind, and the recipe or preset that they override."""
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument("--recipe", metavar="FILE", type=Path, help="TOML file with settings; flags override it")
    names = ", ".join(preset_names(kind)) or "none"
    origin.add_argument("--preset", metavar="NAME", help=f"settings that come with the program: {names}")
    specs = setting_specs(SETTINGS_BY_RECIPE_KIND[kind])
    short = Counter(spec.path[-1] for spec in specs)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for spec in specs:
        title = spec.group.lower() or "settings"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        _add_setting(
            kind, spec, groups[title], is_short=short[spec.path[-1]] == 1 and spec.path[-1] not in _NO_SHORT_FLAG
        )


def _add_setting(kind: str, spec: SettingSpec, group: argparse._ArgumentGroup, *, is_short: bool) -> None:
    flags = ["--" + ".".join(part.replace("_", "-") for part in spec.path)]
    if is_short and len(spec.path) > 1:
        flags.insert(0, "--" + spec.path[-1].replace("_", "-"))
    if alias := ALIASES.get((kind, spec.name)):
        flags.insert(0, alias)
    dest, text = _DEST_PREFIX + spec.name, _help(spec).replace("%", "%%")
    unset = argparse.SUPPRESS
    match spec.kind:
        case "bool":
            group.add_argument(*flags, dest=dest, help=text, default=unset, action=argparse.BooleanOptionalAction)
        case "list" | "lines":
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="X", nargs="+", action="extend")
        case "choice":
            group.add_argument(*flags, dest=dest, help=text, default=unset, choices=spec.choices)
        case "int":
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="N", type=int)
        case "float":
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="X", type=float)
        case "text":
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="TEXT")


def _help(spec: SettingSpec) -> str:
    facts = []
    if spec.unit:
        facts.append(f"in {spec.unit}" if spec.unit not in ("share", "probability") else spec.unit)
    if spec.minimum is not None and spec.maximum is not None:
        facts.append(f"{spec.minimum:g} to {spec.maximum:g}")
    if spec.default not in (None, "", ()):
        facts.append(f"default {spec.default}")
    return f"{spec.help} [{'; '.join(facts)}]" if facts else spec.help


def preset_names(kind: str) -> list[str]:
    """Names of the presets of a job kind, without the kind in front."""
    return sorted(path.stem.removeprefix(f"{kind}-") for path in resource_path("recipes").glob(f"{kind}-*.toml"))


def read_preset(kind: str, name: str) -> RecipeUnion:
    """Return the settings of a preset. Raises WrongUse, naming those that exist."""
    known = preset_names(kind)
    bare = name.removeprefix(f"{kind}-")
    if bare not in known:
        raise WrongUse(f"There is no preset {name} for {kind}.", f"Presets: {', '.join(known) or 'none'}.")
    return read_recipe(resource_path("recipes") / f"{kind}-{bare}.toml")


def settings_from_arguments(kind: str, arguments: argparse.Namespace) -> SettingsUnion:
    """Merge recipe or preset with the flags, for one job.

    Raises:
        WrongUse, UserError: As `recipe_from_arguments`.
    """
    return job_settings(recipe_from_arguments(kind, arguments), origin=kind)


def recipe_from_arguments(kind: str, arguments: argparse.Namespace) -> RecipeUnion:
    """Merge recipe or preset with the flags, for one job or an experiment.

    Raises:
        WrongUse: The recipe is for another job, or a value is impossible; all that is wrong is named.
        UserError: The recipe cannot be read.
    """
    base: JobSettings | None = None
    if arguments.recipe is not None:
        base = read_recipe(arguments.recipe)
        if base.kind != kind:
            raise WrongUse(f"The recipe {arguments.recipe} is for {base.kind}.", f"Use it with {base.kind}, or run.")
    elif arguments.preset is not None:
        base = read_preset(kind, arguments.preset)
    values: dict[str, object] = {"kind": kind} if base is None else base.model_dump(mode="json", exclude_none=True)
    for dest, value in vars(arguments).items():
        if dest.startswith(_DEST_PREFIX):
            _put(values, dest.removeprefix(_DEST_PREFIX).split("."), value)
    try:
        return recipe_from_toml(values, origin=kind)
    except UserError as error:
        raise WrongUse(error.message, error.hint) from error


def has_settings(arguments: argparse.Namespace) -> bool:
    """Tell whether any setting was given."""
    given = any(dest.startswith(_DEST_PREFIX) for dest in vars(arguments))
    return given or arguments.recipe is not None or arguments.preset is not None


def _put(values: dict[str, object], path: list[str], value: object) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        assert isinstance(inner, dict)  # a group of settings
        values = inner
    values[path[-1]] = value
