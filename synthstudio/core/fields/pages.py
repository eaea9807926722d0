"""Which pages of a stack are meant, in a user's words: `all`, `3`, `1-10`, `2-40:2`, `1,5,9-12`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import PAGE_MARK

ALL_WORDS = frozenset({"", "all"})
MAX_PAGE = 1_000_000
"""No stack has so many; a larger number is a slip of the hand."""
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?::([0-9]{1,9}))?)?")


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages `first` to `last`, both included and counted from 1, every `step`th of them."""

    first: int
    last: int
    step: int = 1


@dataclass(frozen=True, slots=True)
class PageChoice:
    """Pages of a stack; without ranges all of them."""

    ranges: tuple[PageRange, ...] = ()

    def pick(self, n_pages: int) -> list[int]:
        """Return the chosen pages of a stack of so many, counted from 0, in the order of the file."""
        if not self.ranges:
            return list(range(n_pages))
        return sorted(set(self._iter_numbers(n_pages)))

    def _iter_numbers(self, n_pages: int) -> Iterator[int]:
        for each in self.ranges:
            yield from range(each.first - 1, min(each.last, n_pages), each.step)


ALL_PAGES = PageChoice()


def parse_pages(text: str) -> PageChoice:
    """Return the pages that a user asks for.

    Raises:
        UserError: The text is no list of page numbers.
    """
    if text.strip().casefold() in ALL_WORDS:
        return ALL_PAGES
    return PageChoice(tuple(_parse_range(part.strip(), text) for part in text.split(",")))


def _parse_range(part: str, text: str) -> PageRange:
    found = _RANGE.fullmatch(part.replace(" ", ""))
    hint = "Write all, or numbers from 1: 3, or 1-10, or every second of them as 1-10:2, or a list with commas."
    if found is None:
        raise UserError(f"The pages {text!r} are not understood.", hint)
    first = int(found[1])
    last, step = int(found[2] or first), int(found[3] or 1)
    if not 1 <= first <= last <= MAX_PAGE or step < 1:
        raise UserError(f"There are no pages {part}.", hint)
    return PageRange(first, last, step)


def page_name(file: str, page: int | None) -> str:
    """Return the name of an image: that of its file, for a page of a stack with its number, counted from 1."""
    return file if page is None else f"{file}{PAGE_MARK}{page + 1}]"
