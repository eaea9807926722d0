"""Putting a new set in the place of an old one, such that a failure leaves the old one."""

from __future__ import annotations

import shutil
from pathlib import Path

from synthstudio.core.imaging import translate_os_error
from synthstudio.project import Project


def set_aside(project: Project, name: str) -> None:
    """Move the files of a set out of the way; its row and verdicts stay until a new set of the name is recorded.

    Raises:
        UserError: The folder cannot be moved.
    """
    put_back(project, name)
    folder = project.set_folder(name)
    try:
        if folder.exists():
            folder.rename(_aside(folder))
    except OSError as error:
        raise translate_os_error(error, folder) from error


def put_back(project: Project, name: str) -> None:
    """Bring the old files back where no new set has come; delete them where one has. Also after a killed program.

    Raises:
        UserError: The folder cannot be moved.
    """
    folder = project.set_folder(name)
    aside = _aside(folder)
    try:
        if not aside.exists():
            return
        if folder.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(folder)
    except OSError as error:
        raise translate_os_error(error, folder) from error


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.replaced")
