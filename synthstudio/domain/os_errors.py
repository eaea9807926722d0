"""What the system refuses, in the user's words: the one place that knows its error numbers."""

from __future__ import annotations

import errno
from pathlib import Path

from synthstudio.domain.errors import UserError

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


def translate_named_error(error: OSError) -> UserError | None:
    """The same where the system itself names the file; None where it names none, so that it may be our own bug."""
    return translate_os_error(error, Path(error.filename)) if isinstance(error.filename, str | Path) else None
