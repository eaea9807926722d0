"""Where a project comes from that was made only to look at a data set of another program."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from synthstudio.project.project import Project

_KEY = "looked_at"


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The data set that a project shows; its images stay where they lie.

    Attributes:
        path: Folder or file that was read.
        format: As which it was read.
        content: Hash of all that was read.
        marks: Hash of what the project held when it had been read; another one now means that somebody has edited it.
        problems: What could not be read, in words.
    """

    path: str
    format: str
    content: str
    marks: str
    problems: tuple[str, ...] = ()


def find_looked_at(project: Project) -> LookedAt | None:
    """The data set that a project shows; None for a project of its own."""
    text = project.find_meta(_KEY)
    if text is None:
        return None
    told = json.loads(text)
    return LookedAt(**{**told, "problems": tuple(told["problems"])})


def write_looked_at(project: Project, what: LookedAt) -> None:
    """Remember which data set a project shows."""
    project.set_meta(_KEY, json.dumps(asdict(what)))
