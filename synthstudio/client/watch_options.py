"""Which folder a project watches. Light: the window reads it when it opens a project."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from synthstudio.domain.records import Split
from synthstudio.project import Project

META_KEY, TAKEN_KEY = "watched_folder", "watched_files"
EVERY_S = 5.0
"""Between two looks."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What is watched, and what becomes of a new image.

    Attributes:
        folder: With all folders below it.
        sample_from: "folder", "stem" or a regular expression with one group, as for an import; empty for its default.
        split: Of the new images; None for what their folder says.
        copies: Whether images are copied into the project.
        suggests: Whether a model suggests what to mark on them.
        run: Id of its training; empty for the newest one.
    """

    folder: str
    sample_from: str = ""
    split: Split | None = None
    copies: bool = False
    suggests: bool = False
    run: str = ""


def read_watch(project: Project) -> WatchOptions | None:
    """What the project watches while it is open; None for nothing."""
    text = project.find_meta(META_KEY)
    try:
        values = json.loads(text) if text else None
        if not isinstance(values, dict):
            return None
        split = values.pop("split", None)
        return WatchOptions(**values, split=Split(split) if split else None)
    except (ValueError, TypeError):  # written by another version
        return None


def write_watch(project: Project, options: WatchOptions | None) -> None:
    """Keep what is watched with the project. Raises UserError where it is read-only."""
    project.set_meta(META_KEY, json.dumps(dataclasses.asdict(options)) if options is not None else "")


def read_taken(project: Project, folder: str) -> dict[str, tuple[int, int]]:
    """The files of a watched folder that were taken, or could not be: path below it -> size in bytes, time in ns.

    Kept with the project: a field that was removed does not come back.
    """
    text = project.find_meta(TAKEN_KEY)
    try:
        kept = json.loads(text).get(folder, {}) if text else {}
        return {str(path): (int(size), int(time)) for path, (size, time) in kept.items()}
    except (ValueError, TypeError, AttributeError):  # written by another version
        return {}


def write_taken(project: Project, folder: str, taken: Mapping[str, tuple[int, int]]) -> None:
    """Keep which files were taken; of the folder that is watched now alone."""
    project.set_meta(TAKEN_KEY, json.dumps({folder: taken}))
