"""Recipes that a batch names by file, read into it, so that it can be stored whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthstudio.domain.errors import UserError
from synthstudio.settings.file_paths import all_seen_from
from synthstudio.settings.toml_files import read_toml


def inline_files(content: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Put the recipes that a batch names by file into it, so that it can be stored whole.

    Args:
        content: A parsed batch file.
        folder: What its files are named from.

    Raises:
        UserError: A file cannot be read or is no TOML.
    """
    jobs = content.get("jobs")
    if not isinstance(jobs, list):
        return dict(content)
    return {**content, "jobs": [_with_file(job, folder) if isinstance(job, dict) else job for job in jobs]}


def _with_file(job: Mapping[str, object], folder: Path) -> dict[str, object]:
    name, recipe = job.get("file"), job.get("recipe", {})
    if not isinstance(name, str) or not name or not isinstance(recipe, dict):
        return dict(job)
    path = folder / name
    try:
        read = read_toml(path)
    except UserError as error:
        raise UserError(f"The recipe of the job {job.get('name')}: {error.message}", error.hint) from error
    read.pop("recipe_version", None)
    own, over = all_seen_from(path.absolute().parent, read), all_seen_from(folder, recipe)
    return {**{key: value for key, value in job.items() if key != "file"}, "recipe": _merged(own, over)}


def _merged(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in over.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
