"""The charts of a report: bars with intervals, curves, matrices."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.confusion import Confusion
from synthstudio.core.evaluation.presence import Interval
from synthstudio.core.export.report.svg import FAINT, GRAY, INK, Canvas, Svg, shortened, text_width

SERIES_COLORS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#999999")
"""Paul Tol's "bright" scheme: told apart with any common colour vision."""
MAX_POINTS = 400
LEGEND_ROW_PX = 16
MARGIN_LEFT, MARGIN_TOP, MARGIN_BELOW = 48, 28, 40


def series_color(place: int) -> str:
    """Colour of the series at a place; they repeat where there are very many."""
    return SERIES_COLORS[place % len(SERIES_COLORS)]


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One run in a bar chart.

    Attributes:
        place: Of the run in the report, which gives it its colour.
        values: One for each group; None leaves the place empty and says n/a.
        intervals: Likewise.
    """

    name: str
    place: int
    values: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of a chart.

    Attributes:
        place: Of the run in the report, which gives it its colour.
        x, y: `(K,)`.
        mark: A point on it, such as the threshold in use.
        radii: `(K,)` px of a dot at each point; None for a line without dots.
    """

    name: str
    place: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mark: tuple[float, float] | None = None
    radii: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """What is along an axis, and its ends."""

    title: str
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[float, ...] = field(default=(0.0, 0.25, 0.5, 0.75, 1.0))


def fitted_axis(title: str, values: Sequence[float], *, from_zero: bool = False) -> Axis:
    """An axis with round ends around values; `from_zero`: it starts there."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = (min(0.0, *finite) if from_zero else min(finite)), max(finite)
    size = max(abs(low), abs(high))
    # Values that are all but the same give no step of their own: the axis then spans a part of their size.
    step = _round_step((high - low) / 4 if high - low > 1e-6 * size and size > 1e-9 else (size / 4 or 0.25))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(title, ticks[0], ticks[-1], ticks)


def _round_step(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(max(width, 1e-12)))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= width * 0.999)


def bar_chart(
    title: str,
    groups: Sequence[str],
    series: Sequence[BarSeries],
    *,
    axis: Axis,
    baselines: Sequence[float | None] = (),
) -> Svg:
    """Draw bars in groups with their intervals; `baselines` are dotted lines across each group."""
    bar = min(22.0, max(8.0, 110.0 / max(1, len(series))))
    group_width = max(bar * len(series) + 22.0, 64.0)
    canvas, place = _framed(title, width=int(group_width * len(groups)), height=180, axis=axis, n_legend=len(series))
    for number, group in enumerate(groups):
        left = MARGIN_LEFT + number * group_width + (group_width - bar * len(series)) / 2
        middle = MARGIN_LEFT + (number + 0.5) * group_width
        canvas.text(middle, place(axis.low) + 15, shortened(group, group_width), anchor="middle")
        for turn, each in enumerate(series):
            box = left + turn * bar, bar
            _draw_bar(canvas, box, each, number, place=place, color=series_color(each.place), axis=axis)
        baseline = baselines[number] if number < len(baselines) else None
        if baseline is not None:
            ends = (left - 6, place(baseline)), (left + bar * len(series) + 6, place(baseline))
            canvas.line(*ends, color=INK, dash="2 2")
    _draw_legend(canvas, [(each.name, each.place) for each in series], top=place(axis.low) + 30)
    return canvas.finish(title)


def _draw_bar(
    canvas: Canvas,
    box: tuple[float, float],
    series: BarSeries,
    number: int,
    *,
    place: Callable[[float], float],
    color: str,
    axis: Axis,
) -> None:
    """Draw one bar; `box` is its left end and width."""
    (x, width), (value, interval) = box, (series.values[number], series.intervals[number])
    middle = x + width / 2
    zero = place(max(axis.low, 0.0))
    if value is None:
        canvas.text(middle, zero - 4, "n/a", anchor="middle", color=GRAY)
        return
    top = place(value)
    canvas.rectangle(x + 1, min(top, zero), width=width - 2, height=abs(zero - top), color=color)
    if interval is not None:
        low, high = place(interval[0]), place(interval[1])
        canvas.line((middle, low), (middle, high))
        for end in (low, high):
            canvas.line((middle - width / 5, end), (middle + width / 5, end))


def curve_chart(
    title: str, curves: Sequence[Curve], *, x: Axis, y: Axis, has_diagonal: bool = False, side: int = 230
) -> Svg:
    """Draw lines; `has_diagonal` adds that of equal values."""
    canvas, place_y = _framed(title, width=side, height=side, axis=y, n_legend=len(curves))

    def place_x(value: float) -> float:
        return MARGIN_LEFT + (value - x.low) / (x.high - x.low) * side

    for tick in x.ticks:
        canvas.line((place_x(tick), place_y(y.low)), (place_x(tick), place_y(y.low) + 4), color=GRAY)
        canvas.text(place_x(tick), place_y(y.low) + 15, f"{tick:g}", anchor="middle", color=GRAY)
    canvas.text(MARGIN_LEFT + side / 2, place_y(y.low) + 30, x.title, anchor="middle")
    if has_diagonal:
        canvas.line((place_x(x.low), place_y(y.low)), (place_x(x.high), place_y(y.high)), color=GRAY, dash="3 3")
    for curve in curves:
        kept, color = thinned(curve), series_color(curve.place)
        points = [(place_x(a), place_y(b)) for a, b in zip(kept.x, kept.y, strict=True)]
        if len(points) > 1:
            canvas.polyline(points, color=color)
        radii = kept.radii if kept.radii is not None else [2.5] if len(points) == 1 else []
        for point, radius in zip(points, radii, strict=False):
            canvas.circle(point, radius, color=color)
        if curve.mark is not None:
            canvas.circle((place_x(curve.mark[0]), place_y(curve.mark[1])), 4, color=color)
    _draw_legend(canvas, [(each.name, each.place) for each in curves], top=place_y(y.low) + 44)
    return canvas.finish(title)


def thinned(curve: Curve) -> Curve:
    """The curve with at most `MAX_POINTS` points, ends kept: a drawing of 230 px shows no more."""
    if len(curve.x) <= MAX_POINTS:
        return curve
    chosen = np.unique(np.linspace(0, len(curve.x) - 1, MAX_POINTS).round().astype(np.int64))
    return dataclasses.replace(curve, x=curve.x[chosen], y=curve.y[chosen], radii=None)


def stepped(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a line that goes from each point across first, then up or down: precision against recall."""
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def matrix_chart(title: str, confusion: Confusion, *, row_title: str, column_title: str) -> Svg:
    """Draw a confusion: each cell with its count, shaded by its share of the row."""
    cell_width, cell_height = 72, 30
    label_width = min(140, max((int(text_width(name)) for name in confusion.rows), default=0) + 30)
    canvas = Canvas(
        label_width + 30 + cell_width * len(confusion.columns) + 10, 62 + cell_height * len(confusion.rows) + 10
    )
    left, top = label_width + 30, 62
    canvas.text(8, 16, title, bold=True)
    canvas.text(left + cell_width * len(confusion.columns) / 2, 36, column_title, anchor="middle", color=GRAY)
    middle = top + cell_height * len(confusion.rows) / 2
    canvas.text(14, middle, row_title, anchor="middle", color=GRAY, turned=True)
    for number, name in enumerate(confusion.columns):
        canvas.text(left + (number + 0.5) * cell_width, top - 8, shortened(name, cell_width), anchor="middle")
    shares = np.nan_to_num(confusion.shares)
    for row, name in enumerate(confusion.rows):
        y = top + row * cell_height
        canvas.text(left - 6, y + 19, shortened(name, label_width), anchor="end")
        for column in range(len(confusion.columns)):
            share = float(shares[row, column])
            x = left + column * cell_width
            canvas.rectangle(x, y, width=cell_width, height=cell_height, color=shade(share), edge="#ffffff")
            words = f"{confusion.counts[row, column]} ({share:.0%})" if confusion.totals[row] else "0"
            canvas.text(x + cell_width / 2, y + 19, words, anchor="middle", color="#ffffff" if share > 0.55 else INK)
    return canvas.finish(title)


