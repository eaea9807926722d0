"""Sets on disk: written aside and renamed once complete, and checked against their manifest."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.imaging import sync_folder, translate_os_error
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import (
    HEADER_NAME,
    IMAGES_FOLDER,
    MANIFEST_NAME,
    SetOrigin,
    header_bytes,
)
from synthstudio.core.synthesis.workers import iter_lines
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick

SCRATCH_FOLDER = ".workers"


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What writing a set came to; `sha256` is that of the manifest."""

    n_images: int
    sha256: str
    seconds: float


def write_set(
    folder: Path,
    composer: Composer,
    count: int,
    *,
    origin: SetOrigin,
    workers: int = 0,
    tick: Tick = no_tick,
) -> SetSummary:
    """Write a set of `count` images with manifest and header; the folder appears whole or not at all.

    Args:
        folder: Folder of the set, which must not exist; its parent is made where needed.
        composer: Makes the images.
        count: Number of images.
        origin: Settings and project state, for the header.
        workers: Worker processes; 0 composes in this one. The bytes are the same.
        tick: Called after every few images; where it raises, nothing stays behind.

    Raises:
        UserError: The folder exists or cannot be written, the disk is full, a worker died.
    """
    started = time.perf_counter()
    if folder.exists():
        raise UserError(f'There is already a set "{folder.name}" at {folder}.', "Choose another name, or remove it.")
    # Begins with a dot, as no set's name does: "a.partial" may be somebody's set.
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        _clear(partial)  # left by a run that was killed
        (partial / IMAGES_FOLDER).mkdir(parents=True)
        sha256 = _fill(partial, composer, count=count, workers=workers, tick=tick)
        (partial / HEADER_NAME).write_bytes(header_bytes(composer, origin, count=count, manifest_sha256=sha256))
        _flush_to_disk()
        partial.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        _clear(partial)
        raise translate_os_error(error, folder) from error
    except BaseException:
        _clear(partial)
        raise
    return SetSummary(n_images=count, sha256=sha256, seconds=time.perf_counter() - started)


def _fill(partial: Path, composer: Composer, *, count: int, workers: int, tick: Tick) -> str:
    """Write images and manifest; return the manifest's SHA-256."""
    digest, done = hashlib.sha256(), 0
    tick(0, count)
    # Within the unfinished set, not in the system's folder for temporary files: a killed run must leave one thing only.
    scratch = partial / SCRATCH_FOLDER
    scratch.mkdir()
    with (partial / MANIFEST_NAME).open("wb") as manifest:
        chunks = iter_lines(composer, partial, count=count, workers=workers, scratch=scratch)
        try:
            for lines in chunks:
                data = "".join(f"{line}\n" for line in lines).encode()
                manifest.write(data)
                digest.update(data)
                done += len(lines)
                tick(done, count)
        finally:
            chunks.close()  # ends the workers, which hold the file in the scratch folder open
    _clear(scratch)
    return digest.hexdigest()


def _flush_to_disk() -> None:
    """One flush for all files before the rename makes them a set: syncing each costs more than composing it."""
    if hasattr(os, "sync"):
        os.sync()


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
