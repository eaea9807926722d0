"""Batches in the Train workspace: opened, begun, stopped, gone on with, by mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import RunStatus
from synthstudio.gui import errors
from synthstudio.gui.main_window.window import MainWindow
from synthstudio.gui.pages.train.batches import Batches
from synthstudio.gui.pages.train.page import TABS, TrainPage
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import recipe_text
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, make_project, open_window

NIGHT = """
kind = "batch"
name = "night"
[[jobs]]
name = "one"
recipe = { kind = "compose", set_name = "one", count = 2 }
[[jobs]]
name = "two"
after = ["one"]
recipe = { kind = "compose", set_name = "two", count = 2 }
"""


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "night.toml"
    path.write_text(NIGHT, encoding="utf-8")
    return path


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    study = make_project(tmp_path / "study")
    with open_window(qtbot, tmp_path / "private", study, engine_command=scripted_engine("finished")) as made:
        made.show_page(3)
        yield made


def batches_of(window: MainWindow) -> Batches:
    page = window.page(3)
    assert isinstance(page, TrainPage)
    page.tabs.setCurrentWidget(page.batches)
    return page.batches


def statuses(batches: Batches) -> list[str]:
    table = batches.table
    return [item.text() if (item := table.item(row, 2)) is not None else "" for row in range(table.rowCount())]


def test_that_a_batch_is_opened_begun_and_finished(
    qtbot: QtBot, window: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[night]))
    batches = batches_of(window)
    qtbot.mouseClick(batches.empty.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: statuses(batches) == ["ready", "waiting"], timeout=TIMEOUT_MS)
    assert batches.names.currentText() == "night"
    qtbot.mouseClick(batches.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: statuses(batches) == ["finished", "finished"], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not batches.driver.active, timeout=TIMEOUT_MS)
    project = window.workspace.require_project()
    assert [run.title for run in project.runs.of_experiment("night")] == ["night: one", "night: two"]
    assert "2 of 2 jobs" in batches.state.text()
    assert not batches.go_on.isEnabled()


def test_that_a_stopped_batch_is_gone_on_with(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    worker = window.workspace.gpu_worker
    worker._command = scripted_engine("patient")
    batches = batches_of(window)
    batches.open_files([night])
    qtbot.waitUntil(lambda: batches.can_begin, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
        window.registry.action("train.continue_batch").trigger()
    qtbot.waitUntil(lambda: "night: one" in batches.state.text(), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: statuses(batches) == ["running", "waiting"], timeout=TIMEOUT_MS)
    qtbot.mouseClick(batches.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: statuses(batches) == ["cancelled", "waiting"], timeout=TIMEOUT_MS)
    assert batches.go_on.text() == "Continue"
    worker._command = scripted_engine("finished")
    qtbot.waitUntil(lambda: batches.can_begin, timeout=TIMEOUT_MS)
    qtbot.mouseClick(batches.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: statuses(batches) == ["finished", "finished"], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: worker.is_idle, timeout=TIMEOUT_MS)


def test_that_recipes_that_are_dropped_become_a_batch(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.toml").write_text(recipe_text(ComposeSettings(set_name=name, count=2)), encoding="utf-8")
    batches = batches_of(window)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / f"{name}.toml")) for name in ("first", "second")])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(batches, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(batches, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, left, none))
    qtbot.waitUntil(lambda: statuses(batches) == ["ready", "ready"], timeout=TIMEOUT_MS)
    assert batches.names.currentText() == "first and others batch"


def test_that_a_wrong_batch_is_one_sentence(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    night.write_text(NIGHT.replace('after = ["one"]', 'after = ["on"]'), encoding="utf-8")
    batches = batches_of(window)
    batches.open_files([night])
    qtbot.waitUntil(lambda: "needs the job on" in window.message_bar.label.text(), timeout=TIMEOUT_MS)
    assert window.workspace.require_project().runs.list(kind="compose") == []
    assert RunStatus.QUEUED not in {run.status for run in window.workspace.require_project().runs.list()}
    assert len(TABS) == 8
