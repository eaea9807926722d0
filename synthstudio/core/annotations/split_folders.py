"""Splits that the names of folders and files tell."""

import re
from pathlib import Path

from synthstudio.domain.records import Split

SPLIT_FOLDERS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VAL,
    "valid": Split.VAL,
    "validation": Split.VAL,
    "test": Split.TEST,
    "testing": Split.TEST,
}


def find_split(name: str) -> Split | None:
    """Return the split that a word of a name tells, as in `instances_val2017`; None where there is none, or two."""
    words = re.findall("[a-z]+", name.casefold())
    found = {SPLIT_FOLDERS[word] for word in words if word in SPLIT_FOLDERS}
    return found.pop() if len(found) == 1 else None


def find_folder_split(path: Path, root: Path) -> Split | None:
    """Return the split that a folder between the root and a file is called after, the innermost first."""
    folders = path.relative_to(root).parts[:-1] if path.is_relative_to(root) else ()
    return next(
        (SPLIT_FOLDERS[part.casefold()] for part in reversed(folders) if part.casefold() in SPLIT_FOLDERS), None
    )
