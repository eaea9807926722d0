"""The charts beside the real data: what they show, that they follow the controls, and that they can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.core.synthesis.distributions import Comparison
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.compositing import CompositingView
from synthstudio.gui.pages.generate.distribution_panel import DistributionWish
from synthstudio.gui.theme import apply_theme
from synthstudio.gui.widgets.pair_plot import PairPlot
from tests.support.engine_project import build_engine_project
from tests.support.windows import TIMEOUT_MS, open_window

WAIT_MS = 20_000


@pytest.fixture
def view(qtbot: QtBot, tmp_path: Path) -> Iterator[CompositingView]:
    project = build_engine_project(tmp_path)
    folder = project.folder
    project.close()
    with open_window(qtbot, tmp_path / "private", folder) as window:
        window.show_page(1)
        yield compositing(window)


def compositing(window: MainWindow) -> CompositingView:
    page = window.page(1)
    assert isinstance(page, GeneratePage)
    return page.compositing


def chart(view: CompositingView, title: str) -> Comparison:
    found = next(plot.comparison for plot in view.charts.plots if plot._title == title)
    assert found is not None
    return found


def test_that_the_charts_stay_idle_until_they_are_looked_at_and_then_follow(
    qtbot: QtBot, view: CompositingView
) -> None:
    qtbot.waitUntil(lambda: view.loader.bank is not None, timeout=WAIT_MS)
    assert view.charts.plots == []
    view.tabs.setCurrentWidget(view.charts)
    qtbot.waitUntil(lambda: len(view.charts.plots) == 6, timeout=WAIT_MS)
    assert chart(view, "Classes").names == ("disc", "square")
    assert chart(view, "Classes").real.sum() == pytest.approx(1.0)
    view.form.show_value("composition.classes", ("square",))
    qtbot.waitUntil(lambda: chart(view, "Classes").made.tolist() == [0.0, 1.0], timeout=WAIT_MS)
    assert "200 composites" in view.charts.note.text()
    assert "8 training fields" in view.charts.note.text()


def test_that_one_class_alone_is_compared(qtbot: QtBot, view: CompositingView) -> None:
    view.tabs.setCurrentWidget(view.charts)
    qtbot.waitUntil(lambda: len(view.charts.plots) == 6, timeout=WAIT_MS)
    view.charts.classes.setCurrentIndex(2)
    sizes = chart(view, "Size")
    middles = (sizes.edges[:-1] + sizes.edges[1:]) / 2
    assert np.abs(middles[sizes.real > 0] - 14.0).max() < 1.0  # all squares are of one size


def test_that_a_plot_tells_values_and_becomes_table_and_drawing(qtbot: QtBot) -> None:
    plot = PairPlot("Size")
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.show()
    assert plot.values_text(0.5) == ""
    plot.set_comparison(
        Comparison("Size", "px", np.array([0.0, 2.0, 4.0]), np.array([0.25, 0.75]), np.array([np.nan, np.nan]))
    )
    assert plot.values_text(3.0) == "2 to 4: real 75.0%, composed n/a"
    assert plot.values_text(-1.0) == plot.values_text(4.0) == ""
    assert plot.to_csv().decode().splitlines() == ["from,to,name,real,composed", "0,2,0 to 2,0.25,", "2,4,2 to 4,0.75,"]
    assert plot.to_svg().startswith(b"<?xml")


def test_that_the_plots_take_on_another_theme(qtbot: QtBot, view: CompositingView) -> None:
    view.tabs.setCurrentWidget(view.charts)
    qtbot.waitUntil(lambda: len(view.charts.plots) == 6, timeout=WAIT_MS)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    before = view.charts.plots[0].backgroundBrush().color()
    apply_theme(application, "dark")
    try:
        qtbot.waitUntil(lambda: view.charts.plots[0].backgroundBrush().color() != before, timeout=TIMEOUT_MS)
    finally:
        apply_theme(application, "light")


def test_that_what_cannot_be_composed_is_said_once(qtbot: QtBot, view: CompositingView) -> None:
    view.tabs.setCurrentWidget(view.charts)
    qtbot.waitUntil(lambda: len(view.charts.plots) == 6, timeout=WAIT_MS)
    bank = view.loader.bank
    assert bank is not None
    discs = {patch.annotation_id for patch in bank.patches if patch.class_id == bank.classes[0].id}
    settings = view.form.settings().composition.model_copy(update={"classes": ("disc",)})
    view.charts.set_wish(DistributionWish(bank.without(discs), settings, 0))
    qtbot.waitUntil(lambda: "None of the chosen classes has a patch" in view.charts.note.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view._workspace.background.is_idle, timeout=WAIT_MS)
    assert not view.charts._timer.isActive()  # trying again would fail again
