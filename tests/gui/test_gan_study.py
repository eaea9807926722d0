"""Studies of GANs in the Generate workspace: form, table, chart, and going on with what is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.client.gan_study import begin_study, next_job
from synthstudio.domain.records import changes
from synthstudio.gui.pages.generate.gan.study_panel import StudyPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.gan_study import GanStudySettings
from tests.support.engine_project import build_engine_project
from tests.support.gan_studies import play, play_all
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS

SETTINGS = GanStudySettings(name="night", without=("checkerboard-mitigation", "region-loss"), seeds=2)


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("failed"), preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Project:
    """A project that is open in the workspace."""
    build_engine_project(tmp_path, n_train=2, n_val=4, n_test=4).close()
    workspace.open_project(tmp_path / "project")
    assert workspace.project is not None
    return workspace.project


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> StudyPanel:
    made = StudyPanel(workspace)
    qtbot.addWidget(made)
    made.resize(1280, 700)
    made.show()
    return made


def test_that_a_finished_study_is_a_table_beside_floor_and_paper_and_a_chart(
    qtbot: QtBot, workspace: Workspace, panel: StudyPanel, project: Project
) -> None:
    begin_study(project, SETTINGS)
    play_all(project, SETTINGS)
    workspace.announce(changes("runs", "experiments"))
    board = panel.board
    qtbot.waitUntil(lambda: board.table.rows_model.rowCount() == 4, timeout=TIMEOUT_MS)
    head, *rows = board.table.texts()
    assert head[:3] == ["Variant", "FID", "KID"]
    assert head[-1] == "Paper's FID"
    assert [row[0] for row in rows] == [
        "Full",
        "Without checkerboard mitigation",
        "Without region loss",
        "Real against real",
    ]
    assert rows[0][1] == "30.5 ± 0.7"
    assert rows[3][1] == "10.0 (9.0–10.0)"
    assert rows[2][-1] == "174 ± 4.7"
    assert board.head.state.text() == "12 of 12 jobs are done."
    assert not board.head.go_on.isVisible()
    assert "Features: built-in." in board.notes.text()
    series = board.chart.chart.series
    assert [bar.value for bar in series[0].bars] == [30.5, 35.5, 50.5]
    assert board.chart.chart.baselines == (10.0, 10.0, 10.0)
    board.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert board.table.keys[0] == "region-loss"
    board.measure.setCurrentIndex(board.measure.findData("precision"))
    assert series != board.chart.chart.series
    assert board.table.to_csv().startswith(b"study,variant,measure")


def test_that_a_study_begins_from_the_form_and_its_failures_are_told(
    qtbot: QtBot, workspace: Workspace, panel: StudyPanel, project: Project
) -> None:
    board = panel.board
    qtbot.waitUntil(board.empty.button.isVisible, timeout=TIMEOUT_MS)
    qtbot.mouseClick(board.empty.button, Qt.MouseButton.LeftButton)
    assert panel.side.isVisible()
    qtbot.waitUntil(lambda: panel.form.effort.text().startswith("4 trainings, 8 jobs"), timeout=TIMEOUT_MS)
    panel.form.form.show_value("without", ("region-loss",))
    qtbot.mouseClick(panel.form.start, Qt.MouseButton.LeftButton)
    assert not panel.side.isVisible()
    qtbot.waitUntil(lambda: len(project.runs.list(kind="train-gan")) == 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not panel.driver.active, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: "The script says no." in board.trouble.text(), timeout=TIMEOUT_MS)
    assert board.head.go_on.isVisible()
    panel.open_form()
    assert panel.form.form.control_value("name") == "ablation 2"


def test_that_what_is_left_of_a_study_is_gone_on_with(
    qtbot: QtBot, workspace: Workspace, panel: StudyPanel, project: Project
) -> None:
    settings = SETTINGS.model_copy(update={"seeds": 1, "without": ("region-loss",)})
    begin_study(project, settings)
    for _ in range(2):
        job = next_job(project, settings)
        assert job is not None
        play(project, job, fid=30.0, experiment="night")
    workspace.announce(changes("runs", "experiments"))
    board = panel.board
    qtbot.waitUntil(board.head.go_on.isVisible, timeout=TIMEOUT_MS)
    assert board.head.state.text().startswith("2 of 4 jobs are done, time left about")
    qtbot.mouseClick(board.head.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(project.runs.list(kind="train-gan")) == 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not panel.driver.active, timeout=TIMEOUT_MS)
    assert project.runs.list(kind="train-gan")[-1].title == "night: without region loss, seed 0"


def test_that_the_settings_of_a_variant_are_used_for_a_training(
    qtbot: QtBot, workspace: Workspace, panel: StudyPanel, project: Project
) -> None:
    begin_study(project, SETTINGS)
    workspace.announce(changes("runs", "experiments"))
    board = panel.board
    qtbot.waitUntil(lambda: board.table.rows_model.rowCount() == 3, timeout=TIMEOUT_MS)
    assert not board.use.isEnabled()
    board.table.selectRow(2)
    with qtbot.waitSignal(panel.training_offered, timeout=TIMEOUT_MS) as offered:
        qtbot.mouseClick(board.use, Qt.MouseButton.LeftButton)
    (settings,) = offered.args
    assert settings.losses.region == 0.0
