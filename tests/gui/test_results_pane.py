"""The Results tab over a project with scored trainings: the table, its views, and the way to the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Box, Split, changes
from synthstudio.gui import report_writing
from synthstudio.gui.errors import Notice
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.pages.train.comparison_view import ComparisonView
from synthstudio.gui.pages.train.errors_view import ErrorsView
from synthstudio.gui.pages.train.learning_view import LearningView
from synthstudio.gui.pages.train.rates_view import RatesView
from synthstudio.gui.pages.train.results_panel import ResultsPanel
from synthstudio.gui.widgets import exporting
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.evaluate import EvaluateSettings
from tests.support.engine_project import build_engine_project
from tests.support.evaluated_runs import StoredRun, make_map_scores, make_predictions, store_run
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window

GOOD = StoredRun(RunId("20260101-000000-train-classifier-0001"), "good", noise=0.1)
BAD = StoredRun(RunId("20260102-000000-train-classifier-0002"), "bad", seed=3, noise=0.4, keeps_maps=True)
OLD = StoredRun(RunId("20260103-000000-train-classifier-0003"), "old", noise=0.2, keeps_answers=False)


def make_project(tmp_path: Path, *runs: StoredRun) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=6)
    for each in runs:
        store_run(project, each)
    project.close()
    return project.folder


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("finished"), preferences_file=tmp_path / "preferences.toml")
    made.open_project(make_project(tmp_path, GOOD, BAD))
    yield made
    made.shut_down()


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.tabs.setCurrentWidget(made.results)
    made.show()
    qtbot.waitUntil(lambda: len(made.results.table.keys) == 2, timeout=TIMEOUT_MS)
    return made


@pytest.fixture
def panel(page: TrainPage) -> ResultsPanel:
    return page.results


def click_row(qtbot: QtBot, panel: ResultsPanel, run_id: RunId, *, adds: bool = False) -> None:
    row = panel.table.keys.index(run_id)
    place = panel.table.visualRect(panel.table.rows_model.index(row, 0)).center()
    modifier = Qt.KeyboardModifier.ControlModifier if adds else Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, modifier, pos=place)


def select_both(qtbot: QtBot, panel: ResultsPanel) -> None:
    click_row(qtbot, panel, GOOD.run_id)
    click_row(qtbot, panel, BAD.run_id, adds=True)
    qtbot.waitUntil(lambda: len(panel.selection.runs) == 2, timeout=TIMEOUT_MS)


def open_errors(qtbot: QtBot, panel: ResultsPanel) -> ErrorsView:
    panel.segments.button("errors").click()
    qtbot.waitUntil(lambda: bool(panel.errors.gallery.facts.text()), timeout=TIMEOUT_MS)
    return panel.errors


def test_that_a_row_shows_scores_with_intervals_and_the_settings_that_differ(panel: ResultsPanel) -> None:
    head, first, second = panel.table.texts()
    assert head[:5] == ["Run", "Trained on", "Macro F1", "F1 disc", "F1 square"]
    assert "Seed" in head
    assert "Canvas, px" not in head  # it is the same in both
    assert [first[0], second[0]] == ["Bad", "Good"]
    assert [first[head.index("Seed")], second[head.index("Seed")]] == ["3", "0"]
    assert first[3].startswith("0.")
    assert first[3].endswith(")")
    assert first[head.index("Time")] == "1 min"


def test_that_a_click_on_a_head_sorts_by_the_figure_and_not_by_its_text(qtbot: QtBot, panel: ResultsPanel) -> None:
    header = panel.table.horizontalHeader()
    column = panel.table.texts()[0].index("Macro F1")
    place = QPoint(header.sectionViewportPosition(column) + 8, header.height() // 2)
    for _ in range(2):
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    ranks = [row.cells[column].rank for row in panel.table.rows_model.rows]
    figures = [rank for rank in ranks if isinstance(rank, float)]
    is_falling = header.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
    assert len(figures) == 2
    assert figures == sorted(figures, reverse=is_falling)


def test_that_the_current_row_is_the_run_of_the_whole_page(qtbot: QtBot, page: TrainPage, panel: ResultsPanel) -> None:
    click_row(qtbot, panel, GOOD.run_id)
    qtbot.waitUntil(lambda: page.runs.chosen == GOOD.run_id, timeout=TIMEOUT_MS)
    assert page.header.title.text() == "Good"
    assert "Good" in panel.scores.facts.text()


def test_that_several_runs_stay_selected_when_the_records_are_read_anew(
    qtbot: QtBot, workspace: Workspace, panel: ResultsPanel
) -> None:
    select_both(qtbot, panel)
    store_run(workspace.require_project(), OLD)
    workspace.announce(changes("runs"))
    qtbot.waitUntil(lambda: len(panel.table.keys) == 3, timeout=TIMEOUT_MS)
    assert {each.run.id for each in panel.selection.runs} == {GOOD.run_id, BAD.run_id}


def test_that_it_says_how_many_of_the_selected_runs_are_not_scored_yet(
    qtbot: QtBot, workspace: Workspace, panel: ResultsPanel
) -> None:
    store_run(workspace.require_project(), OLD)
    workspace.announce(changes("runs"))
    qtbot.waitUntil(lambda: len(panel.table.keys) == 3, timeout=TIMEOUT_MS)
    panel.table.selectAll()
    qtbot.waitUntil(lambda: "3 selected, 1 to be evaluated on test" in panel.facts.text(), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(panel.evaluate_requested, timeout=TIMEOUT_MS) as asked:
        panel.evaluate_unscored()
    assert asked.args == [[OLD.run_id], Split.TEST]


def test_that_two_runs_are_compared_with_bars_a_baseline_and_paired_intervals(
    qtbot: QtBot, panel: ResultsPanel
) -> None:
    panel.segments.button("comparison").click()
    view = panel.view_of("comparison")
    assert isinstance(view, ComparisonView)
    assert "Select two runs" in view.note.text()
    select_both(qtbot, panel)
    qtbot.waitUntil(view.differences.isVisible, timeout=TIMEOUT_MS)
    chart = view.plot.chart
    assert chart.groups == ("disc", "square", "Mean")
    assert [each.name for each in chart.series] == ["Bad", "Good"]
    assert chart.series[0].color != chart.series[1].color
    assert all(each is not None for each in chart.baselines)
    rows = view.differences.texts()
    assert [row[0] for row in rows[1:]] == ["Macro", "disc", "square"]
    assert rows[1][3].startswith("+")  # good minus bad
    assert " to " in rows[1][4]
    assert "unreliable" in view.note.text()
    view.figures.button("pointing").click()
    assert view.plot.chart.baseline_name == "chance"
    assert view.plot.chart.baselines[0] == 0.125
    qtbot.waitUntil(lambda: "maps lie was not kept" in view.note.text(), timeout=TIMEOUT_MS)
    assert view.differences.isHidden()


def test_that_curves_mark_the_threshold_of_validation(qtbot: QtBot, panel: ResultsPanel) -> None:
    select_both(qtbot, panel)
    panel.segments.button("rates").click()
    view = panel.view_of("rates")
    assert isinstance(view, RatesView)
    qtbot.waitUntil(lambda: len(view.roc.curves) == 2, timeout=TIMEOUT_MS)
    good = next(each for each in view.roc.curves if each.name == "Good")
    assert good.mark is not None
    assert view.classes.currentData() == "disc"
    threshold_text = view.roc.values_text(*good.mark)
    assert "true positive rate" in threshold_text
    view.classes.setCurrentIndex(view.classes.findData(""))
    qtbot.waitUntil(lambda: {each.name for each in view.roc.curves} == {"disc", "square"}, timeout=TIMEOUT_MS)
    assert "AUC" in view.legend.text()
    assert all(each.has_points for each in view.calibration.curves)
    assert len(view.calibration.curves) == 2
    assert view.precision_recall.to_csv().startswith(b"curve,recall,precision,threshold")


def test_that_the_selected_runs_are_seen_learning_side_by_side(qtbot: QtBot, panel: ResultsPanel) -> None:
    select_both(qtbot, panel)
    panel.segments.button("learning").click()
    view = panel.view_of("learning")
    assert isinstance(view, LearningView)
    qtbot.waitUntil(lambda: {each.name for each in view.plot.curves} == {"Good", "Bad"}, timeout=TIMEOUT_MS)
    assert view.logged.currentText() == "F1, disc"
    assert view.plot.curves[0].steps.tolist() == [10, 20, 30]
    assert len({each.color for each in view.plot.curves}) == 2


def test_that_a_cell_of_the_matrix_shows_the_crops_behind_it_with_the_most_wrong_first(
    qtbot: QtBot, workspace: Workspace, panel: ResultsPanel
) -> None:
    click_row(qtbot, panel, BAD.run_id)
    view = open_errors(qtbot, panel)
    gallery = view.gallery
    predictions = make_predictions(workspace.require_project(), noise=BAD.noise, seed=BAD.seed)
    missed = predictions.truth[:, 0] & ~predictions.answers[:, 0]
    assert gallery.matrix.matrix.counts[0][1] == int(missed.sum())
    assert len(gallery.items) == int(missed.sum())
    scores = [float(each.caption.split()[-1]) for each in gallery.items]
    assert scores == sorted(scores)
    assert {each.kind for each in gallery.items} == {"missed"}
    qtbot.waitUntil(lambda: len(gallery.grid.loaded) == len(gallery.grid.keys), timeout=TIMEOUT_MS)
    QTest.mouseClick(gallery.matrix, Qt.MouseButton.LeftButton, pos=gallery.matrix.cell_rect(1, 0).center().toPoint())
    alarms = ~predictions.truth[:, 0] & predictions.answers[:, 0]
    qtbot.waitUntil(lambda: {each.kind for each in gallery.items} == {"false alarm"}, timeout=TIMEOUT_MS)
    assert len(gallery.items) == int(alarms.sum())
    assert "truth absent, answer present" in gallery.facts.text()


def test_that_the_matrix_is_walked_with_the_arrow_keys(qtbot: QtBot, panel: ResultsPanel) -> None:
    view = open_errors(qtbot, panel)
    gallery = view.gallery
    gallery.matrix.setFocus()
    QTest.keyClick(gallery.matrix, Qt.Key.Key_Down)
    assert gallery.matrix.chosen == (1, 1)
    QTest.keyClick(gallery.matrix, Qt.Key.Key_Left)
    assert gallery.matrix.chosen == (1, 0)
    gallery.normalized.click()
    assert gallery.matrix.cell_text(1, 0).endswith("%")


def test_that_class_for_class_a_crop_is_listed_under_what_it_was_taken_for(qtbot: QtBot, panel: ResultsPanel) -> None:
    view = open_errors(qtbot, panel)
    gallery = view.gallery
    view.classes.setCurrentIndex(view.classes.findData(""))
    qtbot.waitUntil(lambda: len(gallery.matrix.matrix.rows) == 3, timeout=TIMEOUT_MS)
    assert gallery.matrix.matrix.columns == ("disc", "square", "no class")
    assert "two columns" in gallery.note.text()


def test_that_crops_whose_map_points_off_all_marks_are_seen_with_the_point(
    qtbot: QtBot, workspace: Workspace, panel: ResultsPanel
) -> None:
    click_row(qtbot, panel, BAD.run_id)
    view = open_errors(qtbot, panel)
    gallery = view.gallery
    predictions = make_predictions(workspace.require_project(), noise=BAD.noise, seed=BAD.seed)
    scores = make_map_scores(predictions, seed=BAD.seed)
    rows = scores.of_class("square")
    view.classes.setCurrentIndex(view.classes.findText("square: where the map points"))
    qtbot.waitUntil(lambda: gallery.matrix.matrix.columns == ("on a mark", "off all marks"), timeout=TIMEOUT_MS)
    assert gallery.matrix.matrix.counts == ((int(scores.hits[rows].sum()), int((~scores.hits[rows]).sum())),)
    qtbot.waitUntil(lambda: "off all marks" in gallery.facts.text(), timeout=TIMEOUT_MS)
    missed = rows[~scores.hits[rows]]
    in_order = missed[np.argsort(scores.energies[missed], kind="stable")]
    assert scores.tops is not None
    assert [each.point for each in gallery.items] == [tuple(scores.tops[row].tolist()) for row in in_order]
    assert all(each.is_wrong for each in gallery.items)
    qtbot.waitUntil(lambda: len(gallery.grid.loaded) == len(gallery.grid.keys), timeout=TIMEOUT_MS)
    QTest.mouseClick(gallery.matrix, Qt.MouseButton.LeftButton, pos=gallery.matrix.cell_rect(0, 0).center().toPoint())
    qtbot.waitUntil(lambda: "is on a mark" in gallery.facts.text(), timeout=TIMEOUT_MS)
    assert gallery.facts.text().startswith(f"{scores.hits[rows].sum()} crops")
    assert not any(each.is_wrong for each in gallery.items)
    view.classes.setCurrentIndex(0)  # back to the answers, of which the table has two rows
    qtbot.waitUntil(lambda: len(gallery.matrix.matrix.rows) == 2, timeout=TIMEOUT_MS)


def test_that_a_run_without_kept_answers_offers_to_evaluate_it_again(
    qtbot: QtBot, workspace: Workspace, panel: ResultsPanel
) -> None:
    project = workspace.require_project()
    store_run(project, OLD)
    workspace.announce(changes("runs"))
    qtbot.waitUntil(lambda: len(panel.table.keys) == 3, timeout=TIMEOUT_MS)
    click_row(qtbot, panel, OLD.run_id)
    panel.segments.button("errors").click()
    qtbot.waitUntil(panel.errors.empty.button.isVisible, timeout=TIMEOUT_MS)
    assert "not kept" in panel.errors.empty.title.text()
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=TIMEOUT_MS) as queued:
        panel.errors.empty.button.click()
    settings = EvaluateSettings.model_validate_json(project.runs.get(queued.args[0]).settings_json)
    assert (settings.run, settings.split) == (OLD.run_id, Split.TEST)


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What was saved, by its suggested name, in place of the question where to."""
    made: dict[str, bytes] = {}

    def save(_parent: QWidget, suggested: str, _filters: str, make: Callable[[], bytes]) -> None:
        made[suggested] = make()

    monkeypatch.setattr(exporting, "save_bytes", save)
    return made


