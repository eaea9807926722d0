"""What a report consists of, before it becomes HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.core.export.report.svg import Svg

Cell = str | int | float | None
"""A float is shown with three decimals; None is undefined, shown as n/a."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Short remarks, one a line."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column heads; `caption` says what is measured."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    @classmethod
    def of(cls, columns: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str = "") -> Table:
        """Make a table of any sequences."""
        return cls(tuple(columns), tuple(tuple(row) for row in rows), caption)


@dataclass(frozen=True, slots=True)
class Charts:
    """Drawings side by side."""

    drawings: tuple[Svg, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded image."""

    data: bytes
    media_type: str
    width_px: int
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images side by side."""

    pictures: tuple[Picture, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Text to be kept as it is, for example a recipe."""

    text: str
    caption: str = ""


Block = Paragraph | Listing | Table | Charts | Pictures | Source


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part; one without blocks is left out."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
