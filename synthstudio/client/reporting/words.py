"""Figures in the words of a report."""

from __future__ import annotations

from collections.abc import Iterable

from synthstudio.core.evaluation.presence import Interval
from synthstudio.core.export.report.document import Cell
from synthstudio.domain.figures import change_interval_text, figure_text


def with_interval(value: float | None, interval: Interval | None) -> Cell:
    """A figure and its 95 % interval, `0.869 (0.84–0.90)`."""
    if value is None or interval is None:
        return value
    return _unbroken(figure_text(value, interval))


def difference_words(value: float | None) -> Cell:
    """A difference with its sign."""
    return None if value is None else f"{value:+.3f}"


def range_words(interval: Interval | None) -> Cell:
    """An interval of a difference."""
    return None if interval is None else _unbroken(change_interval_text(interval))


def duration_words(seconds: float) -> str:
    """Seconds, or minutes where there are many."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def setting_words(value: object) -> str:
    """A value of a setting."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _unbroken(words: str) -> str:
    """The words on one line, whatever the width of their column."""
    return words.replace(" ", "\u00a0")


def joined_names(names: Iterable[Iterable[str]]) -> list[str]:
    """All class names, in the order of the first run that knows them."""
    return list(dict.fromkeys(name for each in names for name in each))
