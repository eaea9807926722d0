"""A thousand centre clicks at any zoom and rotation: committed at once, to the pixel, undone and redone in full."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from tests.support.centre_clicks import Committed, assert_committed, click_centres
from tests.support.windows import annotate_page, make_project, open_window

N_CLICKS, N_BY_KEY = 1000, 50
"""A key paints the view each time; past the first ones the stack is called as the key calls it."""
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def committed(window: MainWindow) -> Iterator[Committed]:
    connection = Committed(window.workspace.require_project().folder)
    yield connection
    connection.close()


def test_that_a_thousand_clicks_are_committed_undone_and_redone(window: MainWindow, committed: Committed) -> None:
    window.resize(800, 600)  # what is painted a thousand times may be small
    page, first_id = annotate_page(window), committed.last_id()
    smallest = min(page.classes.values(), key=lambda each: each.size_px or 0)  # large rings take long to paint
    window.workspace.set_current_class(smallest.id)
    run = click_centres(page, committed, n_clicks=N_CLICKS, seed=3)
    assert_committed(committed.places(first_id), run)
    for n in range(N_CLICKS):
        QTest.keyClick(page.view, Qt.Key.Key_Z, CTRL) if n < N_BY_KEY else page.workspace.undo_stack.undo()
    assert committed.places(first_id) == []
    assert not page.workspace.undo_stack.canUndo()
    for n in range(N_CLICKS):
        QTest.keyClick(page.view, Qt.Key.Key_Z, CTRL | SHIFT) if n < N_BY_KEY else page.workspace.undo_stack.redo()
    assert_committed(committed.places(first_id), run)
    assert len(page.editor.annotations) == page.annotation_panel.model.rowCount()
