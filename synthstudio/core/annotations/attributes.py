"""Tables of attributes: one image a row, with its sample, split, tone and condition, as far as there are columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from synthstudio.core.annotations.csv_rows import BadTable, iter_rows
from synthstudio.core.annotations.split_folders import find_split
from synthstudio.core.annotations.texts import clean_name, decode_text
from synthstudio.core.imaging import read_bytes
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import Problem
from synthstudio.domain.records import Split

COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "file", "filename", "imagepath", "imagename", "imageid", "path", "img", "imgid"),
    "sample": ("sample", "patient", "patientid", "specimen"),
    "split": ("split", "subset", "set"),
    "tone": ("tone", "skintone", "fitzpatrick", "fitzpatrickscale", "fitspatrick", "phototype", "level"),
    "condition": ("condition", "diagnosis", "diagnostic", "label", "class", "category"),
}


@dataclass(frozen=True, slots=True)
class ImageAttributes:
    """What a row says of an image; an attribute is empty where it says nothing.

    Attributes:
        image: Name of the image file, without folders.
        line: Where it stands in the table, from 1.
    """

    image: str
    line: int
    sample: str = ""
    split: Split | None = None
    tone: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class AttributeTable:
    """A table that was read: its rows, the columns that it has, and what is wrong with it."""

    path: Path
    rows: tuple[ImageAttributes, ...]
    columns: frozenset[str]
    problems: tuple[Problem, ...]


def read_attributes(path: Path) -> AttributeTable:
    """Read a table.

    Raises:
        UserError: The file cannot be read, has no column for the image, or none for an attribute.
    """
    rows: list[ImageAttributes] = []
    problems: list[Problem] = []
    columns: frozenset[str] | None = None
    try:
        for line, row in iter_rows(decode_text(read_bytes(path)), COLUMN_NAMES, texts=COLUMN_NAMES):
            if columns is None:
                columns = _check_columns(path, frozenset(row))
            elif not row.get("image"):
                problems.append(Problem(path.name, "names no image; row skipped", line))
            else:
                rows.append(_read_row(row, line, path, problems))
    except BadTable as error:
        if columns is None:
            raise UserError(f"{path} {error}.", "Choose a table with a heading.") from error
        problems.append(Problem(path.name, str(error), error.line))
    return AttributeTable(path, tuple(rows), columns or frozenset(), tuple(problems))


def _check_columns(path: Path, columns: frozenset[str]) -> frozenset[str]:
    if "image" not in columns or len(columns) == 1:
        raise UserError(
            f"{path} has no heading with a column for the image and one of sample, split, tone, condition.",
            "Give the columns these names.",
        )
    return columns


def _read_row(row: Mapping[str, str], line: int, path: Path, problems: list[Problem]) -> ImageAttributes:
    split_text = row.get("split", "")
    split = find_split(split_text)
    if split_text and split is None:
        problems.append(Problem(path.name, f"split {split_text[:40]!r} is none of train, val and test", line))
    return ImageAttributes(
        image=PureWindowsPath(row["image"]).name,
        line=line,
        sample=clean_name(row.get("sample", "")),
        split=split,
        tone=row.get("tone", ""),
        condition=clean_name(row.get("condition", "")),
    )
