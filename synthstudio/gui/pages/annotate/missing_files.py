"""Finding image files that have moved: the user shows where one lies, its neighbours are found with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import sha256_of_file
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Changes, FieldOfView, changes
from synthstudio.project import Project
from synthstudio.project.files import stored_path


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Where the image of an FOV lies now."""

    fov_id: FovId
    path: Path


def find_moved(fov: FieldOfView, path: Path, all_fovs: Sequence[FieldOfView], tick: Tick) -> list[FoundFile]:
    """Return the FOV whose image the user pointed at, and all other missing ones that lie in the same folder.

    Raises:
        UserError: The file is not the image that was imported.
    """
    if sha256_of_file(path) != fov.sha256:
        raise UserError(
            f"{path.name} is not the image that was imported as {fov.name}: its content differs.",
            "Choose the original file, or import this one as a new field.",
        )
    found = [FoundFile(fov.id, path)]
    missing = [each for each in all_fovs if each.id != fov.id and not Path(each.path).is_file()]
    for number, each in enumerate(missing):
        tick(number, len(missing))
        candidate = path.parent / Path(each.path).name
        if candidate.is_file() and sha256_of_file(candidate) == each.sha256:
            found.append(FoundFile(each.id, candidate))
    return found


def relink(project: Project, found: Sequence[FoundFile]) -> Changes:
    """Point the FOVs at their files. Raises UserError where the project is read-only."""
    told = changes("fovs")
    with project.transaction():
        for each in found:
            told |= project.fovs.relink(each.fov_id, stored_path=stored_path(project.folder, each.path))
    return told
