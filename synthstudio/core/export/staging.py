"""An export folder that is whole or absent."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from synthstudio.core.imaging import sync_folder, translate_os_error
from synthstudio.domain.errors import UserError

MARKER_NAME = ".export-in-progress"
N_SYNCS = 8
"""Files that are brought to the disk at a time: the disk orders them, which one by one it cannot."""


@contextlib.contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """Give a folder `OUT.partial` to write into; it becomes `out` at the end, and vanishes on any error or cancel.

    Raises:
        UserError: `out` is a file or holds something, or a folder cannot be written.
    """
    out = out.absolute()
    _refuse_occupied(out)
    partial = out.with_name(f"{out.name}.partial")
    try:
        _clear(partial)
        partial.mkdir(parents=True)
        (partial / MARKER_NAME).touch()
    except OSError as error:
        raise translate_os_error(error, partial) from error
    try:
        yield partial
        _publish(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def write_staged(path: Path, data: bytes) -> None:
    """Write a file of the staged folder; it need not be durable before the folder is published.

    Raises:
        UserError: The disk is full, the folder is missing, ...
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise translate_os_error(error, path) from error


def make_folder(path: Path) -> Path:
    """Create a folder inside the staged one and return it.

    Raises:
        UserError: It cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise translate_os_error(error, path) from error
    return path


def _refuse_occupied(out: Path) -> None:
    try:
        occupied = out.exists() and (not out.is_dir() or next(out.iterdir(), None) is not None)
    except OSError as error:
        raise translate_os_error(error, out) from error
    if occupied:
        what = "is not empty" if out.is_dir() else "is a file"
        raise UserError(f"{out} {what}; an export needs a new or empty folder.", "Choose another folder.")


def _clear(partial: Path) -> None:
    """Remove what an export that was killed left behind, and nothing else."""
    if not partial.exists():
        return
    if not (partial / MARKER_NAME).exists():
        raise UserError(f"{partial} is in the way: it is no unfinished export.", "Rename it, or choose another folder.")
    shutil.rmtree(partial)


def _publish(partial: Path, out: Path) -> None:
    try:
        _sync_tree(partial)
        (partial / MARKER_NAME).unlink()
        if out.exists():
            out.rmdir()
        partial.rename(out)
        sync_folder(out.parent)
    except OSError as error:
        raise translate_os_error(error, out) from error


def _sync_tree(folder: Path) -> None:
    """Bring all files and folders to the disk, before the rename that makes them seen.

    All at the end: one by one each sync would wait for the disk, ten thousand times. The system has written most of
    the files by then.
    """
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    files = [path for each in folders for path in each.iterdir() if path.is_file()]
    with ThreadPoolExecutor(N_SYNCS) as pool:
        for _ in pool.map(_sync_file, files):
            pass
        for _ in pool.map(sync_folder, folders):
            pass


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