def trigger(button: ExportButton, title: str = "") -> None:
    """Choose every entry of the menu, or of one of its parts."""
    menu = button.build_menu()
    parts = [action.menu() for action in menu.actions() if action.text() == title]
    for part in parts or [menu]:
        assert isinstance(part, QMenu)
        for action in part.actions():
            action.trigger()
    menu.deleteLater()


def test_that_charts_are_exported_as_picture_drawing_and_table(
    qtbot: QtBot, panel: ResultsPanel, saved: dict[str, bytes]
) -> None:
    select_both(qtbot, panel)
    panel.segments.button("comparison").click()
    view = panel.view_of("comparison")
    assert isinstance(view, ComparisonView)
    qtbot.waitUntil(view.differences.isVisible, timeout=TIMEOUT_MS)
    trigger(view.export, "Bars")
    assert {"bars.png", "bars.svg", "bars.csv"} <= saved.keys()
    image = QImage.fromData(saved["bars.png"])
    assert image.width() == exporting.PRINT_SCALE * view.plot.width()
    assert QSvgRenderer(saved["bars.svg"]).isValid()
    assert saved["bars.csv"].decode().count("Good") == 3
    trigger(panel.export)
    assert saved["trainings.csv"].decode().splitlines()[0].startswith("Run,Trained on,Macro F1")
    trigger(open_errors(qtbot, panel).gallery.export)
    assert "present,absent" in saved["confusion-matrix.csv"].decode()
    assert QSvgRenderer(saved["confusion-matrix.svg"]).isValid()


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_that_a_report_of_the_selected_runs_is_written(
    qtbot: QtBot, panel: ResultsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"report{suffix}"

    def choose(_parent: QWidget, _suggested: str, filters: str, chosen: Callable[[Path], None]) -> None:
        assert f"*{suffix}" in filters
        chosen(path)

    told: list[Notice] = []
    monkeypatch.setattr(report_writing, "choose_file", choose)
    monkeypatch.setattr(report_writing, "post", lambda notice, **_: told.append(notice))
    select_both(qtbot, panel)
    panel.report.click()
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    assert str(path) in told[0].message
    content = path.read_bytes()
    if suffix == ".html":
        assert "good" in content.decode()
        assert "bad" in content.decode()
    else:
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")


def test_that_all_evaluated_runs_are_compared_by_one_action(qtbot: QtBot, page: TrainPage, panel: ResultsPanel) -> None:
    specs = {spec.id: spec for spec in page.actions()}
    page.tabs.setCurrentWidget(page.curves)
    specs["train.compare_all"].callback()
    assert page.tabs.currentWidget() is panel
    assert panel.view == "comparison"
    assert len(panel.selection.runs) == 2
    assert specs["train.report"].enabled_when()
    assert not specs["train.open_crop"].enabled_when()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    folder = make_project(tmp_path, GOOD, BAD)
    with open_window(qtbot, tmp_path / "private", folder) as made:
        yield made


def test_that_enter_on_a_crop_opens_its_field_in_the_viewer_with_the_crop_framed(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.show_page(3)
    page = window.page(3)
    assert isinstance(page, TrainPage)
    page.tabs.setCurrentWidget(page.results)
    qtbot.waitUntil(lambda: len(page.results.table.keys) == 2, timeout=TIMEOUT_MS)
    gallery = open_errors(qtbot, page.results).gallery
    qtbot.waitUntil(lambda: bool(gallery.grid.keys), timeout=TIMEOUT_MS)
    gallery.grid.setFocus()
    QTest.keyClick(gallery.grid, Qt.Key.Key_Home)
    item = gallery.selected
    assert item is not None
    assert item.kind == "missed"
    QTest.keyClick(gallery.grid, Qt.Key.Key_Return)
    viewer = annotate_page(window).view
    qtbot.waitUntil(lambda: viewer.isVisible() and viewer.frame is not None, timeout=TIMEOUT_MS)
    assert window.workspace.current_fov_id == item.fov_id
    frame = viewer.frame
    assert frame == item.part
    seen = viewer.viewport.visible_box()
    assert seen.x0 <= frame.x0
    assert seen.x1 >= frame.x1
    window.workspace.step_fov(1)
    qtbot.waitUntil(lambda: viewer.frame is None, timeout=TIMEOUT_MS)


def test_that_a_field_that_is_gone_cannot_be_shown(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="no longer"):
        workspace.show_region(FovId(987654), Box(0, 0, 10, 10))
