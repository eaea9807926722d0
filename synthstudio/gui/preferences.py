"""What the user prefers, in a small readable TOML that holds only what differs from the default."""

from __future__ import annotations

import dataclasses
import getpass
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import platformdirs

from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error

ThemeName = Literal["system", "light", "dark"]
MAX_RECENT = 8

Shortcuts = tuple[tuple[str, tuple[str, ...]], ...]
"""Chosen key sequences by action id, in the order of the ids; none at all takes an action's keys away."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences; every field has the default that a new user gets.

    Attributes:
        theme: "system" follows the desktop.
        device: What jobs run on: "auto", "cpu" or a device string such as "cuda:0".
        author: Name stored with new annotations; empty for the name of the system's user.
        shows_rail_labels: Whether the workspaces on the rail have their names beside their icons.
        recent_projects: Absolute folders, the last one first.
        job_hours: The hours of the clock in which jobs are begun, "19:00-07:00"; empty for always.
        shortcuts: Keys that differ from those of the actions.
    """

    theme: ThemeName = "system"
    device: str = "auto"
    author: str = ""
    shows_rail_labels: bool = True
    recent_projects: tuple[str, ...] = ()
    job_hours: str = ""
    shortcuts: Shortcuts = ()

    @property
    def author_name(self) -> str:
        """Name stored with new annotations."""
        return self.author or _system_user()

    def shortcuts_of(self, action_id: str) -> tuple[str, ...] | None:
        """The keys that the user has chosen for an action; None leaves those that it comes with."""
        return dict(self.shortcuts).get(action_id)

    def with_shortcuts(self, action_id: str, keys: tuple[str, ...] | None) -> Preferences:
        """Return the preferences with these keys for an action; None is what it comes with."""
        chosen = dict(self.shortcuts)
        chosen.pop(action_id, None)
        if keys is not None:
            chosen[action_id] = keys
        return dataclasses.replace(self, shortcuts=tuple(sorted(chosen.items())))

    def with_recent(self, folder: Path) -> Preferences:
        """Return the preferences with this project as the last one opened."""
        others = [each for each in self.recent_projects if each != str(folder)]
        return dataclasses.replace(self, recent_projects=(str(folder), *others)[:MAX_RECENT])


@cache
def _system_user() -> str:
    """Name of the system's user; empty where the system has none for this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the platform and the version of Python
        return ""


def preferences_path() -> Path:
    """File of the preferences."""
    return platformdirs.user_config_path("synthstudio", appauthor=False) / "preferences.toml"


def read_preferences(path: Path) -> Preferences:
    """Read the preferences; a missing file means the defaults.

    Raises:
        UserError: The file cannot be read or is no TOML, or a value is of the wrong kind.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Preferences()
    except OSError as error:
        told = translate_os_error(error, path)
        raise UserError(f"The preferences cannot be read: {told.message}", "The defaults are used.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"The preferences {path} are damaged: {error}.", "The defaults are used.") from error
    return _checked(values, path)


def _checked(values: dict[str, object], path: Path) -> Preferences:
    chosen: dict[str, object] = {}
    for field in dataclasses.fields(Preferences):
        if field.name not in values:
            continue
        value = values[field.name]
        if field.name == "shortcuts":
            value = _shortcuts(value)
        elif isinstance(value, list):
            value = tuple(str(each) for each in value)
        if not isinstance(value, type(field.default)) or (field.name == "theme" and value not in get_args(ThemeName)):
            raise UserError(
                f"The preferences {path} have {field.name} = {value!r}, which is impossible.", "The defaults are used."
            )
        chosen[field.name] = value
    return dataclasses.replace(Preferences(), **chosen)  # type: ignore[arg-type]  # each was compared with its default


def _shortcuts(value: object) -> Shortcuts | None:
    """The table of shortcuts as it is kept; None where it is none."""
    if not isinstance(value, Mapping) or not all(isinstance(keys, list) for keys in value.values()):
        return None
    return tuple(sorted((str(action_id), tuple(str(key) for key in keys)) for action_id, keys in value.items()))


def write_preferences(path: Path, preferences: Preferences) -> None:
    """Write what differs from the defaults.

    Raises:
        UserError: The file cannot be written.
    """
    defaults = Preferences()
    lines = []
    for field in dataclasses.fields(Preferences):
        value = getattr(preferences, field.name)
        if field.name != "shortcuts" and value != getattr(defaults, field.name):
            lines.append(f"{field.name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}\n")
    if preferences.shortcuts:  # a table ends the part of the single values
        lines.append("\n[shortcuts]\n")
        lines += [f"{json.dumps(action_id)} = {json.dumps(list(keys))}\n" for action_id, keys in preferences.shortcuts]
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("".join(lines), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        told = translate_os_error(error, path)
        raise UserError(
            f"The preferences cannot be written: {told.message}", "They hold until the end only."
        ) from error
