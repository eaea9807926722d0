"""Resizing, converting, snapping, finding classes, reading by tiles and calibrating, in the real window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Annotation, ObjectClass
from synthstudio.gui.canvas.view_state import ViewState
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.calibration_dialog import CalibrationDialog
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.project import Project
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> AnnotatePage:
    return annotate_page(window)


def stored(page: AnnotatePage) -> list[Annotation]:
    """What a second connection reads: what is committed."""
    assert page.shown_fov is not None
    project = Project.open(page.workspace.require_project().folder, read_only=True)
    try:
        return project.annotations.list(page.shown_fov.id)
    finally:
        project.close()


def stored_class(page: AnnotatePage) -> ObjectClass:
    assert page.workspace.current_class_id is not None
    project = Project.open(page.workspace.require_project().folder, read_only=True)
    try:
        return project.classes.get(page.workspace.current_class_id)
    finally:
        project.close()


def key(page: AnnotatePage, code: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEY) -> None:
    QTest.keyClick(page.view, code, modifier)


def turn_wheel(page: AnnotatePage, spot: QPoint, keys: Qt.KeyboardModifier, notches: int) -> None:
    place = QPointF(spot)
    wheel = QWheelEvent(
        place,
        page.view.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(page.view, wheel)


def drag(page: AnnotatePage, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(page.view, LEFT, NO_KEY, start)
    QTest.mouseMove(page.view, (start + end) / 2)
    QTest.mouseMove(page.view, end)
    QTest.mouseRelease(page.view, LEFT, NO_KEY, end)


def test_that_one_turn_of_the_wheel_is_one_step_of_undo(page: AnnotatePage) -> None:
    before = stored(page)
    chosen = before[0]
    spot = page.view.image_to_widget(chosen.x, chosen.y).toPoint()
    for _ in range(5):
        turn_wheel(page, spot, ALT, 1)
    resized = next(each for each in stored(page) if each.id == chosen.id)
    size = page.view.class_size_px(chosen.class_id)
    assert resized.extent(size).width == pytest.approx(chosen.extent(size).width * 1.05**5)
    key(page, Qt.Key.Key_Z, CTRL)
    assert stored(page) == before
    key(page, Qt.Key.Key_Z, CTRL | SHIFT)
    assert next(each for each in stored(page) if each.id == chosen.id) == resized


def test_that_the_mean_size_of_a_class_is_seen_at_once_and_undone_in_one_step(page: AnnotatePage, qtbot: QtBot) -> None:
    before, drawn = stored_class(page), page.view.class_size_px(stored_class(page).id)
    for _ in range(4):
        turn_wheel(page, QPoint(3, 3), ALT | SHIFT, 1)
    assert page.view.class_size_px(before.id) == pytest.approx(drawn * 1.05**4, rel=0.01)
    assert stored_class(page) != before
    key(page, Qt.Key.Key_Z, CTRL)
    assert stored_class(page) == before
    assert page.view.class_size_px(before.id) == drawn
    key(page, Qt.Key.Key_BracketRight, ALT)
    with qtbot.waitSignal(page.workspace.records_changed, timeout=TIMEOUT_MS):
        pass
    assert page.view.class_size_px(before.id) == pytest.approx(drawn * 1.05, rel=0.01)


def test_that_centres_become_boxes_and_boxes_centres(page: AnnotatePage) -> None:
    before = stored(page)
    page.view.select_all()
    n_boxes = sum(each.is_box for each in before)
    key(page, Qt.Key.Key_K)
    if n_boxes < len(before):
        assert all(each.is_box for each in stored(page))
        key(page, Qt.Key.Key_K)
    assert not any(each.is_box for each in stored(page))
    while page.workspace.undo_stack.canUndo():
        key(page, Qt.Key.Key_Z, CTRL)
    assert stored(page) == before


def test_that_arrows_move_along_the_screen_of_a_turned_view(page: AnnotatePage) -> None:
    page.view.setFocus()
    chosen = stored(page)[0]
    key(page, Qt.Key.Key_BracketRight, CTRL)
    assert page.view.view_state.turns == 1
    page.view.set_selection([chosen.id])
    before = page.view.image_to_widget(chosen.x, chosen.y)
    key(page, Qt.Key.Key_Right)
    moved = next(each for each in stored(page) if each.id == chosen.id)
    after = page.view.image_to_widget(moved.x, moved.y)
    assert (moved.x, moved.y) == (chosen.x, chosen.y - 1)
    assert after.x() > before.x()


def test_that_a_field_keeps_its_turn_and_others_have_none(page: AnnotatePage, window: MainWindow, qtbot: QtBot) -> None:
    key(page, Qt.Key.Key_BracketLeft, CTRL)
    turned = page.view.view_state
    assert turned.turns == 3
    window.workspace.step_fov(1)
    wait_for_field(qtbot, window)
    assert page.view.view_state.turns == 0
    window.workspace.step_fov(-1)
    wait_for_field(qtbot, window)
    assert page.view.view_state == turned
    assert page.view.is_fitted


def test_that_a_class_is_found_by_a_part_of_its_name(page: AnnotatePage, window: MainWindow) -> None:
    other = list(page.classes.values())[-1]
    chosen = next(each for each in stored(page) if each.class_id != other.id)
    page.view.set_selection([chosen.id])
    key(page, Qt.Key.Key_Slash)
    QTest.keyClicks(page.class_actions.finder.field, other.name[1:].upper())
    assert [item.text for item in page.class_actions.finder.items][:1] == [other.name]
    QTest.keyClick(page.class_actions.finder.field, Qt.Key.Key_Return)
    assert page.workspace.current_class_id == other.id
    assert next(each for each in stored(page) if each.id == chosen.id).class_id == other.id
    assert page.class_actions.finder.isHidden()


def test_that_only_the_current_class_is_shown_and_it_follows_the_keys(page: AnnotatePage) -> None:
    key(page, Qt.Key.Key_H, SHIFT)
    for object_class in page.classes.values():
        page.choose_class(object_class.id)
        page.view.select_all()
        shown = {page.editor.annotations[each].class_id for each in page.view.selection}
        assert shown <= {object_class.id}
        page.view.set_selection(())
    key(page, Qt.Key.Key_H, SHIFT)
    page.view.select_all()
    assert len(page.view.selection) == len(page.editor.annotations)


def test_that_tiles_are_read_one_by_one_and_remembered(page: AnnotatePage, window: MainWindow, qtbot: QtBot) -> None:
    page.display_panel.tile_px.setValue(64)
    key(page, Qt.Key.Key_E)
    grid = page.looking.grid
    assert grid is not None
    assert page.display_panel.grid.isChecked()
    tile = grid.tile(0)
    visible = page.view.viewport.visible_box()
    assert visible.x0 <= tile.x0 < tile.x1 <= visible.x1
    key(page, Qt.Key.Key_E)
    window.workspace.step_fov(1)
    wait_for_field(qtbot, window)
    assert page.looking.grid is not None
    assert page.looking.grid.read == frozenset()
    window.workspace.step_fov(-1)
    wait_for_field(qtbot, window)
    assert page.looking.grid.read == {0}
    for _ in range(len(grid)):
        key(page, Qt.Key.Key_E)
    assert "tiles are read" in window.message_bar.text
    window.registry.action("annotate.clear_tiles").trigger()
    assert page.looking.grid.read == frozenset()


def test_that_the_tiles_can_be_so_many_columns_and_rows(page: AnnotatePage) -> None:
    panel = page.display_panel
    page.display_section.set_folded(False)
    panel.tiling.setFocus()
    QTest.keyClick(panel.tiling, Qt.Key.Key_Down)
    assert panel.tile_px.isHidden()
    assert not panel.n_columns.isHidden()
    panel.n_columns.setValue(3)
    panel.n_rows.setValue(2)
    assert page.looking.grid is not None
    assert (page.looking.grid.n_columns, page.looking.grid.n_rows) == (3, 2)
    for _ in range(3):
        key(page, Qt.Key.Key_E)
    assert page.looking.grid.read == {0, 1}
    panel.n_rows.setValue(5)
    assert page.looking.grid.read == frozenset()
    assert page.shown_fov is not None
    assert page.looking.grid.tile(14).y1 == pytest.approx(page.shown_fov.height)
    QTest.keyClick(panel.tiling, Qt.Key.Key_Up)
    assert not panel.tile_px.isHidden()


def test_that_switches_and_keys_agree(page: AnnotatePage) -> None:
    panel = page.display_panel
    key(page, Qt.Key.Key_X)
    key(page, Qt.Key.Key_Z)
    key(page, Qt.Key.Key_S)
    assert panel.crosshair.isChecked()
    assert panel.loupe.isChecked()
    assert panel.snaps.isChecked()
    assert page.editor.snaps
    panel.loupe_power.setValue(6)
    panel.crosshair.click()
    assert page.looking.look.loupe_power == 6
    assert not page.looking.look.crosshair


def test_that_a_line_over_a_scale_bar_calibrates_the_field(page: AnnotatePage, window: MainWindow) -> None:
    page.view.set_view_state(ViewState(60, 60, 2.0))
    key(page, Qt.Key.Key_M, SHIFT)
    assert page.view.tool == "calibrate"
    start = page.view.image_to_widget(20, 60).toPoint()
    drag(page, start, start + QPoint(100, 0))
    dialog = window.findChild(CalibrationDialog)
    assert dialog is not None
    dialog.length.setValue(12.5)
    assert dialog.scale.value() == 0.25
    dialog.save()
    assert page.shown_fov is not None
    assert page.shown_fov.um_per_px == 0.25
    assert page.view.tool == "center"


def test_that_a_click_snaps_to_the_cell_and_misses_nothing_on_empty_ground(page: AnnotatePage) -> None:
    page.editor.remove_selected()
    target = stored(page)[0]
    page.view.set_selection([each.id for each in stored(page)])
    page.editor.remove_selected()
    page.workspace.set_current_class(target.class_id)
    size = page.view.class_size_px(target.class_id)
    page.set_snapping(snaps=True)
    place = page.view.image_to_widget(target.x + 0.25 * size, target.y + 0.1 * size).toPoint()
    QTest.mouseClick(page.view, LEFT, NO_KEY, place)
    new = stored(page)[0]
    assert abs(new.x - target.x) + abs(new.y - target.y) < 0.2 * size


def take_sizes_away(page: AnnotatePage) -> Annotation:
    """Leave one centre, of the current class, without any size; return it."""
    page.view.select_all()
    if any(each.is_box for each in stored(page)):
        key(page, Qt.Key.Key_K)
    if any(each.is_box for each in stored(page)):
        key(page, Qt.Key.Key_K)
    project, mark = page.workspace.require_project(), stored(page)[0]
    told = project.classes.update(dataclasses.replace(project.classes.get(mark.class_id), size_um=None, size_px=None))
    page.workspace.announce(told)
    page.workspace.announce(project.annotations.update([dataclasses.replace(mark, box=None, size_px=None)]))
    page.workspace.set_current_class(mark.class_id)
    page.view.set_selection(())
    assert page.view.class_size_px(mark.class_id) == 0
    return stored(page)[0]


def test_that_the_wheel_gives_a_mark_without_a_size_the_one_that_a_class_begins_with(page: AnnotatePage) -> None:
    mark = take_sizes_away(page)
    assert mark.size_px is None
    spot = page.view.image_to_widget(mark.x, mark.y).toPoint()
    turn_wheel(page, spot, ALT, 1)
    turn_wheel(page, spot, ALT, 1)
    assert stored(page)[0].size_px == pytest.approx(20 * 1.05**2)
    key(page, Qt.Key.Key_Z, CTRL)
    assert stored(page)[0] == mark


def test_that_a_click_that_cannot_snap_for_want_of_a_size_says_so(page: AnnotatePage, window: MainWindow) -> None:
    mark = take_sizes_away(page)
    page.view.set_selection([each.id for each in stored(page)])
    page.editor.remove_selected()
    key(page, Qt.Key.Key_S)
    assert window.message_bar.text == ""
    QTest.mouseClick(page.view, LEFT, NO_KEY, page.view.image_to_widget(mark.x + 3, mark.y).toPoint())
    new = stored(page)[0]
    assert (new.x, new.y) == pytest.approx((mark.x + 3, mark.y), abs=1 / page.view.viewport.scale)
    assert "its class has no size" in window.message_bar.text
    assert "wheel with Alt and Shift" in window.message_bar.text
    for _ in range(2):
        turn_wheel(page, QPoint(3, 3), ALT | SHIFT, 1)
    window.message_bar.hide()
    QTest.mouseClick(page.view, LEFT, NO_KEY, page.view.image_to_widget(mark.x - 30, mark.y).toPoint())
    assert len(stored(page)) == 2
    assert window.message_bar.text == ""
