"""JSON from strangers: any size, depth and type, without an exception but `JsonError`."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from synthstudio.core.annotations.planning import PlanBuilder
from synthstudio.core.annotations.texts import clean_name

# As `json.loads` gives it; recursive type aliases are more than the checks below need.
JsonValue: TypeAlias = object
JsonRecord: TypeAlias = Mapping[str, object]

MAX_JSON_BYTES = 1 << 30
"""Longest JSON file that is read: the instances of COCO itself have 0.45 GB."""

MAX_INT_DIGITS = 18
MAX_COORDINATE = 1e9
EMPTY: JsonRecord = {}


class JsonError(Exception):
    """The text is no JSON that can be read."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse_json(data: bytes) -> JsonValue:
    """Return the value of a JSON text.

    Raises:
        JsonError: It is malformed, or nested deeper than any annotation file is.
    """
    try:
        text = data.decode(json.detect_encoding(data), errors="replace")
        value: JsonValue = json.loads(text, parse_int=_parse_int)
    except json.JSONDecodeError as error:
        raise JsonError(f"is malformed JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise JsonError("is nested too deeply for an annotation file") from error
    return value


def read_json(path: Path, builder: PlanBuilder) -> JsonValue:
    """Return the value of a JSON file; one that cannot be read becomes a problem and gives None."""
    data = builder.read_text(path, max_bytes=MAX_JSON_BYTES)
    if data is None:
        return None
    try:
        value = parse_json(data)
    except JsonError as error:
        builder.report(path, error.message, error.line)
        return None
    if value is None:
        builder.report(path, "holds nothing but 'null'")
    return value


def _parse_int(text: str) -> int | float:
    # Python refuses to convert more than 4300 digits; no number in an annotation file needs 19.
    return int(text) if len(text) <= MAX_INT_DIGITS else float(text)


def as_record(value: JsonValue) -> JsonRecord:
    """Return a JSON object, or an empty one where the value is something else."""
    return value if isinstance(value, dict) else EMPTY


def as_list(value: JsonValue) -> list[object]:
    """Return a JSON array, or an empty one where the value is something else."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """Return a cleaned string; a whole number counts as text, as ids are either; anything else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return clean_name(str(value))


def as_number(value: JsonValue) -> float | None:
    """Return a finite number of a size that coordinates can have, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and abs(value) < MAX_COORDINATE else None


def as_point(value: JsonValue) -> tuple[float, float] | None:
    """Return the first two numbers of an array, or None."""
    values = as_list(value)
    if len(values) < 2:
        return None
    x, y = as_number(values[0]), as_number(values[1])
    return None if x is None or y is None else (x, y)


def as_id(value: JsonValue) -> str | None:
    """Return what identifies a record as text, or None where the value cannot: 1, 1.0 and "1" are the same."""
    if isinstance(value, str):
        return value
    number = as_number(value) if not isinstance(value, int) else value
    if number is None or isinstance(number, bool):
        return None
    return str(int(number)) if number == int(number) else str(number)
