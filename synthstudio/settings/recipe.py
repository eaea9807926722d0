"""TOML recipes: the resolved settings of one job, in and out.

TOML has no null: an optional setting that is unset is left out.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthstudio.domain.errors import UserError
from synthstudio.settings.base import JobSettings, complaint
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.registry import SETTINGS_BY_RECIPE_KIND, AnyRecipe, RecipeUnion, SettingsUnion
from synthstudio.settings.schema import setting_specs

RECIPE_VERSION = 1
Toml = Mapping[str, object]

_settings: TypeAdapter[RecipeUnion] = TypeAdapter(AnyRecipe)


def read_recipe(path: Path) -> RecipeUnion:
    """Read a recipe file, of a job or of a plan of many.

    Raises:
        UserError: The file is missing, no TOML, or holds unknown or impossible settings (all are named).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The recipe {path} cannot be read: {error}.", "Check the path.") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"The recipe {path} is not valid TOML: {error}.", "Mend the line that is named.") from error
    return recipe_from_toml(content, origin=str(path))


def settings_from_toml(content: Toml, *, origin: str) -> SettingsUnion:
    """Turn parsed TOML into settings of one job. Raises UserError, naming everything that is wrong at once."""
    return job_settings(recipe_from_toml(content, origin=origin), origin=origin)


def job_settings(recipe: RecipeUnion, *, origin: str) -> SettingsUnion:
    """Return the recipe, which must be that of one job. Raises UserError where it is a plan of many."""
    if isinstance(recipe, ExperimentSettings | GanStudySettings):
        word = "an experiment" if isinstance(recipe, ExperimentSettings) else "a study"
        raise UserError(
            f"{origin} is {word}: many jobs, not one.", f"Start it with: synthstudio {recipe.kind} PROJECT RECIPE."
        )
    return recipe


def recipe_from_toml(content: Toml, *, origin: str) -> RecipeUnion:
    """Turn parsed TOML into settings. Raises UserError, naming everything that is wrong at once."""
    values = dict(content)
    version = values.pop("recipe_version", RECIPE_VERSION)
    if not isinstance(version, int) or version > RECIPE_VERSION:
        raise UserError(
            f"{origin} was written by a newer SynthStudio (recipe version {version}).", "Update SynthStudio."
        )
    kind = values.get("kind")
    if kind not in SETTINGS_BY_RECIPE_KIND:
        raise UserError(f"{origin}: kind is {kind!r}.", f"It must be one of {', '.join(SETTINGS_BY_RECIPE_KIND)}.")
    try:
        return _settings.validate_python(values)
    except ValidationError as error:
        raise explain_validation(error, SETTINGS_BY_RECIPE_KIND[str(kind)], origin=origin) from error


def explain_validation(error: ValidationError, model: type[JobSettings], *, origin: str) -> UserError:
    """Put a pydantic error into the user's words: every setting that is wrong, its value, what is allowed."""
    known = [spec.name for spec in setting_specs(model)]
    kinds = set(SETTINGS_BY_RECIPE_KIND)
    complaints = []
    for each in error.errors():
        place = ".".join(str(part) for part in each["loc"] if part not in kinds)
        if each["type"] == "extra_forbidden":
            close = difflib.get_close_matches(place, known, n=1, cutoff=0.5)
            complaints.append(f"{place} is not a setting" + (f" (did you mean {close[0]}?)" if close else ""))
        else:
            value = f"{place} = {each['input']!r}: " if place else ""  # of settings that do not fit each other
            complaints.append(f"{value}{complaint(each['msg'])}")
    return UserError(f"{origin}: {'; '.join(complaints)}.", "Mend these settings and start again.")


def recipe_text(settings: JobSettings) -> str:
    """Return the settings as TOML text that `read_recipe` reads back to an equal model."""
    lines = [f"recipe_version = {RECIPE_VERSION}"]
    values = settings.model_dump(mode="json", exclude_none=True)
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _table(key, value)
    return "\n".join(lines) + "\n"


def _table(name: str, values: Toml) -> list[str]:
    lines = ["", f"[{name}]"]
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{key}", value)
    return lines


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, float):
        return repr(value)
    # JSON strings, integers and booleans are valid TOML once nothing is escaped as a surrogate pair.
    return json.dumps(value, ensure_ascii=False)
