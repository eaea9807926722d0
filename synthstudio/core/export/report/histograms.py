"""Charts of how a data set spreads: histograms beside each other, and a map of places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.export.report.charts import Curve, curve_chart, fitted_axis, shade
from synthstudio.core.export.report.svg import GRAY, Canvas, Svg
from synthstudio.core.synthesis.distributions import Comparison

MAP_PX = 200
_MARGIN_PX = 28


def histogram_chart(comparison: Comparison, names: Sequence[tuple[str, int]], *, side: int = 230) -> Svg:
    """Draw one or two histograms as outlines; `names` are what each is, and its place among the colours."""
    edges = np.repeat(comparison.edges, 2)
    curves = []
    for (name, place), shares in zip(names, (comparison.real, comparison.made), strict=False):
        if np.isfinite(shares).any():
            heights = np.concatenate([[0.0], np.repeat(np.nan_to_num(shares), 2), [0.0]])
            curves.append(Curve(name, place, edges, heights))
    tops = [float(each.y.max()) for each in curves]
    return curve_chart(
        comparison.title,
        curves,
        x=fitted_axis(comparison.unit, [float(edges[0]), float(edges[-1])]),
        y=fitted_axis("share", tops, from_zero=True),
        side=side,
    )


def place_chart(title: str, shares: NDArray[np.float64]) -> Svg:
    """Draw a map of shares over width and height, `(rows, columns)`, the first row at the top; nan is nothing."""
    canvas = Canvas(MAP_PX + 2 * _MARGIN_PX, MAP_PX + 2 * _MARGIN_PX)
    canvas.text(8, 16, title, bold=True)
    values = np.nan_to_num(shares)
    most = max(float(values.max(initial=0.0)), 1e-12)
    cell = MAP_PX / values.shape[1], MAP_PX / values.shape[0]
    for row, column in np.ndindex(values.shape):
        canvas.rectangle(
            _MARGIN_PX + column * cell[0],
            _MARGIN_PX + row * cell[1],
            width=cell[0],
            height=cell[1],
            color=shade(float(values[row, column]) / most),
        )
    middle = _MARGIN_PX + MAP_PX / 2
    canvas.text(middle, MAP_PX + 2 * _MARGIN_PX - 10, "across the image", anchor="middle", color=GRAY)
    canvas.text(16, middle, "down", anchor="middle", color=GRAY, turned=True)
    return canvas.finish(title)
