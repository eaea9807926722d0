"""What was chosen in a chart, for the gallery to show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.review.data_charts import OBJECT_CHARTS, DataCharts
from synthstudio.core.review.gallery_filter import GalleryView


@dataclass(frozen=True, slots=True, eq=False)
class ChartPick:
    """Images or objects that lie in a part of a chart.

    Attributes:
        name: Of the chart: a later choice in it takes the place of this one.
        view: What they are.
        ids: Of FOVs or annotations.
        set_name: Where they are; empty for the project.
        words: Which part it is.
    """

    name: str
    view: GalleryView
    ids: NDArray[np.int64]
    set_name: str
    words: str


def pick_range(shown: DataCharts, name: str, ends: tuple[float, float], *, side: int) -> ChartPick:
    """What lies between two ends of a histogram."""
    chart = shown.charts[name]
    low, high = ends
    unit = chart.comparison.unit
    if name == "objects":  # whole numbers, half a step beside the ends of their bins
        low, high = np.ceil(low), np.ceil(high) - 1
    far = _figure(low) if low == high else f"{_figure(low)} to {_figure(high)}"
    own = _of_class(shown) if name in OBJECT_CHARTS else ""
    words = f"{chart.comparison.title} {far}" + (f" {unit}" if unit == "px" else "")
    return ChartPick(name, chart.sides[side].view, chart.within(*ends, side=side), _set(shown, side), words + own)


def pick_class(shown: DataCharts, place: int, series: int) -> ChartPick:
    """The objects of a bar of the balance."""
    split = shown.balance[series].name
    side = int(bool(shown.set_name) and series == len(shown.balance) - 1)
    ids = shown.of_class(place, "" if side else split, side=side)
    where = "" if side else f", {split}" if split != "none" else ", no split"
    return ChartPick("class", "objects", ids, _set(shown, side), shown.class_names[place] + where)


def pick_spread(shown: DataCharts, place: int, side: int) -> ChartPick:
    """All objects of a class."""
    return ChartPick(
        "class", "objects", shown.of_class(place, "", side=side), _set(shown, side), shown.class_names[place]
    )


def pick_tone(shown: DataCharts, tone: int, side: int) -> ChartPick:
    """The images of a tone, from 1."""
    words = f"Tone {shown.tone_names[tone - 1]}"
    return ChartPick("tone", "images", shown.of_tone(tone, side=side), _set(shown, side), words)


def pick_places(shown: DataCharts, part: tuple[float, float, float, float], *, side: int) -> ChartPick:
    """The objects within left, top, right and bottom, as shares of the image."""
    left, top, right, bottom = part
    words = f"{left:.0%} to {right:.0%} across, {top:.0%} to {bottom:.0%} down" + _of_class(shown)
    return ChartPick("place", "objects", shown.of_place(part, side=side), _set(shown, side), words)


def _figure(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _set(shown: DataCharts, side: int) -> str:
    return shown.set_name if side else ""


def _of_class(shown: DataCharts) -> str:
    return f", {shown.class_name}" if shown.class_name else ""
