"""Flags from settings models: flag beats recipe or preset beats default. The environment is not read."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from synthstudio.domain.errors import UserError
from synthstudio.settings.base import JobSettings
from synthstudio.settings.complaints import Wording
from synthstudio.settings.file_paths import seen_from
from synthstudio.settings.recipe import job_settings, read_recipe, recipe_from_toml
from synthstudio.settings.registry import SETTINGS_BY_RECIPE_KIND, RecipeUnion, SettingsUnion
from synthstudio.settings.resources import resource_path
from synthstudio.settings.schema import SettingSpec, setting_specs

# Further names of settings that the commands of the design give them.
ALIASES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("compose", "set_name"): "--set",
        ("compose", "first_index"): "--first",
        ("generate", "set_name"): "--set",
        ("generate", "first_index"): "--first",
        ("measure", "set_name"): "--set",
        ("upscale", "set_name"): "--set",
        ("quality", "set_name"): "--set",
        ("train-classifier", "set_name"): "--set",
        ("train-detector", "set_name"): "--set",
        ("describe", "set_name"): "--set",
        ("explain", "fovs"): "--field",
        ("detect", "fovs"): "--field",
        ("suggest", "fovs"): "--field",
        ("train-classifier", "network.name"): "--network",
    }
)
_NO_SHORT_FLAG = frozenset({"name"})  # says nothing without its group
_DEST_PREFIX = "setting:"
_WRITTEN_OUT = 10**12
"""Whole numbers below it are not shortened."""


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


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    """Declare one action of a command that has several, with its project and `--json`."""
    action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one result object")
    add_project(action)
    return action


def add_settings(kind: str, parser: argparse.ArgumentParser) -> None:
    """Declare one flag for each setting of a job kind, and the recipe or preset that they override."""
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument("--recipe", metavar="FILE", type=Path, help="TOML file with settings; flags override it")
    names = ", ".join(preset_names(kind)) or "none"
    origin.add_argument("--preset", metavar="NAME", help=f"settings that come with the program: {names}")
    groups: dict[str, argparse._ArgumentGroup] = {}
    for spec, flags in _flagged(kind):
        title = spec.group.lower() or "settings"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        _add_setting(spec, groups[title], flags)


def _flagged(kind: str) -> Iterator[tuple[SettingSpec, list[str]]]:
    """The settings of a job kind with their flags, the shortest name first."""
    specs = setting_specs(SETTINGS_BY_RECIPE_KIND[kind])
    short = Counter(spec.path[-1] for spec in specs)
    for spec in specs:
        own, flags = spec.path[-1], ["--" + ".".join(part.replace("_", "-") for part in spec.path)]
        if len(spec.path) > 1 and short[own] == 1 and own not in _NO_SHORT_FLAG:
            flags.insert(0, "--" + own.replace("_", "-"))
        if alias := ALIASES.get((kind, spec.name)):
            flags.insert(0, alias)
        yield spec, flags


def _flag_wording(kind: str) -> Wording:
    """Settings by their flags, with what they mean."""
    known = {spec.name: (flags[0], spec.help.partition(". ")[0].rstrip(".")) for spec, flags in _flagged(kind)}

    def of(place: str) -> tuple[str, str]:
        name = ".".join(part for part in place.split(".") if not part.isdigit())  # the place in a list says nothing
        return known.get(name, (name, ""))

    def hint(places: Sequence[str]) -> str:
        meant = dict(of(place) for place in places)
        told = [f"{flag}: {help_text}." for flag, help_text in meant.items() if help_text]
        return " ".join([*told, f"All settings: synthstudio {kind} --help."])

    return Wording(named=lambda place, value: f"{of(place)[0]} {_as_typed(value)}".rstrip(), hint=hint)


def _as_typed(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _add_setting(spec: SettingSpec, group: argparse._ArgumentGroup, flags: Sequence[str]) -> None:
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
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="N", type=_whole)
        case "float":
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="X", type=_decimal)
        case "text":
            from_here = partial(_from_here, spec.path[-1])
            group.add_argument(*flags, dest=dest, help=text, default=unset, metavar="TEXT", type=from_here)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _from_here(name: str, text: str) -> str:
    return seen_from(Path.cwd(), name, text)


def _help(spec: SettingSpec) -> str:
    facts = []
    if spec.unit:
        facts.append(f"in {spec.unit}" if spec.unit not in ("share", "probability") else spec.unit)
    if spec.minimum is not None and spec.maximum is not None:
        facts.append(f"{_number(spec.minimum)} to {_number(spec.maximum)}")
    if spec.default not in (None, "", ()):
        facts.append(f"default {spec.default}")
    return f"{spec.help} [{'; '.join(facts)}]" if facts else spec.help


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < _WRITTEN_OUT else f"{value:g}"


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
        return recipe_from_toml(values, origin=kind, wording=_flag_wording(kind))
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
