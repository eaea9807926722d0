"""The licence that comes with a model: its text is kept beside the weights for as long as they are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

MAX_CHARACTERS = 60_000
LINE_CHARACTERS = 36
_NAMES = ("license", "licence", "copying")
_README = "readme.md"
_IN_README = re.compile(r"^license(?:_name)?:\s*[\"']?([\w.+-]+)", re.MULTILINE)
_METADATA = ("modelspec.license", "license", "licence")


def is_licence_file(path: Path) -> bool:
    """Whether a file holds, or names, the licence of what is in its folder."""
    name = path.name.lower()
    return name == _README or name.startswith(_NAMES)


def find_licence(files: Iterable[Path], metadata: Mapping[str, str]) -> str:
    """Text of the licence among files; else the name that a README or the file's own metadata give; else nothing."""
    files = list(files)
    for path in files:
        if path.name.lower().startswith(_NAMES):
            return _text(path)
    for path in files:
        if path.name.lower() == _README and (found := _IN_README.search(_text(path))):
            return found[1]
    return next((metadata[key] for key in _METADATA if metadata.get(key)), "")


def licence_line(licence: str) -> str:
    """The first line of a licence, shortened; "none found" where there is none."""
    lines = licence.strip().splitlines()
    first = lines[0].strip(" #*") if lines else "none found"
    return first if len(first) <= LINE_CHARACTERS else f"{first[: LINE_CHARACTERS - 1]}…"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[:MAX_CHARACTERS].strip()
