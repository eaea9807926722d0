"""Bytes in and out: whole or not at all, with the system's refusals in the user's words."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.progress import Tick, no_tick

CHUNK_BYTES = 1 << 20


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        UserError: The file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise translate_os_error(error, path) from error


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write a file that is whole or absent even if the machine dies meanwhile; an older one is replaced.

    Raises:
        UserError: The folder is missing or read-only, the disk is full, ...
    """
    with writing_atomically(path) as stream:
        stream.write(data)


@contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content becomes the file, whole or not at all; an older one is replaced.

    Raises:
        UserError: The folder is missing or read-only, the disk is full, ...
    """
    # A short name of its own: one derived from a long file name could exceed what the file system allows.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _remove_quietly(temporary)
        raise translate_os_error(error, path) from error
    except BaseException:
        _remove_quietly(temporary)
        raise


def save_array(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an array as an .npy file, for other processes to map.

    Not `np.save`: what it raises on a full disk does not say so.

    Raises:
        UserError: The disk is full, the folder is missing, ...
    """
    try:
        with path.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
            stream.write(np.ascontiguousarray(array).data)
    except OSError as error:
        raise translate_os_error(error, path) from error


def _remove_quietly(temporary: Path) -> None:
    """Remove what is left of a failed write; the reason of the failure matters, not that of the tidying."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return


def sync_folder(folder: Path) -> None:
    """Make renames inside the folder durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder; the file itself is safe by then.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def sha256_of_file(path: Path, tick: Tick = no_tick) -> str:
    """Return the SHA-256 of the file's bytes as 64 hexadecimal digits; the tick counts bytes.

    Raises:
        UserError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            total = os.fstat(stream.fileno()).st_size
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                tick(stream.tell(), total)
    except OSError as error:
        raise translate_os_error(error, path) from error
    return digest.hexdigest()
