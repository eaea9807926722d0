"""The charts of the Quality page in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.review.data_charts import IMAGE_CHARTS
from synthstudio.domain.errors import UserError
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage, charts_panel
from synthstudio.gui.pages.quality.chart_grid import ChartGrid
from synthstudio.gui.pages.quality.chart_picks import ChartPick, pick_range
from synthstudio.gui.reading_panel import UNREADABLE
from synthstudio.gui.widgets.bar_plot import BarPlot
from synthstudio.gui.widgets.brushed_plot import BrushedPlot
from synthstudio.gui.widgets.pair_plot import PairPlot
from synthstudio.project import Project
from synthstudio.settings.quality import QualitySettings
from tests.support.quality_windows import open_with_set, quality_page
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_with_set(qtbot, tmp_path) as opened:
        yield opened


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> QualityPage:
    page = quality_page(window)
    page.show_charts()
    qtbot.waitUntil(lambda: "objects" in page.charts.grids, timeout=TIMEOUT_MS)
    return page


def grid_of(page: QualityPage) -> ChartGrid:
    return page.charts.grids[page.charts.view]


def point_at(plot: BrushedPlot, x: float, y: float | None = None) -> QPoint:
    """Where a value of the axes is on the plot; in its middle where y is None."""
    box = plot.getPlotItem().vb
    place = QPointF(x, box.viewRect().center().y() if y is None else y)
    point: QPoint = plot.mapFromScene(box.mapViewToScene(place))
    return point


def drag(plot: BrushedPlot, start: QPoint, end: QPoint) -> None:
    port = plot.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(port, (start + end) / 2)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)


def edges_of(plot: PairPlot) -> list[float]:
    assert plot.comparison is not None
    return [float(each) for each in plot.comparison.edges]


@pytest.fixture
def picks(page: QualityPage) -> list[ChartPick]:
    """What is chosen in charts; nothing leaves the tab."""
    found: list[ChartPick] = []
    page.charts.picked.disconnect()
    page.charts.picked.connect(found.append)
    QTest.qWait(0)  # the plots are laid out
    return found


def test_that_the_project_is_shown_alone_and_beside_a_set(qtbot: QtBot, window: MainWindow, page: QualityPage) -> None:
    grid, project = grid_of(page), window.workspace.require_project()
    n_marks = sum(len(own) for own in project.annotations.by_fov().values())
    assert f"{n_marks:,} objects of the project" in page.charts.note.text()
    assert [each.name for each in grid.bars["class"].chart.series] == ["train", "val", "test"]
    assert not grid.maps[1].isVisible()
    assert not page.charts.sides.isVisible()
    sizes = grid.pairs["size"]
    text = sizes.values_text(edges_of(sizes)[0])
    assert "real" in text
    assert "made" not in text
    page.charts.data.setCurrentIndex(page.charts.data.findData("made"))
    qtbot.waitUntil(lambda: len(grid.bars["class"].chart.series) == 4, timeout=TIMEOUT_MS)
    assert grid.maps[1].isVisible()
    assert page.charts.sides.isVisible()
    assert "set made" in page.charts.legend.text()
    assert sizes.comparison is not None
    assert np.isclose(sizes.comparison.made.sum(), 1.0)
    assert "set made" in sizes.values_text(edges_of(sizes)[0])
    assert sizes.to_csv().splitlines()[0] == b"from,to,name,real,set made"
    assert [each.name for each in grid.bars["size"].chart.series] == ["real", "set made"]


def test_that_charts_that_cannot_be_read_say_so_and_another_class_can_be_chosen(
    qtbot: QtBot, page: QualityPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise UserError("The set is damaged.", "Write it again.")

    charts = page.charts
    with monkeypatch.context() as patched:
        patched.setattr(charts_panel, "read_charts", fail)
        charts.classes.setCurrentIndex(1)
        qtbot.waitUntil(lambda: charts.has_failed, timeout=TIMEOUT_MS)
    assert charts.stack.currentWidget() is charts.step
    assert charts.step.title.text() == UNREADABLE[0]
    assert charts.classes.currentIndex() == 1
    charts.classes.setCurrentIndex(0)
    qtbot.waitUntil(lambda: charts.stack.currentWidget() is grid_of(page), timeout=TIMEOUT_MS)
    assert charts.shown is not None


def test_that_one_class_is_looked_at_and_maps_become_tables(qtbot: QtBot, page: QualityPage) -> None:
    places = grid_of(page).maps[0]
    shown = page.charts.shown
    assert shown is not None
    page.charts.classes.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page.charts.shown is not shown, timeout=TIMEOUT_MS)
    assert page.charts.classes.currentData() == shown.class_names[0]
    assert len(places.to_csv().splitlines()) == 1 + places.shares.size
    assert "of the objects" in places.values_text(0.5, 0.5)
    assert places.values_text(1.5, 0.5) == ""
    assert places.to_svg().startswith(b"<?xml")


def test_that_what_is_dragged_over_in_a_chart_is_seen_in_the_gallery(qtbot: QtBot, page: QualityPage) -> None:
    plot, gallery, shown = grid_of(page).pairs["size"], page.gallery, page.charts.shown
    assert shown is not None
    QTest.qWait(0)  # the plot is laid out
    edges = edges_of(plot)
    high = edges[len(edges) // 2]
    drag(plot, point_at(plot, edges[0]), point_at(plot, high - 0.1 * (edges[1] - edges[0])))
    assert page.tabs.currentWidget() is gallery
    expected = shown.charts["size"].within(edges[0], high)
    assert 0 < len(expected) < len(shown.sides[0].table)
    qtbot.waitUntil(lambda: len(gallery.grid.keys) == len(expected), timeout=TIMEOUT_MS)
    gallery.drop_rows("size")
    qtbot.waitUntil(lambda: len(gallery.grid.keys) == len(shown.sides[0].table), timeout=TIMEOUT_MS)


def test_that_each_chart_tells_what_lies_in_a_part_of_it(
    qtbot: QtBot, page: QualityPage, picks: list[ChartPick]
) -> None:
    page.charts.data.setCurrentIndex(page.charts.data.findData("made"))
    qtbot.waitUntil(grid_of(page).maps[1].isVisible, timeout=TIMEOUT_MS)
    QTest.qWait(0)
    grid, shown = grid_of(page), page.charts.shown
    assert shown is not None
    for name, plot in grid.pairs.items():
        middle = (np.array(edges_of(plot))[:-1] + np.array(edges_of(plot))[1:]) / 2
        drag(plot, point_at(plot, middle[0]), point_at(plot, middle[-1]))
        assert picks[-1].name == name
        assert picks[-1].ids.tolist() == shown.charts[name].sides[0].ids.tolist()
    page.charts.sides.button("made").click()
    sizes = grid.pairs["size"]
    drag(sizes, point_at(sizes, edges_of(sizes)[0]), point_at(sizes, edges_of(sizes)[-1]))
    assert (picks[-1].set_name, len(picks[-1].ids)) == ("made", shown.n_objects[1])
    for side, places in enumerate(grid.maps):
        drag(places, point_at(places, 0.01, 0.01), point_at(places, 0.99, 0.99))
        assert (picks[-1].view, len(picks[-1].ids)) == ("objects", shown.n_objects[side])
    assert picks[-1].words == "0% to 100% across, 0% to 100% down"


def test_that_a_bar_tells_its_class_and_split(qtbot: QtBot, page: QualityPage, picks: list[ChartPick]) -> None:
    classes = grid_of(page).bars["class"]
    shown = page.charts.shown
    assert shown is not None
    qtbot.mouseClick(classes.viewport(), Qt.MouseButton.LeftButton, pos=point_at(classes, 1.0 - 0.27))
    assert picks[-1].words == f"{shown.class_names[1]}, train"
    assert len(picks[-1].ids) == shown.balance[0].counts[1] > 0
    sizes = grid_of(page).bars["size"]
    qtbot.mouseClick(sizes.viewport(), Qt.MouseButton.LeftButton, pos=point_at(sizes, 0.0))
    assert (picks[-1].words, len(picks[-1].ids)) == (
        shown.class_names[0],
        sum(each.counts[0] for each in shown.balance),
    )


def test_that_bins_are_chosen_by_keys(qtbot: QtBot, page: QualityPage, picks: list[ChartPick]) -> None:
    plot = grid_of(page).pairs["size"]
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    chosen = plot.chosen
    assert chosen is not None
    assert (chosen.left, chosen.right) == (1, 2)
    qtbot.keyClick(plot, Qt.Key.Key_Return)
    (pick,) = picks
    assert page.charts.shown is not None
    assert pick.ids.tolist() == page.charts.shown.charts["size"].within(*plot.ends_of(chosen)).tolist()
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.chosen is None


def test_that_a_plot_without_a_brush_chooses_nothing(qtbot: QtBot) -> None:
    plot = BarPlot("Plain")
    qtbot.addWidget(plot)
    plot.show()
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert plot.chosen is None


def test_that_images_are_measured_from_their_charts(qtbot: QtBot, window: MainWindow, page: QualityPage) -> None:
    page.charts.choose_view("images")
    step = page.charts.step
    assert step.isVisible()
    n_images = len(window.workspace.require_project().fovs.list())
    assert step.button.text() == f"Measure {n_images:,} images"
    qtbot.mouseClick(step.button, Qt.MouseButton.LeftButton)
    assert not step.button.isEnabled()
    qtbot.waitUntil(lambda: "images" in page.charts.grids, timeout=TIMEOUT_MS)
    grid = grid_of(page)
    assert set(grid.pairs) == set(IMAGE_CHARTS)
    assert not page.charts.measure.isVisible()
    assert f"{n_images:,} measured images" in page.charts.note.text()
    page.charts.mark_selected("images", np.array([1], np.int64))
    xs, _ys = grid.pairs["brightness"]._marks.getData()
    assert page.charts.shown is not None
    assert xs[0] == page.charts.shown.charts["brightness"].sides[0].values[0]


def test_that_a_check_measures_for_the_charts_too(qtbot: QtBot, window: MainWindow, page: QualityPage) -> None:
    page.charts.choose_view("images")
    assert page.charts.step.isVisible()
    window.workspace.submit(QualitySettings(skip=("label-suspect", "synthetic-betrayed", "near-duplicate")))
    qtbot.waitUntil(lambda: "images" in page.charts.grids, timeout=TIMEOUT_MS)


def test_that_what_is_selected_in_the_gallery_is_pointed_at(
    qtbot: QtBot, window: MainWindow, page: QualityPage
) -> None:
    gallery = page.gallery
    page.show_gallery()
    gallery.choose_view("objects")
    n_marks = sum(len(own) for own in window.workspace.require_project().annotations.by_fov().values())
    qtbot.waitUntil(lambda: len(gallery.grid.keys) == n_marks, timeout=TIMEOUT_MS)
    gallery.grid.select_key(gallery.grid.keys[1])
    page.show_charts()
    shown = page.charts.shown
    assert shown is not None
    qtbot.waitUntil(lambda: "selected in the gallery (1)" in page.charts.note.text(), timeout=TIMEOUT_MS)
    marked, _tops = grid_of(page).pairs["size"]._marks.getData()
    assert marked.tolist() == [shown.sides[0].table.size[1]] * 2
    gallery.grid.select_keys(np.zeros(0, np.int64))
    qtbot.waitUntil(lambda: "selected" not in page.charts.note.text(), timeout=TIMEOUT_MS)


def test_that_charts_follow_the_project(qtbot: QtBot, window: MainWindow, page: QualityPage) -> None:
    project: Project = window.workspace.require_project()
    before = page.charts.shown
    marks = next(own for own in project.annotations.by_fov().values() if own)
    window.workspace.announce(project.annotations.remove(marks[:1]))
    qtbot.waitUntil(lambda: page.charts.shown is not before, timeout=TIMEOUT_MS)
    assert before is not None
    assert page.charts.shown is not None
    assert page.charts.shown.n_objects[0] == before.n_objects[0] - 1


def test_that_a_choice_is_told_in_plain_figures(page: QualityPage) -> None:
    shown = page.charts.shown
    assert shown is not None
    assert pick_range(shown, "size", (35.433, 1234.5), side=0).words == "Size 35.4 to 1234 px"
    assert pick_range(shown, "objects", (1.5, 4.5), side=0).words == "Objects on an image 2 to 4"
    assert pick_range(shown, "objects", (1.5, 2.5), side=0).words == "Objects on an image 2"
