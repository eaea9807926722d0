"""The command palette finds actions and fields and does them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def open_palette(qtbot: QtBot, window: MainWindow, text: str) -> None:
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.palette_box.isVisible()
    QTest.keyClicks(window.palette_box.field, text)


def test_that_an_action_is_found_by_a_part_of_its_name_and_run(qtbot: QtBot, window: MainWindow) -> None:
    open_palette(qtbot, window, "draw box")
    assert window.palette_box.items[0].text == "Draw boxes"
    QTest.keyClick(window.palette_box.field, Qt.Key.Key_Return)
    assert not window.palette_box.isVisible()
    assert annotate_page(window).view.tool == "box"


def test_that_a_field_is_found_and_opened(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.fov_panel.model.rowCount() > 1, timeout=TIMEOUT_MS)
    wanted = window.fov_panel.model.all_fovs[1]
    open_palette(qtbot, window, wanted.name)
    assert any(item.detail == "Field" for item in window.palette_box.items)
    QTest.keyClick(window.palette_box.field, Qt.Key.Key_Return)
    wait_for_field(qtbot, window)
    assert window.workspace.current_fov_id == wanted.id


def test_that_escape_closes_it_and_does_nothing(qtbot: QtBot, window: MainWindow) -> None:
    tool = annotate_page(window).view.tool
    open_palette(qtbot, window, "box")
    QTest.keyClick(window.palette_box.field, Qt.Key.Key_Escape)
    assert not window.palette_box.isVisible()
    assert annotate_page(window).view.tool == tool


def test_that_actions_of_other_workspaces_are_reached(qtbot: QtBot, window: MainWindow) -> None:
    window.page(1)
    window.show_page(2)
    items = window.palette_search.search("draw boxes")
    assert items[0].detail == "in Annotate"
    items[0].run()
    assert window.place == 0
    assert annotate_page(window).view.tool == "box"
