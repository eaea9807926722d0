"""What a folder that was dropped onto the window probably is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from synthstudio.project.project import DATABASE_NAME

MAX_LOOKED_AT = 5000


def is_project(folder: Path) -> bool:
    """Whether the folder is a SynthStudio project."""
    return (folder / DATABASE_NAME).is_file()


def guess_format(folder: Path) -> str:
    """Return the import format that fits what lies in a folder: voc, centers or imagefolder."""
    try:
        names = [path.name.lower() for path in islice(folder.rglob("*"), MAX_LOOKED_AT)]
    except OSError:
        return "imagefolder"  # the reader says in words why it cannot be read
    n_xml = sum(name.endswith(".xml") for name in names)
    stems = {name.rpartition(".")[0] for name in names if not name.endswith((".txt", ".xml"))}
    n_centers = sum(name.endswith(".txt") and name.removesuffix(".txt") in stems for name in names)
    if n_xml and n_xml >= n_centers:
        return "voc"
    return "centers" if n_centers else "imagefolder"
