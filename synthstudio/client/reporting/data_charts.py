"""The charts of a data set for a report: what its objects and its pictures are like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthstudio.core.export.report.charts import Axis, BarSeries, bar_chart, fitted_axis
from synthstudio.core.export.report.document import Charts, Paragraph, Section
from synthstudio.core.export.report.histograms import histogram_chart, place_chart
from synthstudio.core.export.report.svg import Svg
from synthstudio.core.review.data_charts import IMAGE_CHARTS, OBJECT_CHARTS, DataCharts
from synthstudio.core.review.gallery_charts import Spread

REAL, MADE = 6, 0
"""Places of the colours: grey and blue."""


def chart_sections(shown: DataCharts) -> list[Section]:
    """Return a section of the objects and one of the images, as far as there are any."""
    sections = []
    if any(shown.n_objects):
        sections.append(Section("Objects", (Charts(tuple(_object_charts(shown))),)))
    if any(shown.n_measured):
        charts = [histogram_chart(shown.charts[name].comparison, _names(shown)) for name in IMAGE_CHARTS]
        told = f"{sum(shown.n_measured):,} of {sum(shown.n_images):,} images were measured."
        sections.append(Section("Images", (Paragraph(told), Charts((*charts, *_tone_charts(shown))))))
    return sections


def _object_charts(shown: DataCharts) -> list[Svg]:
    names = shown.class_names
    balance = [_bars(each.name, place, each.shares.tolist()) for place, each in enumerate(shown.balance)]
    charts = [bar_chart("Share of the objects", names, balance, axis=Axis("share"))]
    charts += [histogram_chart(shown.charts[name].comparison, _names(shown)) for name in OBJECT_CHARTS]
    for name, title in (("size", "Size of each class"), ("aspect", "Width by height of each class")):
        charts.append(_spread_chart(f"{title}: median, 5 to 95 %", shown, shown.spreads[name], unit=name))
    for side, (where, _place) in enumerate(_names(shown)):
        charts.append(place_chart(f"Places, {where}", shown.places[side]))
    return charts


def _spread_chart(title: str, shown: DataCharts, sides: Sequence[Sequence[Spread]], *, unit: str) -> Svg:
    series = [
        BarSeries(
            name,
            place,
            tuple(each.median if each.n else None for each in own),
            tuple((each.p5, each.p95) if each.n else None for each in own),
        )
        for (name, place), own in zip(_names(shown), sides, strict=True)
    ]
    tops = [each.p95 for own in sides for each in own]
    axis = fitted_axis("px" if unit == "size" else "ratio", tops, from_zero=True)
    return bar_chart(title, shown.class_names, series, axis=axis)


def _tone_charts(shown: DataCharts) -> list[Svg]:
    """How often each tone occurs, where images have one."""
    if not shown.tone_names:
        return []
    series = [_bars(name, place, shown.tone_shares(side).tolist()) for side, (name, place) in enumerate(_names(shown))]
    return [bar_chart("Tone, share of the images", shown.tone_names, series, axis=Axis("share"))]


def _bars(name: str, place: int, shares: Sequence[float]) -> BarSeries:
    values = tuple(share if np.isfinite(share) else None for share in shares)
    return BarSeries(name, place, values, (None,) * len(values))


def _names(shown: DataCharts) -> list[tuple[str, int]]:
    """Of each side, and the place of its colour."""
    return [("real", REAL), (f"set {shown.set_name}", MADE)][: len(shown.sides)]
