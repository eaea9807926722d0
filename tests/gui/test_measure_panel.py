"""Measuring synthetic images in the window: starting, comparing, and looking at the nearest pairs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import RunStatus, changes
from synthstudio.gui.pages.generate.gan.measure_panel import MeasurePanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.measure import MeasureSettings
from tests.support.engine_project import build_engine_project
from tests.support.gan_runs import add_gan_run
from tests.support.measurements import add_measurement, add_set
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("patient"), preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Project:
    """A project with a set, open in the workspace."""
    build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1).close()
    workspace.open_project(tmp_path / "project")
    assert workspace.project is not None
    return workspace.project


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> MeasurePanel:
    made = MeasurePanel(workspace)
    qtbot.addWidget(made)
    made.resize(1220, 700)
    made.show()
    return made


def _announce(workspace: Workspace) -> None:
    workspace.announce(changes("runs", "sets"))


def test_that_without_anything_to_measure_the_panel_says_what_to_do_first(
    project: Project, panel: MeasurePanel
) -> None:
    assert panel.stack.currentWidget() is panel.empty
    assert "Train a GAN" in panel.empty.text.text()
    assert not panel.side.start.isEnabled()
    assert "nothing to measure" in panel.side.why.text()


def test_that_without_a_project_nothing_can_be_started(panel: MeasurePanel) -> None:
    assert "Open a project" in panel.empty.text.text()
    assert not panel.side.start.isEnabled()


def test_that_the_chosen_gan_is_measured_where_no_set_is_named(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    gan = add_gan_run(project)
    panel.set_run(project.runs.get(gan))
    assert panel.side.start.isEnabled()
    settings = panel.side.find_settings()
    assert settings == MeasureSettings(run=gan)
    qtbot.mouseClick(panel.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.gpu_worker.running is not None, timeout=TIMEOUT_MS)
    run = project.runs.list(kind="measure")[-1]
    assert MeasureSettings.model_validate_json(run.settings_json).run == gan
    qtbot.waitUntil(lambda: panel.state.text() == "Measuring…", timeout=TIMEOUT_MS)
    workspace.gpu_worker.cancel_all()
    qtbot.waitUntil(lambda: workspace.gpu_worker.is_idle, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: "cancelled" in panel.state.text(), timeout=TIMEOUT_MS)


def test_that_a_set_is_chosen_by_the_keyboard_and_stays_chosen(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_set(project, "made")
    panel.set_run(project.runs.get(add_gan_run(project)))
    _announce(workspace)
    target = panel.side.target
    qtbot.waitUntil(lambda: target.count() == 2, timeout=TIMEOUT_MS)
    target.setFocus()
    qtbot.keyClick(target, Qt.Key.Key_Down)
    assert panel.side.find_settings() == MeasureSettings(set_name="made")
    add_set(project, "other")
    _announce(workspace)
    qtbot.waitUntil(lambda: target.count() == 3, timeout=TIMEOUT_MS)
    assert target.currentData() == "made"


def test_that_a_finished_measurement_is_shown_with_its_floor_its_chart_and_its_pairs(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_set(project, "made")
    add_measurement(project, "made", fid=3.0)
    _announce(workspace)
    qtbot.waitUntil(lambda: panel.stack.currentWidget() is panel.content, timeout=TIMEOUT_MS)
    row = dict(zip(*panel.table.texts(), strict=True))
    assert (row["Measured"], row["FID"], row["Floor"], row["Too near"]) == ("Set made", "3.000", "2.700", "1 of 80")
    assert row["Above"] == "0.300"
    chart = panel.plot.chart
    assert chart.groups == ("No. 1",)
    assert chart.baselines == (pytest.approx(2.7),)
    assert (chart.series[0].bars[0].low, chart.series[0].bars[0].high) == (pytest.approx(2.8), pytest.approx(3.2))
    assert panel.notes.text() == "Mind the numbers."
    qtbot.waitUntil(lambda: len(panel.gallery.pairs) == 2, timeout=TIMEOUT_MS)
    assert panel.gallery.facts.text().startswith("1 of 2 synthetic images are too near")
    qtbot.waitUntil(lambda: len(panel.gallery.grid.loaded) == 2, timeout=TIMEOUT_MS)
    tile = panel.gallery.grid.loaded[0]
    assert tile.pixelColor(tile.width() // 8, tile.height() // 8).red() == 200


def test_that_measurements_are_compared_by_condition_once_both_are_selected(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    for name, fid in (("one", 3.0), ("two", 5.0)):
        add_set(project, name)
        add_measurement(project, name, fid=fid)
    _announce(workspace)
    qtbot.waitUntil(lambda: len(panel.table.keys) == 2, timeout=TIMEOUT_MS)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert [each.number for each in panel.chosen] == [2, 1]
    assert panel.plot.chart.groups == ("No. 1", "No. 2")
    qtbot.keyClick(panel.part, Qt.Key.Key_Down)
    chart = panel.plot.chart
    assert chart.groups == ("disc", "square")  # the rare class has no figures
    assert [[bar.value for bar in each.bars] for each in chart.series] == [[4.0, 5.0], [6.0, 7.0]]
    qtbot.keyClick(panel.part, Qt.Key.Key_Down)
    assert panel.plot.chart.groups == ()


def test_that_the_table_sorts_by_a_figure(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    for name, fid in (("high", 30.0), ("low", 4.0), ("middle", 9.0)):
        add_measurement(project, name, fid=fid)
    _announce(workspace)
    qtbot.waitUntil(lambda: len(panel.table.keys) == 3, timeout=TIMEOUT_MS)
    titles = [column.title for column in panel.table.rows_model.columns]
    panel.table.sortByColumn(titles.index("FID"), Qt.SortOrder.AscendingOrder)
    names = [row.cells[1].text for row in panel.table.rows_model.rows]
    assert names == ["Set low", "Set middle", "Set high"]


def test_that_a_pair_opens_its_real_image_at_the_very_place(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_set(project, "made")
    add_measurement(project, "made")
    _announce(workspace)
    grid = panel.gallery.grid
    qtbot.waitUntil(lambda: len(grid.loaded) == 2, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(workspace.region_wanted, timeout=TIMEOUT_MS):
        qtbot.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.tile_rect(0).center())
    assert workspace.wanted_region is not None
    fov_id, box = workspace.wanted_region
    assert fov_id == project.fovs.list()[0].id
    assert (box.x0, box.y0, box.x1, box.y1) == (10, 12, 50, 52)


def test_that_a_set_that_is_gone_leaves_its_words_and_its_real_images(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_measurement(project, "gone")
    _announce(workspace)
    qtbot.waitUntil(lambda: len(panel.gallery.grid.loaded) == 2, timeout=TIMEOUT_MS)


def test_that_a_measurement_without_pairs_says_so(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_measurement(project, "made", has_pairs=False)
    _announce(workspace)
    qtbot.waitUntil(lambda: panel.stack.currentWidget() is panel.content, timeout=TIMEOUT_MS)
    assert panel.gallery.pairs == ()
    assert not panel.gallery.facts.isVisible()


def test_that_a_failed_measurement_says_why(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    run_id = new_run_id("measure")
    project.runs.add(run_id, kind="measure", title="", settings_json="{}")
    project.runs.set_ended(run_id, RunStatus.FAILED, message="Too few images.", hint="Measure more.")
    _announce(workspace)
    qtbot.waitUntil(lambda: "Too few images. Measure more." in panel.state.text(), timeout=TIMEOUT_MS)
    assert panel.state.property("danger")


def test_that_the_table_is_copied_by_its_action(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel
) -> None:
    add_measurement(project, "made", fid=3.0)
    _announce(workspace)
    qtbot.waitUntil(lambda: len(panel.table.keys) == 1, timeout=TIMEOUT_MS)
    copy = next(each for each in panel.actions() if each.id == "gan.copy_measurements")
    assert copy.enabled_when()
    copy.callback()
    assert "Set made" in QApplication.clipboard().text()


def test_that_opening_another_project_shows_its_measurements_alone(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: MeasurePanel, tmp_path: Path
) -> None:
    add_measurement(project, "made")
    _announce(workspace)
    qtbot.waitUntil(lambda: panel.table.model().rowCount(QModelIndex()) == 1, timeout=TIMEOUT_MS)
    Project.create(tmp_path / "other").close()
    workspace.open_project(tmp_path / "other")
    assert panel.table.keys == []
    assert panel.stack.currentWidget() is panel.empty