def shade(share: float) -> str:
    """From white (0) to the first colour of the series (1)."""
    target = (0x44, 0x77, 0xAA)
    return "#" + "".join(f"{round(255 + (goal - 255) * min(1.0, share)):02x}" for goal in target)


def _framed(
    title: str, *, width: int, height: int, axis: Axis, n_legend: int
) -> tuple[Canvas, Callable[[float], float]]:
    """A canvas with title, axis at the left and room for a legend; and where a value lies on the axis."""
    total_height = MARGIN_TOP + height + MARGIN_BELOW + LEGEND_ROW_PX * n_legend + 6
    canvas = Canvas(max(MARGIN_LEFT + width + 16, int(text_width(title)) + 30), total_height)

    def place(value: float) -> float:
        share = (value - axis.low) / (axis.high - axis.low)
        return MARGIN_TOP + height - min(1.0, max(0.0, share)) * height

    canvas.text(8, 16, title, bold=True)
    canvas.text(12, MARGIN_TOP + height / 2, axis.title, anchor="middle", turned=True)
    for tick in axis.ticks:
        canvas.line((MARGIN_LEFT, place(tick)), (MARGIN_LEFT + width, place(tick)), color=FAINT)
        canvas.text(MARGIN_LEFT - 5, place(tick) + 4, f"{tick:.6g}", anchor="end", color=GRAY)
    canvas.line((MARGIN_LEFT, place(axis.low)), (MARGIN_LEFT + width, place(axis.low)), color=GRAY)
    return canvas, place


def _draw_legend(canvas: Canvas, entries: Sequence[tuple[str, int]], *, top: float) -> None:
    for number, (name, place) in enumerate(entries):
        y = top + number * LEGEND_ROW_PX
        canvas.rectangle(MARGIN_LEFT, y, width=10, height=10, color=series_color(place))
        canvas.text(MARGIN_LEFT + 15, y + 9, shortened(name, canvas.width - MARGIN_LEFT - 20))
