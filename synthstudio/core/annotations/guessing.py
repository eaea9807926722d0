"""In which format a folder or file probably is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from synthstudio.core.annotations.tables import is_table_of_marks

MAX_LOOKED_AT = 5000
MAX_OPENED = 20
BEGINNING_BYTES = 4096


def guess_format(path: Path) -> str:
    """Return the import format that fits a file, or what lies in a folder; imagefolder where there is nothing else."""
    try:
        if path.is_file():
            return _guess_file(path)
        paths = sorted(islice(_iter_shown(path), MAX_LOOKED_AT))  # systems list them in orders of their own
    except OSError:
        return "imagefolder"  # the reader says in words why it cannot be read
    return _guess_folder(paths)


def _iter_shown(folder: Path) -> Iterator[Path]:
    """Files in a folder and below it, without those in hidden folders, which can be many."""
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        yield from (Path(place, each) for each in files if not each.startswith("."))


def _guess_folder(paths: list[Path]) -> str:
    names = [each.name.lower() for each in paths]
    if any(name.endswith(".geojson") for name in names):
        return "geojson"
    if any(name.endswith(".json") for name in names):
        return _guess_file(next(each for each in paths if each.name.lower().endswith(".json")))
    n_xml = sum(name.endswith(".xml") for name in names)
    stems = {name.rpartition(".")[0] for name in names if not name.endswith((".txt", ".xml"))}
    labels = [each for each in paths if each.suffix.lower() == ".txt" and each.stem.lower() in stems]
    if n_xml and n_xml >= len(labels):
        return "voc"
    if labels:
        has_yaml = any(name in ("data.yaml", "data.yml", "dataset.yaml") for name in names)
        if has_yaml or _looks_like_yolo(labels):
            return "yolo"
        return "captions" if _looks_like_captions(labels) else "centers"
    tables = [each for each in paths if each.suffix.lower() in (".csv", ".tsv")]
    has_marks = any(is_table_of_marks(_read_beginning(path)) for path in tables[:MAX_OPENED])
    return "csv" if has_marks else "imagefolder"


def _guess_file(path: Path) -> str:
    """Return the format of one annotation file by its name and its beginning."""
    by_suffix = {".geojson": "geojson", ".csv": "csv", ".tsv": "csv", ".xml": "voc", ".yaml": "yolo", ".yml": "yolo"}
    suffix = path.suffix.lower()
    if suffix != ".json":
        return by_suffix.get(suffix, "imagefolder")
    beginning = _read_beginning(path)
    if '"shapes"' in beginning or '"imagePath"' in beginning:
        return "labelme"
    return "geojson" if '"Feature' in beginning else "coco"


def _looks_like_yolo(labels: list[Path]) -> bool:
    """Whether the first line that there is has a class and four shares, not two px and a class."""
    for path in labels[:MAX_OPENED]:
        if fields := _read_beginning(path).partition("\n")[0].split():
            return len(fields) >= 5 and fields[0].isdecimal() and all(_is_share(field) for field in fields[1:5])
    return False


def _looks_like_captions(labels: list[Path]) -> bool:
    """Whether the first line that there is has words where a centre has two numbers."""
    for path in labels[:MAX_OPENED]:
        fields = _read_beginning(path).strip().partition("\n")[0].replace(",", " ").split()
        if fields and not fields[0].startswith("#") and [field.casefold() for field in fields[:2]] != ["x", "y"]:
            return not all(_is_number(field) for field in fields[:2])
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def _read_beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(BEGINNING_BYTES).decode("utf-8", errors="replace")
