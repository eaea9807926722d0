"""Settings that name files: seen from the folder of who wrote them, since the engine runs in another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILES = frozenset({"out", "folder"})
MODELS = frozenset({"model", "weights", "features"})
"""A name in the project, or a path."""


def seen_from(folder: Path, name: str, text: str) -> str:
    """The text of a setting: absolute where it is a path, from this folder; else as it is."""
    if not text or name not in FILES | MODELS:
        return text
    path = folder / Path(text).expanduser()
    if name in FILES:
        return str(path)
    is_path = len(Path(text).parts) > 1 or text.endswith(".safetensors")
    return str(path) if is_path and path.exists() else text  # a bare word stays the name of a model


def all_seen_from(folder: Path, values: Mapping[str, object]) -> dict[str, object]:
    """The values of a parsed recipe with their paths made absolute, groups of settings included."""
    return {
        key: all_seen_from(folder, value)
        if isinstance(value, Mapping)
        else seen_from(folder, key, value)
        if isinstance(value, str)
        else value
        for key, value in values.items()
    }
