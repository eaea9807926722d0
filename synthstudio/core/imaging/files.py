"""Bytes in and out: whole or not at all, with the system's refusals in the user's words."""

import errno
import hashlib
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick

CHUNK_BYTES = 1 << 20

OS_ERROR_TEXTS: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("{} does not exist.", "Check the name; it may have been moved, renamed, or its drive is off."),
    errno.EACCES: ("No permission to use {}.", "Ask for access to it, or choose another place."),
    errno.EPERM: ("No permission to use {}.", "Ask for access to it, or choose another place."),
    errno.EROFS: ("{} lies on a read-only drive.", "Choose a folder that can be written to."),
    errno.ENOSPC: ("The disk is full: {} was not written.", "Free some space, or choose a folder on another disk."),
    errno.EDQUOT: ("Your disk quota is used up: {} was not written.", "Free some space, or choose another disk."),
    errno.EISDIR: ("{} is a folder, not a file.", "Choose a file."),
    errno.ENOTDIR: ("{} cannot exist: a part of its path is a file.", "Check the path."),
    errno.EEXIST: ("{} exists already.", "Choose another name, or remove it first."),
    errno.ENOTEMPTY: ("{} exists already and is not empty.", "Choose another name, or remove it first."),
    errno.ENAMETOOLONG: ("The name {} is too long for this disk.", "Use shorter names."),
    errno.EIO: ("The disk or network failed while using {}.", "Check the cable or the drive, then try again."),
    errno.EMFILE: ("Too many files are open to open {}.", "Close other programs, then try again."),
}


def translate_os_error(error: OSError, path: Path) -> UserError:
    """Say in the user's words why the system refused to read or write `path`."""
    known = OS_ERROR_TEXTS.get(error.errno or 0)
    if known is None:
        return UserError(f"{path} cannot be used: {error.strerror or error}.", "Check the drive, then try again.")
    message, hint = known
    return UserError(message.format(path), hint)


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
    # A short name of its own: one derived from a long file name could exceed what the file system allows.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
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
