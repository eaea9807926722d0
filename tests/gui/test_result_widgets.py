"""The charts and tables of the results, without a project."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.column_widths import fitted_widths
from synthstudio.gui.widgets.confusion_matrix import ConfusionMatrix, MatrixCounts
from synthstudio.gui.widgets.curve_plot import Curve, CurvePlot
from synthstudio.gui.widgets.rate_plot import RateAxes, RateCurve, RatePlot, thinned
from synthstudio.gui.widgets.sortable_table import SortableTable, TableCell, TableColumn, TableRow
from tests.support.windows import TIMEOUT_MS

COLUMNS = (TableColumn("Run", is_number=False), TableColumn("F1"))


def row(name: str, value: float | None) -> TableRow:
    return TableRow(name, (TableCell(name, name), TableCell("n/a" if value is None else f"{value:.1f}", value)))


def test_that_what_has_no_figure_comes_last_whichever_way_a_column_is_sorted(qtbot: QtBot) -> None:
    table = SortableTable("Runs")
    qtbot.addWidget(table)
    table.set_table(COLUMNS, [row("a", 9.0), row("b", None), row("c", 10.0)])
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert table.keys == ["a", "c", "b"]
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert table.keys == ["c", "a", "b"]
    table.set_table(COLUMNS, [row("a", 9.0), row("b", 11.0), row("c", 10.0)])
    assert table.keys == ["b", "c", "a"]  # it stays sorted when it is read anew


def test_that_selected_rows_stay_selected_when_the_table_is_sorted_or_read_anew(qtbot: QtBot) -> None:
    table = SortableTable("Runs")
    qtbot.addWidget(table)
    table.set_table(COLUMNS, [row("a", 1.0), row("b", 3.0), row("c", 2.0)])
    table.select(["a", "b"], current="b")
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert (set(table.selected), table.current) == ({"a", "b"}, "b")
    table.set_table(COLUMNS, [row("d", 5.0), row("b", 3.0), row("a", 1.0)])
    assert (set(table.selected), table.current) == ({"a", "b"}, "b")
    assert table.to_csv().splitlines()[0] == b"Run,F1"


def test_that_the_table_model_keeps_the_rules_of_qt(qtbot: QtBot, qtmodeltester: object) -> None:
    table = SortableTable("Runs")
    qtbot.addWidget(table)
    table.set_table(COLUMNS, [row("a", 1.0), row("b", None)])
    qtmodeltester.check(table.rows_model)  # type: ignore[attr-defined]  # pytest-qt gives its fixture no type


def test_that_bars_tell_their_value_interval_and_baseline(qtbot: QtBot) -> None:
    plot = BarPlot("F1")
    qtbot.addWidget(plot)
    series = (
        BarSeries("real", "#4477AA", (Bar(0.5, 0.4, 0.6), Bar(None))),
        BarSeries("mix", "#EE6677", (Bar(0.7), Bar(0.8))),
    )
    plot.set_chart(BarChart(("WBC", "RBC"), series, (0.3, None), "chance"))
    assert plot.values_text(-0.2) == "real, WBC: 0.500 (0.400–0.600) · chance 0.300"
    assert plot.values_text(0.8) == "real, RBC: n/a"
    assert plot.values_text(0.5) == ""
    assert plot.to_csv().decode().splitlines()[1] == "real,WBC,0.5,0.4,0.6"
    assert QSvgRenderer(plot.to_svg()).isValid()


def test_that_a_long_legend_is_broken_into_lines_and_cuts_off_no_bar(qtbot: QtBot) -> None:
    plot = BarPlot("F1")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    series = tuple(BarSeries(f"a run with a long name, {number}", "#4477AA", (Bar(0.5),)) for number in range(6))
    plot.set_chart(BarChart(("WBC",), series))
    qtbot.waitUntil(lambda: plot.getPlotItem().size().width() <= plot.width(), timeout=TIMEOUT_MS)
    assert plot.getPlotItem().titleLabel.text.count("<br>") >= 3


def test_that_bars_and_intervals_below_zero_are_seen_whole(qtbot: QtBot) -> None:
    plot = BarPlot("KID")
    qtbot.addWidget(plot)
    plot.set_chart(BarChart(("No. 1",), (BarSeries("KID", "#4477AA", (Bar(-0.2, -0.5, 0.1),)),)))
    low, high = plot.getPlotItem().vb.viewRange()[1]
    assert low < -0.5
    assert high > 0.1


def test_that_an_empty_row_of_a_matrix_has_no_shares(qtbot: QtBot) -> None:
    matrix = ConfusionMatrix("Confusion matrix")
    qtbot.addWidget(matrix)
    matrix.set_matrix(MatrixCounts(("a", "b"), ("a", "b"), ((3, 1), (0, 0)), (4, 0)))
    matrix.set_normalized(True)
    assert [matrix.cell_text(0, 0), matrix.cell_text(0, 1), matrix.cell_text(1, 0)] == ["75.0%", "25.0%", "n/a"]
    assert matrix.to_csv().decode().splitlines()[-1] == "b,b,0,"


def test_that_a_long_curve_is_drawn_with_few_points_and_keeps_its_shape(qtbot: QtBot) -> None:
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.random(50_000)), np.sort(rng.random(50_000))
    few_x, few_y = thinned(x, y)
    assert len(few_x) <= 2001
    assert (few_x[0], few_x[-1]) == (x[0], x[-1])
    assert np.abs(np.interp(x, few_x, few_y) - y).max() < 0.002
    plot = RatePlot("ROC", RateAxes("False positive rate", "True positive rate"))
    qtbot.addWidget(plot)
    plot.set_curves(
        (RateCurve("run", "#4477AA", x, y, 1.0 - x),), RateAxes("False positive rate", "True positive rate")
    )
    assert plot.values_text(float(x[7]), float(y[7])).startswith("run: false positive rate 0.000")
    assert plot.to_csv().count(b"\n") == 50_001  # all of it


def test_that_columns_share_the_room_of_their_table() -> None:
    assert fitted_widths([100, 50, 50], 400) == [200, 100, 100]
    assert fitted_widths([100, 50, 50], 150) == [100, 50, 50], "it is scrolled"
    assert fitted_widths([100, 50, 300], 350, filling=2, least=80) == [100, 50, 200], "sentences give way"
    assert fitted_widths([100, 50, 300], 200, filling=2, least=80) == [100, 50, 80]
    assert fitted_widths([], 200) == []


def test_that_a_table_ends_where_its_panel_does(qtbot: QtBot) -> None:
    table = SortableTable("Runs")
    qtbot.addWidget(table)
    table.set_table(COLUMNS, [row("a", 0.5)])
    table.resize(600, 200)
    table.show()
    assert table.columnWidth(0) + table.columnWidth(1) == table.viewport().width()
    table.setColumnWidth(0, 77)  # as a hand does
    table.resize(700, 200)
    assert table.columnWidth(0) == 77


def test_that_there_are_no_ticks_between_whole_steps(qtbot: QtBot) -> None:
    plot = CurvePlot("Learning curve", x_name="round")
    qtbot.addWidget(plot)
    plot.set_curves((Curve("F1", "#4477AA", np.array([1.0, 2.0]), np.array([0.5, 0.6])),))
    assert plot.getAxis("bottom").tickSpacing(1.0, 2.0, 400.0)[0][0] == 1.0
    assert plot.getAxis("left").tickSpacing(0.5, 0.6, 400.0)[0][0] < 0.1
    plot.set_curves((Curve("F1", "#4477AA", np.array([1.5, 2.0]), np.array([0.5, 0.6])),))
    assert plot.getAxis("bottom").tickSpacing(1.0, 2.0, 400.0)[0][0] < 1.0


def test_that_figures_of_a_narrow_plot_do_not_run_into_one_another(qtbot: QtBot) -> None:
    plot = CurvePlot("PSNR", x_name="step")
    qtbot.addWidget(plot)
    wide = QFontMetrics(QApplication.font()).horizontalAdvance("2000")
    for size in (2.2 * wide, 4.0 * wide, 40.0 * wide):
        spacing = plot.getAxis("bottom").tickSpacing(500.0, 2000.0, size)[0][0]
        assert spacing / 1500.0 * size > wide
    assert spacing <= 500.0, "where there is room nothing is left out"
