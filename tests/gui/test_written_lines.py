"""After a line beside the viewer was written, the next keys are shortcuts again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEAVING_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        qtbot.waitUntil(lambda: opened.fov_panel.model.rowCount() > 1, timeout=TIMEOUT_MS)
        yield opened


def focused(window: MainWindow) -> QWidget:
    widget = window.focusWidget()
    assert widget is not None
    return widget


@pytest.mark.parametrize("leaving", LEAVING_KEYS)
def test_that_the_key_after_a_note_goes_to_the_next_field(qtbot: QtBot, window: MainWindow, leaving: Qt.Key) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    first, second = window.workspace.fov_order[:2]
    QTest.keyClick(page.view, Qt.Key.Key_N, SHIFT)
    QTest.keyClicks(focused(window), "two fused")
    QTest.keyClick(focused(window), leaving)
    assert project.fovs.get(first).note == "two fused"
    QTest.keyClicks(focused(window), "d")
    assert window.workspace.current_fov_id == second
    wait_for_field(qtbot, window)
    assert {each.note for each in project.fovs.list()} == {"two fused", ""}


@pytest.mark.parametrize("leaving", LEAVING_KEYS)
def test_that_the_key_after_a_filter_goes_to_the_next_field(qtbot: QtBot, window: MainWindow, leaving: Qt.Key) -> None:
    page, panel = annotate_page(window), window.fov_panel
    words = panel.model.all_fovs[0].sample_name
    QTest.keyClick(page.view, Qt.Key.Key_L, CTRL)
    assert focused(window) is panel.filter
    QTest.keyClicks(focused(window), words)
    shown = window.workspace.fov_order
    assert len(shown) > 1
    QTest.keyClick(focused(window), leaving)
    assert focused(window) is page.view
    QTest.keyClicks(focused(window), "d")
    assert panel.filter.text() == words
    assert window.workspace.current_fov_id == shown[1]


def test_that_an_undone_note_is_taken_back_from_its_line(qtbot: QtBot, window: MainWindow) -> None:
    page, note = annotate_page(window), annotate_page(window).field_panel.note
    QTest.keyClick(page.view, Qt.Key.Key_N, SHIFT)
    QTest.keyClicks(note, "two fused")
    QTest.keyClick(note, Qt.Key.Key_Return)
    QTest.keyClick(focused(window), Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: note.text() == "", timeout=TIMEOUT_MS)


@pytest.mark.parametrize(
    "line_of",
    [
        lambda page: page.annotation_panel.filter,
        lambda page: page.field_panel.scale,
        lambda page: page.display_panel.loupe_power,
        lambda page: page.levels_panel.black,
    ],
    ids=["filter of annotations", "scale", "loupe", "black point"],
)
def test_that_other_lines_and_numbers_of_the_page_are_left_alike(
    window: MainWindow, line_of: Callable[[AnnotatePage], QLineEdit | QAbstractSpinBox]
) -> None:
    page = annotate_page(window)
    for section in (page.field_section, page.display_section, page.levels_section):
        section.set_folded(False)
    line = line_of(page)
    for leaving in LEAVING_KEYS:
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, "4")
        QTest.keyClick(line, leaving)
        assert focused(window) is page.view
    assert "4" in line.text()
