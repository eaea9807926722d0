"""The hash of a model, and whether its files are still those that were hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthstudio.core.imaging import sha256_of_file, translate_os_error
from synthstudio.core.models.recognition import Found
from synthstudio.domain.errors import UserError
from synthstudio.domain.models import LocalModel, ModelFile
from synthstudio.domain.progress import Tick, no_tick

Known = Mapping[tuple[str, int, int], str]
"""Hashes that were computed before, by absolute path, size and time of the last change."""


def hash_files(found: Found, tick: Tick = no_tick, *, known: Known | None = None) -> tuple[ModelFile, ...]:
    """Hash all files of a model; the tick counts bytes of all of them.

    Raises:
        UserError: A file cannot be read.
    """
    base = found.path if found.path.is_dir() else found.path.parent
    return hash_each([(path.relative_to(base).as_posix(), path) for path in found.files], tick, known=known)


def hash_each(
    paths: Sequence[tuple[str, Path]], tick: Tick = no_tick, *, known: Known | None = None
) -> tuple[ModelFile, ...]:
    """Hash files, each given with the name that it gets. Raises UserError where one cannot be read."""
    try:
        stats = [path.stat() for _, path in paths]
    except OSError as error:
        raise translate_os_error(error, Path(str(error.filename))) from error
    total, done = sum(each.st_size for each in stats), 0
    files: list[ModelFile] = []
    for (name, path), stat in zip(paths, stats, strict=True):
        before = done
        digest = (known or {}).get((str(path), stat.st_size, stat.st_mtime_ns))
        if digest is None:
            digest = sha256_of_file(path, lambda n, _, before=before: tick(before + n, total))  # type: ignore[misc]
        done = before + stat.st_size
        tick(done, total)
        files.append(ModelFile(name, stat.st_size, stat.st_mtime_ns, digest))
    return tuple(files)


def hash_of_files(files: Sequence[ModelFile]) -> str:
    """The hash of a model: of one file its own, of several that of their names and hashes in order."""
    if len(files) == 1:
        return files[0].sha256
    lines = "".join(f"{each.sha256}  {each.name}\n" for each in sorted(files, key=lambda each: each.name))
    return hashlib.sha256(lines.encode()).hexdigest()


def file_path(model: LocalModel, file: ModelFile) -> Path:
    """Where a file of a model lies."""
    return (model.path if model.path.is_dir() else model.path.parent) / file.name


def find_changes(
    model: LocalModel, tick: Tick = no_tick, *, is_thorough: bool, known: Known | None = None
) -> list[str]:
    """What is no longer as it was recorded, one sentence each; nothing where all is well.

    Args:
        model: As recorded.
        tick: Counts bytes.
        is_thorough: Hash every file again, not only those whose size or time of change differs.
        known: Hashes that stand for hashing again; not where that is thorough.
    """
    problems: list[str] = []
    total, done = model.n_bytes, 0
    for each in model.files:
        path = file_path(model, each)
        try:
            stat = path.stat()
            remembered = (known or {}).get((str(path), stat.st_size, stat.st_mtime_ns))
            is_same = stat.st_mtime_ns == each.mtime_ns or remembered == each.sha256
            if stat.st_size != each.n_bytes:
                problems.append(f"{each.name} has {stat.st_size} bytes instead of {each.n_bytes}.")
            elif (is_thorough or not is_same) and sha256_of_file(path) != each.sha256:
                problems.append(f"{each.name} has other content than when it was brought in.")
        except FileNotFoundError:
            problems.append(f"{each.name} is missing.")
        except OSError as error:
            problems.append(translate_os_error(error, path).message)
        except UserError as error:
            problems.append(error.message)
        done += each.n_bytes
        tick(done, total)
    return problems
