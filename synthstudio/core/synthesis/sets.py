"""Sets on disk: written aside and renamed once complete; what a killed run wrote is gone on with, not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from synthstudio.core.imaging import sync_folder, translate_os_error
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import (
    HEADER_NAME,
    MANIFEST_NAME,
    MadeImage,
    SetFiles,
    SetOrigin,
    header_bytes,
    recorded_hashes,
)
from synthstudio.core.synthesis.workers import iter_lines
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick

SCRATCH_FOLDER = ".workers"
SPARE_BYTES = 100_000_000
"""Left free on the disk: the project's database, and other programs, must go on."""
BEGUN_NAME = ".begun.json"  # of an unfinished set: the header that it would have, to know it again


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What writing a set came to; `sha256` is that of the manifest."""

    n_images: int
    sha256: str
    seconds: float


class SetSource(Protocol):
    """What makes the images of a set."""

    @property
    def files(self) -> SetFiles:
        """Which files each image comes in."""

    def begun_bytes(self, indices: range) -> bytes:
        """All that the bytes of the set depend on, to know an unfinished one again."""

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        """The header of the finished set."""

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        """Write images into the folders of the set and yield their manifest lines in order, chunk by chunk."""


@dataclass(frozen=True, slots=True)
class _ComposedSource:
    """Composites; see `write_set`."""

    composer: Composer
    origin: SetOrigin
    workers: int

    @property
    def files(self) -> SetFiles:
        return SetFiles.wanted_by(self.origin.settings)

    def begun_bytes(self, indices: range) -> bytes:
        """The number of workers is not among it."""
        alone = dataclasses.replace(self.origin, settings=self.origin.settings.model_copy(update={"workers": 0}))
        return header_bytes(self.composer, alone, count=len(indices), manifest_sha256="")

    def header_bytes(self, indices: range, *, manifest_sha256: str) -> bytes:
        return header_bytes(self.composer, self.origin, count=len(indices), manifest_sha256=manifest_sha256)

    def iter_lines(self, folder: Path, indices: range, *, scratch: Path) -> Generator[list[str], None, None]:
        return iter_lines(self.composer, self.files, folder, indices=indices, workers=self.workers, scratch=scratch)


def write_set(
    folder: Path,
    composer: Composer,
    count: int,
    *,
    origin: SetOrigin,
    workers: int = 0,
    tick: Tick = no_tick,
) -> SetSummary:
    """Write a set of `count` composites; see `write_made_set`.

    Args:
        folder: Folder of the set, which must not exist; its parent is made where needed.
        composer: Makes the images.
        count: Number of images, from the settings' `first_index` on.
        origin: Settings and project state, for the header.
        workers: Worker processes; 0 composes in this one. The bytes are the same.
        tick: Called after every few images; where it raises, nothing stays behind.

    Raises:
        UserError: The folder exists or cannot be written, the disk is full, a worker died.
    """
    first = origin.settings.first_index
    source = _ComposedSource(composer, origin, workers)
    return write_made_set(folder, source, range(first, first + count), tick=tick)


def write_made_set(
    folder: Path, source: SetSource, indices: range, *, keeps_unfinished: bool = False, tick: Tick = no_tick
) -> SetSummary:
    """Write a set of these images with manifest and header; the folder appears whole or not at all.

    Where an earlier run of the very same origin was killed, its images are checked and kept.

    Args:
        folder: Folder of the set, which must not exist; its parent is made where needed.
        source: Makes the images.
        indices: Numbers of the images.
        keeps_unfinished: What was made stays where this ends early, too, to be gone on with; for images that take long.
        tick: Called after every few images; where it raises, nothing else stays behind.

    Raises:
        UserError: The folder exists or cannot be written, the disk is full, or the source cannot go on.
    """
    started = time.perf_counter()
    if folder.exists():
        raise UserError(f'There is already a set "{folder.name}" at {folder}.', "Choose another name, or remove it.")
    partial = unfinished_folder(folder)
    try:
        begun = source.begun_bytes(indices)
        if not _is_the_same(partial, begun) and not _is_whole(partial, source, indices):
            _clear(partial)
            for name in source.files.folders:
                (partial / name).mkdir(parents=True)
            (partial / BEGUN_NAME).write_bytes(begun)
        sha256 = _fill(partial, source, indices, tick=tick)
        (partial / HEADER_NAME).write_bytes(source.header_bytes(indices, manifest_sha256=sha256))
        (partial / BEGUN_NAME).unlink(missing_ok=True)  # after the header: what has no room for one is gone on with
        _flush_to_disk()
        partial.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        if not keeps_unfinished:
            _clear(partial)
        raise translate_os_error(error, folder) from error
    except BaseException:
        if not keeps_unfinished:
            _clear(partial)
        raise
    return SetSummary(n_images=len(indices), sha256=sha256, seconds=time.perf_counter() - started)


def unfinished_folder(folder: Path) -> Path:
    """Where a set lies until it is complete; begins with a dot, as no set's name does: "a.partial" may be one."""
    return folder.with_name(f".{folder.name}.partial")


