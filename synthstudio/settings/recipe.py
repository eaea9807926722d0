"""TOML recipes: the resolved settings of one job, in and out.

TOML has no null: an optional setting that is unset is left out.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthstudio.domain.errors import UserError
from synthstudio.settings.base import JobSettings
from synthstudio.settings.batch import BatchSettings
from synthstudio.settings.batch_files import inline_files
from synthstudio.settings.complaints import RECIPE_WORDING, Wording, complaint
from synthstudio.settings.experiment import ExperimentSettings
from synthstudio.settings.file_paths import all_seen_from
from synthstudio.settings.gan_study import GanStudySettings
from synthstudio.settings.registry import MODELS_BY_RECIPE_KIND, AnyRecipe, RecipeUnion, SettingsUnion
from synthstudio.settings.round import RoundSettings
from synthstudio.settings.schema import setting_specs
from synthstudio.settings.toml_files import read_toml

RECIPE_VERSION = 1
Toml = Mapping[str, object]

_settings: TypeAdapter[RecipeUnion] = TypeAdapter(AnyRecipe)


def read_recipe(path: Path) -> RecipeUnion:
    """Read a recipe file, of a job or of a plan of many. Paths in it are seen from its folder.

    Raises:
        UserError: The file is missing, no TOML, or holds unknown or impossible settings (all are named).
    """
    content = read_toml(path)
    folder = path.absolute().parent
    if content.get("kind") == "batch":
        content = inline_files(content, folder)
    return recipe_from_toml(all_seen_from(folder, content), origin=str(path))


def settings_from_toml(content: Toml, *, origin: str) -> SettingsUnion:
    """Turn parsed TOML into settings of one job. Raises UserError, naming everything that is wrong at once."""
    return job_settings(recipe_from_toml(content, origin=origin), origin=origin)


def job_settings(recipe: RecipeUnion, *, origin: str) -> SettingsUnion:
    """Return the recipe, which must be that of one job. Raises UserError where it is a plan of many."""
    if isinstance(recipe, ExperimentSettings | GanStudySettings | RoundSettings):
        word = {"experiment": "an experiment", "gan-study": "a study", "round": "a round"}[recipe.kind]
        raise UserError(
            f"{origin} is {word}: many jobs, not one.", f"Start it with: synthstudio {recipe.kind} PROJECT RECIPE."
        )
    if isinstance(recipe, BatchSettings):
        raise UserError(f"{origin} is a batch: many jobs, not one.", "Start it with: synthstudio run PROJECT RECIPE.")
    return recipe


def recipe_from_toml(content: Toml, *, origin: str, wording: Wording = RECIPE_WORDING) -> RecipeUnion:
    """Turn parsed TOML into settings. Raises UserError, naming everything that is wrong at once."""
    values = dict(content)
    version = values.pop("recipe_version", RECIPE_VERSION)
    if not isinstance(version, int) or version > RECIPE_VERSION:
        raise UserError(
            f"{origin} was written by a newer SynthStudio (recipe version {version}).", "Update SynthStudio."
        )
    kind = values.get("kind")
    if kind not in MODELS_BY_RECIPE_KIND:
        raise UserError(f"{origin}: kind is {kind!r}.", f"It must be one of {', '.join(MODELS_BY_RECIPE_KIND)}.")
    try:
        return _settings.validate_python(values)
    except ValidationError as error:
        raise explain_validation(error, MODELS_BY_RECIPE_KIND[str(kind)], origin=origin, wording=wording) from error


def explain_validation(
    error: ValidationError, model: type[JobSettings], *, origin: str, wording: Wording = RECIPE_WORDING
) -> UserError:
    """Put a pydantic error into the user's words: every setting that is wrong, its value, what is allowed."""
    known = [spec.name for spec in setting_specs(model)]
    kinds = set(MODELS_BY_RECIPE_KIND)
    complaints, places = [], []
    for each in error.errors():
        place = ".".join(str(part) for part in each["loc"] if part not in kinds)
        places.append(place)
        if each["type"] == "extra_forbidden":
            close = difflib.get_close_matches(place, known, n=1, cutoff=0.5)
            complaints.append(f"{place} is not a setting" + (f" (did you mean {close[0]}?)" if close else ""))
        elif each["type"] == "missing":
            complaints.append(f"{place} is missing")
        else:
            # Settings that do not fit each other have no place, or that of their group.
            is_alone = place and not isinstance(each["input"], Mapping)
            complaints.append((f"{wording.named(place, each['input'])}: " if is_alone else "") + complaint(each))
    return UserError(f"{origin}: {'; '.join(complaints)}.", wording.hint(places))


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
