"""Rounds in the Train workspace: begun by a button or by themselves, stopped, gone on with, drawn as a curve."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.client.plans import begin_plan
from synthstudio.client.rounds import next_round, read_rounds
from synthstudio.domain.records import RunStatus, Split, changes
from synthstudio.gui.pages.train.round_facts import curves
from synthstudio.gui.pages.train.rounds import Rounds
from synthstudio.gui.run_tab import NOTHING_TO_LEARN
from synthstudio.gui.theme import current_theme
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.round import RoundSettings
from tests.support.engine_project import build_engine_project
from tests.support.plan_tabs import TabOpener
from tests.support.rounds import click, play_round
from tests.support.suggesting_projects import forget_marks, mark_where, suggest, train_fovs
from tests.support.windows import TIMEOUT_MS

SETTINGS = RoundSettings(task="classifier")
OpenTab = Callable[[str], tuple[Rounds, Workspace]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=2)
    project.close()
    return project.folder


@pytest.fixture
def open_tab(qtbot: QtBot, tmp_path: Path, folder: Path) -> Iterator[OpenTab]:
    """Opens the tab with an engine that plays a part."""
    opener = TabOpener(qtbot, folder=folder, preferences=tmp_path, make=Rounds, is_read=is_read)
    yield opener
    opener.shut_down()


def is_read(tab: Rounds) -> bool:
    return tab.panel.facts is not None


def n_complete(tab: Rounds) -> int:
    facts = tab.panel.facts
    return sum(each.is_complete for each in facts.rounds) if facts is not None else 0


def test_that_a_round_begins_with_one_button_and_fills_curve_and_table(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("finished")
    panel = tab.panel
    assert panel.stack.currentWidget() is panel.empty
    tab.open_form()
    assert tab.wants_side
    tab.form.form.set_settings(SETTINGS)
    qtbot.waitUntil(lambda: tab.form.effort.text().startswith("One round: about "), timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: n_complete(tab) == 1 and not tab.driver.active, timeout=TIMEOUT_MS)
    kinds = [run.kind for run in workspace.require_project().runs.of_experiment("R1")]
    assert kinds[:2] == ["train-classifier", "evaluate"]
    row = panel.table.texts()[1]
    assert (row[0], row[6]) == ("R1", "0.80")
    (curve,) = panel.plot.curves
    assert curve.values.tolist() == [0.8]
    assert curve.color == current_theme().text
    facts, disc = panel.facts, workspace.require_project().classes.find("disc")
    assert facts is not None
    assert disc is not None
    (of_disc,) = curves(facts.rounds, panel.measure.currentData(), ("disc",), "actions", colors=facts.colors)
    assert (of_disc.color, of_disc.values.tolist()) == (disc.color, [0.8])
    assert "can be said after 3 rounds" in panel.outlook.text()
    qtbot.mouseClick(panel.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: n_complete(tab) == 2, timeout=TIMEOUT_MS)
    facts = panel.facts
    assert facts is not None
    assert facts.newest is not None
    assert facts.newest.settings is not None
    assert facts.newest.settings.task == "classifier"  # as the form says


def test_that_no_round_is_offered_before_something_is_annotated(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("finished")
    panel, project = tab.panel, workspace.require_project()
    qtbot.waitUntil(lambda: not panel.empty.button.isHidden(), timeout=TIMEOUT_MS)
    for fov in project.fovs.list():
        if fov.split is not Split.TEST:  # what lies there is learned from by nobody
            project.annotations.remove(project.annotations.list(fov.id))
    workspace.announce(changes("annotations"))
    qtbot.waitUntil(panel.empty.button.isHidden, timeout=TIMEOUT_MS)
    assert panel.empty.text.text().endswith(NOTHING_TO_LEARN)


def test_that_rounds_begin_by_themselves_once_enough_is_new_and_end_at_the_most(
    qtbot: QtBot, open_tab: OpenTab
) -> None:
    tab, workspace = open_tab("finished")
    project = workspace.require_project()
    tab.form.form.set_settings(SETTINGS)
    tab.panel.after.setValue(5)
    tab.panel.at_most.setValue(2)
    tab._look.setInterval(50)
    tab.hide()  # the expert clicks in another workspace
    tab.panel.automatic.setChecked(True)
    qtbot.waitUntil(lambda: len(project.rounds.list()) == 1 and not tab.driver.active, timeout=TIMEOUT_MS)
    click(project, 4)
    workspace.announce(changes("annotations"))
    click(project, 1)
    workspace.announce(changes("annotations"))
    qtbot.waitUntil(lambda: len(project.rounds.list()) == 2 and not tab.driver.active, timeout=TIMEOUT_MS)
    first, second = project.rounds.list()
    assert second.stock.n_annotations - first.stock.n_annotations == 5
    click(project, 20)
    tab._look_for_news()
    assert tab.n_automatic == 2
    assert not tab.driver.active


def test_that_stop_ends_the_round_and_the_wish_and_continue_does_the_rest(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("patient")
    tab.form.form.set_settings(SETTINGS)
    tab.start()
    qtbot.waitUntil(lambda: workspace.gpu_worker.running is not None, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: "Now: R1: train." in tab.panel.state.text(), timeout=TIMEOUT_MS)
    tab.panel.automatic.setChecked(True)
    qtbot.mouseClick(tab.panel.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.gpu_worker.is_idle, timeout=TIMEOUT_MS)
    assert not tab.panel.automatic.isChecked()
    (run,) = workspace.require_project().runs.of_experiment("R1")
    assert run.status is RunStatus.CANCELLED
    workspace.shut_down()

    again, workspace = open_tab("finished")
    qtbot.waitUntil(again.panel.go_on.isEnabled, timeout=TIMEOUT_MS)
    qtbot.mouseClick(again.panel.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: n_complete(again) == 1, timeout=TIMEOUT_MS)
    assert [each.name for each in workspace.require_project().rounds.list()] == ["R1"]


def test_that_the_curve_is_drawn_against_what_is_chosen_and_exported(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("finished")
    project = workspace.require_project()
    for score in (0.5, 0.6, 0.7):
        play_round(project, next_round(project, RoundSettings()), f1=score)
        click(project, project.rounds.n_annotations())
    workspace.announce(changes("runs"))
    panel = tab.panel
    qtbot.waitUntil(lambda: panel.table.rowCount() == 3, timeout=TIMEOUT_MS)
    assert [row[0] for row in panel.table.texts()] == ["Round", "R3", "R2", "R1"]
    panel.cost.setCurrentIndex(panel.cost.findData("actions"))
    (curve,) = panel.plot.curves
    facts = panel.facts
    assert facts is not None
    assert curve.steps.tolist() == [each.record.stock.n_actions for each in facts.rounds]
    assert panel.plot.values_text(curve.steps[-1]).startswith("actions of experts ")
    panel.measure.setCurrentIndex(panel.measure.findText("AP50"))
    panel.cost.setCurrentIndex(panel.cost.findData("annotations"))
    rows = list(csv.reader(panel.plot.to_csv().decode().splitlines()))
    assert rows[0] == ["annotations", "all classes"]
    assert len(rows) == 4


def test_that_a_round_that_cannot_be_is_refused_in_words(
    qtbot: QtBot, open_tab: OpenTab, caplog: pytest.LogCaptureFixture
) -> None:
    tab, workspace = open_tab("finished")
    project = workspace.require_project()
    project.samples.set_split([sample.id for sample in project.samples.list()], None)
    tab.start()
    qtbot.waitUntil(lambda: "No image of the test split is annotated" in caplog.text, timeout=TIMEOUT_MS)
    assert project.rounds.list() == []


def test_that_a_round_of_an_earlier_session_gives_the_next_one_its_settings(qtbot: QtBot, open_tab: OpenTab) -> None:
    tab, workspace = open_tab("finished")
    project = workspace.require_project()
    begin_plan(project, next_round(project, SETTINGS))
    tab.refresh()
    qtbot.waitUntil(lambda: bool(tab.panel.facts and tab.panel.facts.rounds), timeout=TIMEOUT_MS)
    assert tab.chosen == SETTINGS
    tab.toggle_form()
    assert tab.form.find_settings() == SETTINGS
    tab.toggle_form()
    assert not tab.wants_side


def test_that_a_round_tells_how_good_its_suggestions_were(qtbot: QtBot, folder: Path, open_tab: OpenTab) -> None:
    project = Project.open(folder)
    play_round(project, next_round(project, SETTINGS), f1=0.8)
    (first,) = read_rounds(project)
    assert first.training is not None
    fov = train_fovs(project)[0]
    forget_marks(project, [fov])
    suggest(project, fov.id, 0.9, 0.8, run_id=first.training)
    mark_where(project, fov.id, 15.0)
    project.close()
    tab, _ = open_tab("finished")
    row = dict(zip(*tab.panel.table.texts()[:2], strict=True))
    assert row["Precision"].startswith("0.50")
    assert row["Recall"].startswith("1.00")
    assert tab.panel.seeing.text().startswith("R1: No field has been annotated without suggestions yet")
