"""What is said about fields and classes can be undone and redone like every edit of annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState, FieldOfView, Split
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.calibration_dialog import CalibrationDialog
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.annotate.class_dialog import ClassDialog
from tests.support.hands import Hands
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field

LEFT, CTRL, ALT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> AnnotatePage:
    return annotate_page(window)


def stored(window: MainWindow) -> dict[FovId, FieldOfView]:
    return {fov.id: fov for fov in window.workspace.require_project().fovs.list()}


def undo(page: AnnotatePage) -> None:
    QTest.keyClick(page.view, Qt.Key.Key_Z, CTRL)


def redo(page: AnnotatePage) -> None:
    QTest.keyClick(page.view, Qt.Key.Key_Y, CTRL)


def test_that_state_flag_split_calibration_and_note_are_undone_and_redone(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    states = [stored(window)]
    QTest.keyClick(page.view, Qt.Key.Key_1, CTRL | ALT)
    states.append(stored(window))
    QTest.mouseClick(page.field_panel.flag, LEFT)
    states.append(stored(window))
    page.field_panel.split.setCurrentIndex(page.field_panel.split.findData("val"))
    page.field_panel.split.activated.emit(page.field_panel.split.currentIndex())
    states.append(stored(window))
    page.field_panel.scale.setValue(0.123)
    states.append(stored(window))
    QTest.keyClicks(page.field_panel.note, "cloudy")
    QTest.keyClick(page.field_panel.note, Qt.Key.Key_Return)
    states.append(stored(window))
    page.view.setFocus()
    assert len({str(each) for each in states}) == 6, "each step has changed something"
    for before in states[-2::-1]:
        undo(page)
        assert stored(window) == before
    assert page.field_panel.note.text() == ""
    for after in states[1:]:
        redo(page)
        assert stored(window) == after


def test_that_a_note_typed_in_pieces_is_one_step(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    before, note = stored(window), page.field_panel.note
    for piece in ("two", " cells"):
        QTest.keyClicks(note, piece)
        QTest.keyClick(note, Qt.Key.Key_Return)
    assert page.shown_fov is not None
    assert stored(window)[page.shown_fov.id].note == "two cells"
    page.view.setFocus()
    undo(page)
    assert stored(window) == before


def test_that_undo_of_a_field_goes_back_to_it(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    first = page.shown_fov
    assert first is not None
    QTest.keyClick(page.view, Qt.Key.Key_4, CTRL | ALT)
    QTest.keyClick(page.view, Qt.Key.Key_D)
    wait_for_field(qtbot, window)
    undo(page)
    wait_for_field(qtbot, window)
    assert page.shown_fov == first


def test_that_what_is_said_of_many_fields_is_one_step(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    before = stored(window)
    window.fov_panel.list.selectAll()
    window.fov_panel.set_state(AnnotationState.REVIEWED)
    window.fov_panel.set_split(Split.TEST)
    window.fov_panel.toggle_flag()
    fovs = stored(window).values()
    assert {(fov.state, fov.split, fov.is_flagged) for fov in fovs} == {(AnnotationState.REVIEWED, Split.TEST, True)}
    for _ in range(3):
        undo(page)
    assert stored(window) == before


def test_that_a_calibration_of_all_fields_is_undone(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    before = stored(window)
    window.dialogs.open_calibration()
    dialog = window.findChild(CalibrationDialog)
    assert dialog is not None
    dialog.scope.setCurrentIndex(dialog.scope.findData("all"))
    dialog.scale.setValue(0.5)
    dialog.save()
    assert {fov.um_per_px for fov in stored(window).values()} == {0.5}
    undo(page)
    assert stored(window) == before


def test_that_undoing_the_first_mark_makes_the_field_not_annotated_again(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    fov = page.shown_fov
    assert fov is not None
    window.registry.action("annotate.select_all").trigger()
    QTest.keyClick(page.view, Qt.Key.Key_Delete)
    QTest.keyClick(page.view, Qt.Key.Key_1, CTRL | ALT)
    assert stored(window)[fov.id].state is AnnotationState.NONE
    QTest.mouseClick(page.view, LEFT, pos=page.view.rect().center())
    assert stored(window)[fov.id].state is AnnotationState.PARTIAL
    undo(page)
    assert stored(window)[fov.id].state is AnnotationState.NONE
    redo(page)
    assert stored(window)[fov.id].state is AnnotationState.PARTIAL
    QTest.keyClick(page.view, Qt.Key.Key_4, CTRL | ALT)
    window.workspace.undo_stack.undo()
    window.workspace.undo_stack.undo()
    assert stored(window)[fov.id].state is AnnotationState.NONE


def test_that_a_new_class_and_its_first_mark_are_undone_and_redone(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    project = window.workspace.require_project()
    before = project.classes.list()
    page.class_actions.add()
    dialog = page.findChild(ClassDialog)
    assert dialog is not None
    dialog.name.setText("Parasite")
    dialog.accept_draft()
    added = project.classes.find("Parasite")
    assert added is not None
    hands = Hands(qtbot, window)
    hands.click_at(*hands.free_place(10))
    n_marks = project.annotations.totals()[added.id]
    undo(page)
    undo(page)
    assert project.classes.list() == before
    redo(page)
    redo(page)
    assert project.classes.find("Parasite") == added
    assert project.annotations.totals()[added.id] == n_marks == 1
    qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