def count_unfinished(folder: Path, source: SetSource, indices: range) -> int:
    """Images of this very set that were made and are gone on with; 0 where there are none, or others lie there."""
    partial = unfinished_folder(folder)
    manifest = partial / MANIFEST_NAME
    if not manifest.is_file():
        return 0
    if not _is_the_same(partial, source.begun_bytes(indices)) and not _is_whole(partial, source, indices):
        return 0
    return manifest.read_bytes().count(b"\n")


def write_image_files(folder: Path, made: MadeImage) -> None:
    """Write the files of an image into the folder of its set. Raises UserError where that fails."""
    for name, data in made.files.items():
        try:
            (folder / name).write_bytes(data)
        except OSError as error:
            raise translate_os_error(error, folder / name) from error


def check_room(folder: Path, *, n_images: int, bytes_each: int) -> None:
    """Make sure that the disk has room for images that are still to be made.

    Raises:
        UserError: It has not.
    """
    if not n_images:
        return
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    if free < n_images * bytes_each:
        raise UserError(
            f"The disk has room for about {max(0, free // bytes_each)} of the {n_images} images that are still to be"
            " made.",
            "Free some space, write fewer variants, or choose the file format jpeg.",
        )


def _is_the_same(partial: Path, begun: bytes) -> bool:
    path = partial / BEGUN_NAME
    return path.is_file() and path.read_bytes() == begun


def _is_whole(partial: Path, source: SetSource, indices: range) -> bool:
    """Whether it was killed when nothing but its name was left to be done: then the header tells what it is of."""
    header, manifest = partial / HEADER_NAME, partial / MANIFEST_NAME
    if not header.is_file() or not manifest.is_file():
        return False
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    return header.read_bytes() == source.header_bytes(indices, manifest_sha256=sha256)


def _fill(partial: Path, source: SetSource, indices: range, *, tick: Tick) -> str:
    """Write the images and the manifest lines that are missing; return the manifest's SHA-256."""
    kept = _kept_lines(partial, source.files, indices)
    digest, done = hashlib.sha256(b"".join(kept)), len(kept)
    tick(done, len(indices))
    # Within the unfinished set, not in the system's folder for temporary files: a killed run must leave one thing only.
    scratch = partial / SCRATCH_FOLDER
    _clear(scratch)
    scratch.mkdir()
    with (partial / MANIFEST_NAME).open("wb") as manifest:
        manifest.write(b"".join(kept))
        chunks = source.iter_lines(partial, indices[done:], scratch=scratch)
        try:
            for lines in chunks:
                data = "".join(f"{line}\n" for line in lines).encode()
                manifest.write(data)
                manifest.flush()  # what a kill leaves is gone on with
                digest.update(data)
                done += len(lines)
                tick(done, len(indices))
        finally:
            chunks.close()  # ends the workers, which hold the file in the scratch folder open
    _clear(scratch)
    return digest.hexdigest()


def _kept_lines(partial: Path, files: SetFiles, indices: range) -> list[bytes]:
    """Manifest lines of a killed run whose files are there, byte for byte, up to the first that is not."""
    manifest = partial / MANIFEST_NAME
    kept: list[bytes] = []
    if not manifest.is_file():
        return kept
    for index, line in zip(indices, manifest.read_bytes().splitlines(keepends=True), strict=False):
        try:
            recorded = recorded_hashes(json.loads(line), files, index) if line.endswith(b"\n") else None
        except ValueError:
            break
        if recorded is None or not all(_has_hash(partial / name, sha256) for name, sha256 in recorded.items()):
            break
        kept.append(line)
    return kept


def _has_hash(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _flush_to_disk() -> None:
    """One flush for all files before the rename makes them a set: syncing each costs more than composing it."""
    if hasattr(os, "sync"):
        os.sync()


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
