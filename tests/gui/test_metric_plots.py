"""Plots of logged values, live."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.curve_plot import Curve, CurvePlot
from synthstudio.gui.widgets.metric_plots import MetricPlots
from tests.support.windows import TIMEOUT_MS


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


def test_that_metrics_first_heard_of_while_the_plots_are_drawn_come_to_stand_in_their_order(qtbot: QtBot) -> None:
    plots = MetricPlots({}, lambda _name, _number: "#4477AA")
    qtbot.addWidget(plots)
    plots.resize(400, 900)
    plots.show()
    plots.merge({"loss/image": [(10, 4.0)], "speed/images": [(10, 2.0)]})
    qtbot.waitUntil(lambda: "loss" in plots.plots, timeout=TIMEOUT_MS)
    for name in ("accuracy/a", "brightness/b", "contrast/c"):  # before "speed", whose turn is next
        plots.add_point(name, 10, 1.0)
    names = ("loss", "accuracy", "brightness", "contrast", "speed")
    qtbot.waitUntil(lambda: set(plots.plots) == set(names), timeout=TIMEOUT_MS)

    def is_in_order() -> bool:
        tops = [plots.plots[name].y() for name in names]
        return tops == sorted(set(tops))

    qtbot.waitUntil(is_in_order, timeout=TIMEOUT_MS)


def test_that_a_learning_rate_is_told_though_three_places_hold_nothing_of_it(qtbot: QtBot) -> None:
    plot = CurvePlot("Rates")
    qtbot.addWidget(plot)
    steps = np.array([1.0, 2.0])
    plot.set_curves(
        (Curve("denoiser", "#4477AA", steps, np.array([2e-6, 1e-6])), Curve("loss", "#EE6677", steps, steps))
    )
    assert plot.values_text(1.0) == "step 1 · denoiser 2.00e-06 · loss 1.000"
