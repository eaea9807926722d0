"""Experiments in the Train workspace: started from the form, filled in as jobs end, stopped, gone on with, exported."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.client.experiment import begin_experiment
from synthstudio.domain.records import RunStatus, changes
from synthstudio.gui.pages.train.experiments import Experiments
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.experiment import ExperimentSettings
from tests.support.engine_project import build_engine_project
from tests.support.experiments import play_all
from tests.support.plan_tabs import TabOpener
from tests.support.windows import TIMEOUT_MS

SETTINGS = ExperimentSettings(name="night", arms=("real", "synthetic"), seeds=1, with_detector=False, n_explained=0)
OpenTab = Callable[[str], tuple[Experiments, Workspace]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    project.close()
    return project.folder


@pytest.fixture
def open_tab(qtbot: QtBot, tmp_path: Path, folder: Path) -> Iterator[OpenTab]:
    """Opens the tab with an engine that plays a part."""
    opener = TabOpener(qtbot, folder=folder, preferences=tmp_path, make=Experiments, is_read=is_read)
    yield opener
    opener.shut_down()


def is_read(tab: Experiments) -> bool:
    return tab.panel.chosen is not None or not tab.panel.empty.button.isHidden()


def fill_form(tab: Experiments, settings: ExperimentSettings) -> None:
    tab.open_form()
    tab.form.form.set_settings(settings)


def test_that_an_experiment_started_from_the_form_fills_table_and_chart_as_its_jobs_end(
    qtbot: QtBot, open_tab: OpenTab
) -> None:
    tab, workspace = open_tab("finished")
    panel = tab.panel
    qtbot.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    assert tab.wants_side
    fill_form(tab, SETTINGS)
    qtbot.waitUntil(lambda: tab.form.effort.text().startswith("2 trainings, 4 jobs; about "), timeout=TIMEOUT_MS)
    qtbot.mouseClick(tab.form.start, Qt.MouseButton.LeftButton)
    assert not tab.wants_side
    assert tab.driver.active == "night"

    qtbot.waitUntil(lambda: panel.head.state.text().startswith("4 of 4 jobs are done"), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not tab.driver.active, timeout=TIMEOUT_MS)
    runs = workspace.require_project().runs.of_experiment("night")
    assert [run.kind for run in runs] == ["train-classifier", "evaluate"] * 2
    assert [row[:4] for row in panel.table.texts()] == [
        ["Trained on", "Seeds", "Presence F1", "Pointing"],
        ["Real", "1 of 1", "0.80", "0.90"],
        ["Synthetic", "1 of 1", "0.80", "0.90"],
        ["By chance", "", "", "0.20"],
    ]
    assert panel.chart.chart.groups == ("all classes", "disc")
    assert [each.name for each in panel.chart.chart.series] == ["Real", "Synthetic"]
    assert panel.differences.text() == "Against real, seed by seed: Synthetic +0.000 (1 seed)."
    assert panel.head.go_on.isHidden()
    assert panel.head.stop.isHidden()


def test_that_stop_cancels_the_job_and_continue_does_the_rest_in_another_session(
    qtbot: QtBot, open_tab: OpenTab
) -> None:
    tab, workspace = open_tab("patient")
    fill_form(tab, SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: workspace.gpu_worker.running is not None, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: "Now: night: real, seed 0." in tab.panel.head.state.text(), timeout=TIMEOUT_MS)
    assert not tab.form.start.isEnabled()
    qtbot.mouseClick(tab.panel.head.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.gpu_worker.is_idle, timeout=TIMEOUT_MS)
    assert not tab.driver.active
    (run,) = workspace.require_project().runs.of_experiment("night")
    assert run.status is RunStatus.CANCELLED
    workspace.shut_down()

    again, workspace = open_tab("finished")
    qtbot.waitUntil(again.panel.head.go_on.isEnabled, timeout=TIMEOUT_MS)
    qtbot.mouseClick(again.panel.head.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: again.panel.head.state.text().startswith("4 of 4 jobs are done"), timeout=TIMEOUT_MS)
    assert len(workspace.require_project().runs.of_experiment("night")) == 5


def test_that_a_job_cancelled_in_the_job_bar_stops_its_experiment(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("patient")
    fill_form(tab, SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: workspace.gpu_worker.running is not None, timeout=TIMEOUT_MS)
    workspace.gpu_worker.cancel_all()
    qtbot.waitUntil(lambda: not tab.driver.active, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: tab.panel.can_continue, timeout=TIMEOUT_MS)
    assert len(workspace.require_project().runs.of_experiment("night")) == 1


def test_that_trainings_that_fail_are_told_and_do_not_stop_the_others(
    qtbot: QtBot, open_tab: OpenTab, caplog: pytest.LogCaptureFixture
) -> None:
    tab, _ = open_tab("failed")
    fill_form(tab, SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: len(tab.panel.trouble.text().splitlines()) == 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not tab.driver.active, timeout=TIMEOUT_MS)
    assert tab.panel.trouble.text().splitlines()[1] == "night: synthetic, seed 0: The script says no."
    assert tab.panel.can_continue
    assert tab.panel.table.texts()[1][:3] == ["Real", "0 of 1", "–"]


def test_that_figures_are_exported_class_by_class_and_a_new_experiment_gets_a_free_name(
    qtbot: QtBot, open_tab: OpenTab
) -> None:
    tab, workspace = open_tab("patient")
    project = workspace.require_project()
    settings = SETTINGS.model_copy(update={"name": "comparison", "seeds": 2})
    begin_experiment(project, settings)
    play_all(project, settings)
    workspace.announce(changes("runs"))
    panel = tab.panel
    qtbot.waitUntil(lambda: panel.table.rowCount() == 3, timeout=TIMEOUT_MS)
    assert panel.table.texts()[1][2] == "0.81 ± 0.01"
    panel.measure.setCurrentIndex(panel.measure.findText("Pointing"))
    assert panel.chart.chart.baselines == (pytest.approx(0.2), pytest.approx(0.2))
    assert panel.chart.chart.baseline_name == "by chance"
    assert panel.differences.text() == (
        "Whiskers: standard deviation over the seeds. Against real, seed by seed: Synthetic -0.100 ± 0.000 (2 seeds)."
    )
    rows = list(csv.DictReader(panel.table.to_csv().decode().splitlines()))
    assert {(row["measure"], row["class"]) for row in rows} >= {("Pointing", "all"), ("Presence F1", "disc")}
    menu = panel.export.build_menu()
    qtbot.addWidget(menu)
    assert [action.text() for action in menu.actions()] == ["Chart", "Scores"]
    tab.open_form()
    found = tab.form.form.find_settings()
    assert found is not None
    assert found.name == "comparison 2"


def test_that_an_experiment_without_test_images_is_refused_in_words(
    qtbot: QtBot, open_tab: OpenTab, caplog: pytest.LogCaptureFixture
) -> None:
    tab, workspace = open_tab("finished")
    project = workspace.require_project()
    project.samples.set_split([sample.id for sample in project.samples.list()], None)
    fill_form(tab, SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: not tab.driver.active, timeout=TIMEOUT_MS)
    assert "No image of the test split is annotated" in caplog.text
    assert project.runs.list() == []


def test_that_the_report_of_an_experiment_is_written_where_the_user_says(
    qtbot: QtBot, open_tab: OpenTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, workspace = open_tab("patient")
    project = workspace.require_project()
    begin_experiment(project, SETTINGS)
    play_all(project, SETTINGS)
    workspace.announce(changes("runs"))
    qtbot.waitUntil(lambda: tab.panel.has_scores, timeout=TIMEOUT_MS)
    out = tmp_path / "appendix.html"
    monkeypatch.setattr(
        "synthstudio.gui.report_writing.choose_file",
        lambda parent, suggested, filters, chosen: chosen(out),
    )
    qtbot.mouseClick(tab.panel.report, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(out.is_file, timeout=TIMEOUT_MS)
    assert "night" in out.read_text(encoding="utf-8")


def test_that_an_experiment_ends_with_its_project_and_is_offered_again_when_that_is_opened(
    qtbot: QtBot, open_tab: OpenTab, folder: Path
) -> None:
    tab, workspace = open_tab("patient")
    fill_form(tab, SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: workspace.gpu_worker.running is not None, timeout=TIMEOUT_MS)
    workspace.close_project()
    assert not tab.driver.active
    tab.refresh()
    assert tab.panel.stack.currentWidget() is tab.panel.empty
    workspace.open_project(folder)
    tab.refresh()
    qtbot.waitUntil(lambda: tab.panel.can_continue, timeout=TIMEOUT_MS)
    (run,) = workspace.require_project().runs.of_experiment("night")
    assert run.status is RunStatus.CANCELLED
