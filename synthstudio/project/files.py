"""Image files of a project: referenced where they lie, or copied in under the hash of their content."""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from pathlib import Path

from synthstudio.core.imaging import sha256_of_file, translate_os_error
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView


class FileState(StrEnum):
    """What became of the image file of an FOV."""

    SAME = "same"
    MISSING = "missing"
    CHANGED = "changed"


def stored_path(folder: Path, image: Path) -> str:
    """How the database writes the path of an image outside the project.

    Relative to the project where both lie below the same parent folder, so that they can be moved together;
    absolute otherwise.
    """
    image = image.resolve()
    if image.is_relative_to(folder.parent):
        return Path(os.path.relpath(image, folder)).as_posix()
    return str(image)


def copied_path(image: Path, *, sha256: str) -> str:
    """Where the copy of an image lies, relative to the project."""
    return f"images/{sha256[:2]}/{sha256}{image.suffix.lower()}"


def copy_into(folder: Path, image: Path, *, sha256: str) -> str:
    """Copy an image into `images/` under its content hash; return its path relative to the project.

    The copy is complete or absent: it is written under a temporary name, synced and renamed.

    Raises:
        UserError: The file cannot be read, the disk is full, or the file changed since it was hashed.
    """
    relative = copied_path(image, sha256=sha256)
    target = folder / relative
    if target.exists():
        return relative
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, partial)
        if sha256_of_file(partial) != sha256:
            raise UserError(f"The image {image} changed while it was copied.", "Import it again.")
        with partial.open("rb+") as handle:
            os.fsync(handle.fileno())
        partial.replace(target)
    except OSError as error:
        raise translate_os_error(error, target) from error
    finally:
        partial.unlink(missing_ok=True)
    return relative


def file_state(fov: FieldOfView, tick: Tick = no_tick) -> FileState:
    """Compare the image file with what was imported, by its hash; the tick counts bytes."""
    path = Path(fov.path)
    if not path.is_file():
        return FileState.MISSING
    return FileState.SAME if sha256_of_file(path, tick) == fov.sha256 else FileState.CHANGED
