"""Bars of measurements, each with its interval, over the floor of real against real."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.core.export.report.charts import series_color
from synthstudio.gui.pages.generate.gan.measure_facts import FIGURE_TITLES, Measurement
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarSeries
from synthstudio.protocol.results import MeasuredFigure, MeasuredGroup, MeasureResult


def chart_of(chosen: Sequence[Measurement], figure: str, part: str) -> BarChart:
    """Bars with intervals: the measurements side by side, or their conditions or tones.

    Args:
        chosen: What is compared.
        figure: Of `FIGURE_TITLES`.
        part: Of `PARTS`.
    """
    if part == "overall":
        figures = [each.result.overall.figures.get(figure) for each in chosen]
        return BarChart(
            groups=tuple(f"No. {each.number}" for each in chosen),
            series=(BarSeries(FIGURE_TITLES[figure], series_color(0), tuple(_bar(each) for each in figures)),),
            baselines=tuple(each.floor if each is not None else None for each in figures),
            baseline_name="real against real",
        )
    groups = [_parts(each.result, part) for each in chosen]
    names = sorted({name for each in groups for name, group in each.items() if group.figures})
    first = [groups[0][name].figures.get(figure) if name in groups[0] else None for name in names] if groups else []
    return BarChart(
        groups=tuple(names),
        series=tuple(
            BarSeries(
                f"No. {each.number}",
                series_color(place),
                tuple(_bar(found[name].figures.get(figure) if name in found else None) for name in names),
            )
            for place, (each, found) in enumerate(zip(chosen, groups, strict=True))
        ),
        baselines=tuple(each.floor if each is not None else None for each in first),
        baseline_name="real against real",
    )


def _parts(result: MeasureResult, part: str) -> dict[str, MeasuredGroup]:
    groups = result.by_condition if part == "by_condition" else result.by_tone
    return {each.name: each for each in groups}


def _bar(figure: MeasuredFigure | None) -> Bar:
    return Bar(None) if figure is None else Bar(figure.mean, *figure.ci95)
