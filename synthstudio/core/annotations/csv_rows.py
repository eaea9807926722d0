"""Rows of CSV tables under whatever heading tools give their columns; delimiter and decimal comma are found out."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping

DELIMITERS = ",;\t|"

Row = Mapping[str, str]
ColumnNames = Mapping[str, tuple[str, ...]]
"""What tools call each column, in lower case without spaces, dashes and underscores."""


class BadTable(Exception):
    """A table that cannot be read any further, and why."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def iter_rows(text: str, names: ColumnNames, *, texts: Collection[str]) -> Iterator[tuple[int, Row]]:
    """Yield the line number and the known columns of the heading, and of each row that holds anything.

    Args:
        text: The whole table.
        names: The columns that are asked for.
        texts: Those that hold no number.

    Raises:
        BadTable: It is empty or malformed; what was yielded before is good.
    """
    heading, _, _ = text.lstrip("\r\n").partition("\n")
    delimiter = max(DELIMITERS, key=lambda each: len(_find_columns(heading.split(each), names)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: dict[str, int] | None = None
    try:
        for fields in reader:
            if not any(value.strip() for value in fields):
                continue
            if columns is None:
                columns = _find_columns(fields, names)
                yield reader.line_num, dict.fromkeys(columns, "")
                continue
            row = {name: fields[place].strip() for name, place in columns.items() if place < len(fields)}
            yield reader.line_num, _with_points(row, texts) if delimiter != "," else row
    except csv.Error as error:
        raise BadTable(f"is malformed: {error}; the rest of the table is left out", reader.line_num) from error
    if columns is None:
        raise BadTable("is empty")


def _with_points(row: Row, texts: Collection[str]) -> Row:
    """Return a row with decimal points: spreadsheets of many countries write a comma."""
    return {name: value if name in texts else value.replace(",", ".") for name, value in row.items()}


def _find_columns(fields: list[str], names: ColumnNames) -> dict[str, int]:
    found: dict[str, int] = {}
    plain = ["".join(part for part in each.casefold() if part.isalnum()) for each in fields]
    for column, known in names.items():
        place = next((plain.index(name) for name in known if name in plain), None)
        if place is not None:
            found[column] = place
    return found
