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
    """Where the image of an FOV lies now; `stored` is how the project writes it."""

    fov_id: FovId
    path: Path
    stored: str


@dataclass(frozen=True, slots=True)
class _Move:
    """A folder that lies elsewhere now: what is the same at the ends of the two paths is left out."""

    old: Path
    new: Path

    @classmethod
    def between(cls, old: Path, new: Path) -> _Move:
        if old.name != new.name:  # renamed as well: nothing is known of the folders above
            return cls(old.parent, new.parent)
        while old.name == new.name and old != old.parent and new != new.parent:
            old, new = old.parent, new.parent
        return cls(old, new)

    def candidates(self, path: Path, beside: Path) -> list[Path]:
        """Where a file of the old folder may lie now; a folder above that is the same for both says nothing."""
        moved = [self.new / path.relative_to(self.old)] if path.is_relative_to(self.old) else []
        return [each for each in dict.fromkeys([*moved, beside / path.name]) if each != path]


def find_moved(
    project: Project, fov: FieldOfView, path: Path, all_fovs: Sequence[FieldOfView], tick: Tick
) -> list[FoundFile]:
    """Return the FOV whose image the user pointed at, and all others that moved with it.

    Others are those whose file is gone or another by now, and whose own lies in the moved folder, in the same
    subfolder as before, or beside the file that the user pointed at.

    Raises:
        UserError: The file is not the image that was imported.
    """
    if sha256_of_file(path) != fov.sha256:
        raise UserError(
            f"{path.name} is not the image that was imported as {fov.name}: its content differs.",
            "Choose the original file, or import this one as a new field.",
        )
    move = _Move.between(Path(fov.path), path)
    others = [each for each in all_fovs if each.id != fov.id]
    found = {fov.id: path}
    hashes = {path: fov.sha256}  # each file is read once, however many pages it holds
    for number, each in enumerate(others):
        tick(number, len(others))
        present = Path(each.path)
        candidates = [path] if each.sha256 == fov.sha256 else move.candidates(present, path.parent)
        for candidate in candidates:
            if not candidate.is_file() or _seems_same(present, candidate):
                continue
            if candidate not in hashes:
                hashes[candidate] = sha256_of_file(candidate)
            if hashes[candidate] == each.sha256:
                found[each.id] = candidate
                break
    return [FoundFile(fov_id, place, stored_path(project.folder, place)) for fov_id, place in found.items()]


def _seems_same(present: Path, candidate: Path) -> bool:
    """Whether the present file is there and as large as the other: then there is no reason to leave it."""
    try:
        return present.stat().st_size == candidate.stat().st_size
    except OSError:
        return False


def relink(project: Project, found: Sequence[FoundFile]) -> Changes:
    """Point the FOVs at their files. Raises UserError where the project is read-only."""
    told = changes("fovs")
    with project.transaction():
        for each in found:
            told |= project.fovs.relink(each.fov_id, stored_path=each.stored)
    return told
