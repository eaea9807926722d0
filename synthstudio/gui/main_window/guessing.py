"""Whether what was dropped onto the window is a project."""

from __future__ import annotations

from pathlib import Path

from synthstudio.project.project import DATABASE_NAME


def is_project(folder: Path) -> bool:
    """Whether the folder is a SynthStudio project."""
    return (folder / DATABASE_NAME).is_file()


def find_project(path: Path) -> Path | None:
    """Return the project folder that a folder, or the database in it, stands for."""
    folder = path.parent if path.name == DATABASE_NAME else path
    return folder if is_project(folder) else None
