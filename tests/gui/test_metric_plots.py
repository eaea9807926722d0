"""Plots of logged values, live."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.metric_plots import MetricPlots
from tests.support.windows import TIMEOUT_MS

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform says it


def test_that_steps_that_a_resumed_run_says_again_replace_the_former_ones(qtbot: QtBot) -> None:
    plots = MetricPlots({"loss": "Losses"}, lambda _name, _number: "#4477AA")
    qtbot.addWidget(plots)
    plots.resize(400, 300)
    plots.show()
    plots.merge({"loss/image": [(10, 4.0), (20, 3.0), (30, 2.0)], "f1/disc": [(10, 0.5)]})
    for step, value in ((20, 2.5), (30, 1.5), (40, 1.0)):
        plots.add_point("loss/image", step, value)

    def drawn() -> list[tuple[float, float]]:
        plot = plots.plots.get("loss")
        curves = plot.curves if plot is not None else ()
        return list(zip(curves[0].steps.tolist(), curves[0].values.tolist(), strict=True)) if curves else []

    qtbot.waitUntil(lambda: drawn() == [(10, 4.0), (20, 2.5), (30, 1.5), (40, 1.0)], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: set(plots.plots) == {"loss", "f1"}, timeout=TIMEOUT_MS)
    plots.clear()
    assert not plots.has_points
    assert not plots.plots
