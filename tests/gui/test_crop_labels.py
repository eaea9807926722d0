"""Labelling crops as wholes, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.crop_labels_dialog import CropLabelsDialog
from synthstudio.gui.main_window.crop_walk import CropWalk
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        qtbot.waitUntil(lambda: opened.fov_panel.model.rowCount() > 1, timeout=TIMEOUT_MS)
        yield opened


def open_labels(qtbot: QtBot, window: MainWindow) -> tuple[CropLabelsDialog, CropWalk]:
    window.registry.action("field.label_crops").trigger()
    dialog = window.findChild(CropLabelsDialog)
    assert dialog is not None
    wait_for_crop(qtbot, dialog)
    assert dialog.walk is not None
    return dialog, dialog.walk


def wait_for_crop(qtbot: QtBot, dialog: CropLabelsDialog) -> None:
    qtbot.waitUntil(
        lambda: dialog.walk is not None and dialog.view.pyramid is not None and dialog._is_seen, timeout=TIMEOUT_MS
    )


def press(dialog: CropLabelsDialog, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(dialog.focusWidget() or dialog, key)


def test_that_number_keys_answer_and_are_in_the_database_at_once(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog, walk = open_labels(qtbot, window)
    first, second = walk.classes[:2]
    place = walk.place
    press(dialog, Qt.Key.Key_1)
    (label,) = project.crop_labels.list(place.fov.id)
    assert (label.square, label.present) == (place.square, {first.id})
    assert label.asked == {each.id for each in walk.classes}
    assert label.author == window.workspace.preferences.author_name
    press(dialog, Qt.Key.Key_2, Qt.Key.Key_1)
    assert project.crop_labels.list(place.fov.id)[0].present == {second.id}
    assert dialog.buttons[second.id].isChecked()
    assert not dialog.buttons[first.id].isChecked()
    assert dialog.counts.text().startswith("1 of ")


def test_that_next_without_an_answer_means_none_and_back_shows_it(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog, walk = open_labels(qtbot, window)
    place = walk.place
    press(dialog, Qt.Key.Key_Space)
    assert walk.position == 1
    (label,) = project.crop_labels.list(place.fov.id)
    assert not label.present
    wait_for_crop(qtbot, dialog)
    press(dialog, Qt.Key.Key_Return)
    assert walk.position == 2
    wait_for_crop(qtbot, dialog)
    press(dialog, Qt.Key.Key_Backspace, Qt.Key.Key_Backspace)
    assert walk.place == place
    assert "none of the classes" in dialog.state.text()
    wait_for_crop(qtbot, dialog)
    press(dialog, Qt.Key.Key_U)
    assert walk.position == 2
    assert walk.n_labelled == 2


def test_that_every_answer_is_undone_and_redone_at_its_crop(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog, walk = open_labels(qtbot, window)
    start = walk.place
    press(dialog, Qt.Key.Key_1, Qt.Key.Key_Space)
    wait_for_crop(qtbot, dialog)
    press(dialog, Qt.Key.Key_1)
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert walk.n_labelled == 1
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert walk.n_labelled == 0
    assert walk.place == start
    assert project.crop_labels.by_fov() == {}
    QTest.keyClick(dialog, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert len(project.crop_labels.list(start.fov.id)) == 1
    dialog.reject()
    window.workspace.undo_stack.undo()
    assert project.crop_labels.by_fov() == {}


def test_that_delete_forgets_and_the_next_opening_begins_at_the_first_gap(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog, walk = open_labels(qtbot, window)
    press(dialog, Qt.Key.Key_1, Qt.Key.Key_Delete)
    assert project.crop_labels.by_fov() == {}
    press(dialog, Qt.Key.Key_1)
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(CropLabelsDialog) is None, timeout=TIMEOUT_MS)
    window.workspace.set_current_fov(walk.places[0].fov.id)
    _, again = open_labels(qtbot, window)
    assert again.position == 1
    assert again.n_labelled == 1


def test_that_a_click_on_a_class_answers_and_leaves_the_keys_alone(qtbot: QtBot, window: MainWindow) -> None:
    dialog, walk = open_labels(qtbot, window)
    QTest.mouseClick(dialog.buttons[walk.classes[0].id], Qt.MouseButton.LeftButton)
    assert walk.label is not None
    assert walk.label.present == {walk.classes[0].id}
    press(dialog, Qt.Key.Key_Space)
    assert walk.position == 1


def test_that_a_crop_whose_image_is_missing_is_passed_without_a_label(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    fov = project.fovs.list()[-1]  # too far from the first to have been decoded ahead
    Path(fov.path).unlink()
    window.workspace.set_current_fov(fov.id)
    window.registry.action("field.label_crops").trigger()
    dialog = window.findChild(CropLabelsDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.walk is not None, timeout=TIMEOUT_MS)
    walk = dialog.walk
    assert walk is not None
    position = walk.position
    press(dialog, Qt.Key.Key_1, Qt.Key.Key_Space)
    assert project.crop_labels.by_fov() == {}
    assert walk.position == position + 1


def test_that_crops_of_another_size_are_labelled_beside_the_former_ones(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog, walk = open_labels(qtbot, window)
    press(dialog, Qt.Key.Key_1)
    former = walk.place
    QTest.mouseClick(dialog.size_row.side.lineEdit(), Qt.MouseButton.LeftButton)
    dialog.size_row.side.selectAll()
    QTest.keyClicks(dialog.size_row.side, "40")
    n_labels = sum(len(each) for each in project.crop_labels.by_fov().values())
    QTest.keyClick(dialog.size_row.side, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.walk is not None and dialog.walk.cut.side_px == 40, timeout=TIMEOUT_MS)
    wait_for_crop(qtbot, dialog)
    other = dialog.walk
    assert other is not None
    assert n_labels == sum(len(each) for each in project.crop_labels.by_fov().values()), "Enter labelled a crop"
    assert (other.n_labelled, other.n_other) == (0, 1)
    assert "1 label of other crops is kept" in dialog.size_row.result.text()
    assert dialog.focusWidget() in (dialog, None)
    dialog.size_row.scale.setValue(0.5)
    qtbot.waitUntil(lambda: dialog.walk is not None and dialog.walk.cut.scale == 0.5, timeout=TIMEOUT_MS)
    wait_for_crop(qtbot, dialog)
    assert dialog.walk is not None
    assert dialog.walk.place.square.side == 80
    press(dialog, Qt.Key.Key_2)
    squares = {label.square.side for label in project.crop_labels.list(dialog.walk.place.fov.id)}
    assert squares == {80, former.square.side} or former.fov.id != dialog.walk.place.fov.id
    dialog.size_row.side.setValue(walk.cut.side_px)
    dialog.size_row.scale.setValue(0.0)
    qtbot.waitUntil(lambda: dialog.walk is not None and dialog.walk.cut == walk.cut, timeout=TIMEOUT_MS)
    assert dialog.walk.n_labelled == 1
