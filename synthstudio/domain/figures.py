"""Figures and their intervals in words, alike wherever they are read."""

from __future__ import annotations

Interval = tuple[float, float]


def figure_text(value: float | None, interval: Interval | None = None, *, digits: int = 3) -> str:
    """A figure with its interval, if any: `0.869 (0.84–0.90)`, `15.0 (10.6–18.6)`; `n/a` where there is no figure."""
    if value is None:
        return "n/a"
    range_text = interval_text(interval, digits=min(digits, 2))
    return f"{value:.{digits}f} ({range_text})" if range_text else f"{value:.{digits}f}"


def interval_text(interval: Interval | None, *, digits: int = 2) -> str:
    """The ends of an interval, `0.84–0.90`; empty where there is none."""
    return "" if interval is None else f"{interval[0]:.{digits}f}–{interval[1]:.{digits}f}"


def change_text(value: float | None, interval: Interval | None = None, *, digits: int = 3) -> str:
    """A difference with its sign and its interval: `+0.021 (+0.004 to +0.038)`; `n/a` where there is none."""
    if value is None:
        return "n/a"
    range_text = change_interval_text(interval, digits=digits)
    return f"{value:+.{digits}f} ({range_text})" if range_text else f"{value:+.{digits}f}"


def change_interval_text(interval: Interval | None, *, digits: int = 3) -> str:
    """The ends of the interval of a difference, `+0.004 to +0.038`: a dash beside signs could not be told from them."""
    return "" if interval is None else f"{interval[0]:+.{digits}f} to {interval[1]:+.{digits}f}"
