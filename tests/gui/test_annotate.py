"""The Annotate workspace by mouse and keys, against the rows that they leave in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Annotation, AnnotationState, changes
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.annotate.class_dialog import ClassDialog
from synthstudio.project import Project
from tests.support.windows import (
    TIMEOUT_MS,
    ScriptedQuestions,
    annotate_page,
    make_project,
    open_window,
    wait_for_field,
)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> AnnotatePage:
    return annotate_page(window)


def stored(page: AnnotatePage) -> list[Annotation]:
    """What a second connection reads: what is committed."""
    fov = page.shown_fov
    assert fov is not None
    project = Project.open(page.workspace.require_project().folder, read_only=True)
    try:
        return project.annotations.list(fov.id)
    finally:
        project.close()


def spot(page: AnnotatePage, x: float, y: float) -> QPoint:
    return page.view.image_to_widget(x, y).toPoint()


def free_place(page: AnnotatePage) -> tuple[float, float]:
    """A place in the image far from every mark."""
    fov = page.shown_fov
    assert fov is not None
    places = [(x, y) for x in range(8, fov.width - 8, 4) for y in range(8, fov.height - 8, 4)]
    marks = list(page.editor.annotations.values())
    return max(places, key=lambda p: min((abs(p[0] - m.x) + abs(p[1] - m.y) for m in marks), default=0))


def click(qtbot: QtBot, page: AnnotatePage, x: float, y: float) -> None:
    QTest.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=spot(page, x, y))


def test_that_a_click_is_a_committed_row_at_the_clicked_pixel(qtbot: QtBot, page: AnnotatePage) -> None:
    before = {each.id for each in stored(page)}
    x, y = free_place(page)
    click(qtbot, page, x, y)
    new = [each for each in stored(page) if each.id not in before]
    assert len(new) == 1
    assert (new[0].x, new[0].y) == pytest.approx((x, y), abs=1 / page.view.viewport.scale)
    assert new[0].class_id == page.workspace.current_class_id


@pytest.mark.parametrize("hides", ["all", "class", "author"])
def test_that_a_mark_that_is_made_is_seen_though_such_marks_were_hidden(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage, hides: str
) -> None:
    before, class_id = {each.id for each in stored(page)}, page.workspace.current_class_id
    assert class_id is not None
    place = free_place(page)
    if hides == "all":
        QTest.keyClick(page.view, Qt.Key.Key_H)
    elif hides == "class":
        page.class_panel.set_hidden(frozenset({class_id}))
    else:
        page.annotation_panel.authors.set_hidden(frozenset({page.workspace.preferences.author_name}))
    click(qtbot, page, *place)
    new = next(each for each in stored(page) if each.id not in before)
    assert page.view.annotation_at(new.x, new.y) == new.id  # what is not drawn cannot be hit
    assert page.display_panel.marks.isChecked()
    assert not window.registry.action("annotate.hide_marks").isChecked()
    assert page.class_panel.hidden == frozenset()


def test_that_hidden_marks_stay_hidden_where_none_is_made(page: AnnotatePage) -> None:
    QTest.keyClick(page.view, Qt.Key.Key_H)
    page.view.set_selection([next(iter(page.editor.annotations))])
    QTest.keyClick(page.view, Qt.Key.Key_Delete)
    assert page.hiding.hides_marks
    assert not page.display_panel.marks.isChecked()


def test_that_undo_and_redo_follow_the_keys_and_keep_the_id(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    before = stored(page)
    click(qtbot, page, *free_place(page))
    after = stored(page)
    QTest.keyClick(page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert stored(page) == before
    ctrl_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(page.view, Qt.Key.Key_Z, ctrl_shift)
    assert stored(page) == after


def test_that_undoing_a_deletion_brings_the_same_records_back(qtbot: QtBot, page: AnnotatePage) -> None:
    before = stored(page)
    page.view.set_selection([each.id for each in before[:3]])
    QTest.keyClick(page.view, Qt.Key.Key_Delete)
    assert len(stored(page)) == len(before) - 3
    QTest.keyClick(page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert stored(page) == before


def test_that_dragging_with_the_box_tool_stores_the_box(qtbot: QtBot, page: AnnotatePage) -> None:
    before = {each.id for each in stored(page)}
    QTest.keyClick(page.view, Qt.Key.Key_B)
    x, y = free_place(page)
    start, end = spot(page, x - 5, y - 5), spot(page, x + 5, y + 5)
    QTest.mousePress(page.view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(page.view, end)
    QTest.mouseRelease(page.view, Qt.MouseButton.LeftButton, pos=end)
    new = [each for each in stored(page) if each.id not in before]
    assert len(new) == 1
    box = new[0].box
    assert box is not None
    slack = 1.5 / page.view.viewport.scale
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((x - 5, y - 5, x + 5, y + 5), abs=slack)


def test_that_a_number_key_gives_the_selection_its_class(qtbot: QtBot, page: AnnotatePage) -> None:
    other = list(page.classes.values())[1]
    chosen = next(each for each in stored(page) if each.class_id != other.id)
    page.view.set_selection([chosen.id])
    QTest.keyClick(page.view, getattr(Qt.Key, f"Key_{other.key}"))
    assert next(each for each in stored(page) if each.id == chosen.id).class_id == other.id
    assert page.workspace.current_class_id == other.id


def test_that_nudges_in_a_row_are_one_step_of_undo(qtbot: QtBot, page: AnnotatePage) -> None:
    before = stored(page)
    page.view.setFocus()
    page.view.set_selection([before[0].id])
    for _ in range(3):
        QTest.keyClick(page.view, Qt.Key.Key_Right)
    moved = next(each for each in stored(page) if each.id == before[0].id)
    assert moved.x == before[0].x + 3
    QTest.keyClick(page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert stored(page) == before


def test_that_the_next_field_keeps_its_own_annotations(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    first = page.shown_fov
    QTest.keyClick(page.view, Qt.Key.Key_D)
    wait_for_field(qtbot, window)
    assert page.shown_fov != first
    assert {each.id for each in stored(page)} == set(page.editor.annotations)
    assert page.annotation_panel.model.rowCount() == len(stored(page))


def test_that_undo_goes_back_to_the_field_of_the_edit(qtbot: QtBot, window: MainWindow, page: AnnotatePage) -> None:
    first = page.shown_fov
    assert first is not None
    click(qtbot, page, *free_place(page))
    window.workspace.step_fov(1)
    wait_for_field(qtbot, window)
    window.registry.action("annotate.undo").trigger()
    wait_for_field(qtbot, window)
    assert page.shown_fov is not None
    assert page.shown_fov.id == first.id


def test_that_table_and_viewer_share_the_selection(page: AnnotatePage) -> None:
    ids = sorted(page.editor.annotations)[:2]
    page.view.set_selection(ids)
    rows = page.annotation_panel.table.selectionModel().selectedRows()
    assert [page.annotation_panel.model.id_at(index.row()) for index in rows] == ids
    page.annotation_panel.table.selectRow(page.annotation_panel.model.row_of(ids[1]) or 0)
    assert page.view.selection == {ids[1]}


def test_that_the_state_of_the_field_is_stored(qtbot: QtBot, page: AnnotatePage) -> None:
    QTest.mouseClick(page.field_panel.state.button("partial"), Qt.MouseButton.LeftButton)
    assert page.shown_fov is not None
    assert page.shown_fov.state is AnnotationState.PARTIAL


def test_that_a_read_only_window_says_why_and_stores_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "study")
    writer = Project.open(folder)
    try:
        with open_window(qtbot, tmp_path / "private", folder) as window:
            page = annotate_page(window)
            assert "read-only" in window.message_bar.text
            window.message_bar.hide()
            before = stored(page)
            click(qtbot, page, *free_place(page))
            assert stored(page) == before
            assert "read-only" in window.message_bar.text
            assert "Another window" in window.message_bar.text
    finally:
        writer.close()


def test_that_a_missing_image_can_be_found_again(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(tmp_path / "study")
    away = tmp_path / "away"
    away.mkdir()
    for image in tmp_path.glob("image*.png"):
        image.rename(away / image.name)
    with open_window(qtbot, tmp_path / "private") as window:
        window.open_project(folder)
        qtbot.waitUntil(lambda: "is missing" in window.message_bar.text, timeout=TIMEOUT_MS)
        monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[away / "image0.png"]))
        QTest.mouseClick(window.message_bar.action_button, Qt.MouseButton.LeftButton)
        wait_for_field(qtbot, window)
        fovs = window.workspace.require_project().fovs.list()
        assert all(Path(fov.path).parent == away for fov in fovs)


def test_that_a_changed_image_is_noticed_by_its_hash(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "study")
    image = tmp_path / "image0.png"
    image.write_bytes(image.read_bytes() + b"\0")
    with open_window(qtbot, tmp_path / "private", folder) as window:
        qtbot.waitUntil(lambda: "has changed" in window.message_bar.text, timeout=TIMEOUT_MS)


def test_that_a_class_is_edited_and_the_edit_undone(window: MainWindow, page: AnnotatePage) -> None:
    page.class_actions.edit()
    dialog = page.findChild(ClassDialog)
    assert dialog is not None
    dialog.name.setText("Renamed")
    dialog.accept_draft()
    names = [each.name for each in window.workspace.require_project().classes.list()]
    assert "Renamed" in names
    window.registry.action("annotate.undo").trigger()
    names = [each.name for each in window.workspace.require_project().classes.list()]
    assert "Renamed" not in names


def test_that_the_notice_of_a_lacking_class_goes_when_there_is_one(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    project = page.workspace.require_project()
    told = project.annotations.remove([mark for marks in project.annotations.by_fov().values() for mark in marks])
    page.workspace.announce(told)
    for each in project.classes.list():
        page.workspace.announce(project.classes.remove(each.id))
    assert page.workspace.current_class_id is None
    click(qtbot, page, *free_place(page))
    assert "no class to annotate with" in window.message_bar.text
    page.workspace.announce(changes("annotations"))
    assert "no class to annotate with" in window.message_bar.text  # that is still so
    window.registry.action("annotate.add_class").trigger()
    dialog = page.findChild(ClassDialog)
    assert dialog is not None
    dialog.name.setText("new")
    dialog.accept_draft()
    assert page.workspace.current_class_id is not None
    assert window.message_bar.text == ""
    errors.report(UserError("The disk is full."), parent=page)
    page.workspace.announce(changes("classes"))
    assert "The disk is full." in window.message_bar.text  # what nobody knows to be settled stays


def test_that_a_class_name_that_is_taken_is_refused_in_the_dialog(window: MainWindow, page: AnnotatePage) -> None:
    taken = next(iter(page.classes.values())).name
    page.class_actions.add()
    dialog = page.findChild(ClassDialog)
    assert dialog is not None
    dialog.name.setText(taken)
    dialog.accept_draft()
    assert "already a class" in dialog.problem.text()
    dialog.reject()


def test_that_removing_a_class_is_undone_with_its_labels(page: AnnotatePage, window: MainWindow) -> None:
    project = page.workspace.require_project()
    added = project.classes.add("Unused", size_px=12.0)
    fov_id = page.workspace.fov_order[0]
    project.fovs.set_image_label(fov_id, added.id, present=True)
    page.workspace.announce(changes("classes"))
    page.workspace.set_current_class(added.id)
    page.class_actions.remove()
    assert project.classes.find("Unused") is None
    assert added.id not in project.fovs.image_labels(fov_id)
    assert "Undo brings it back" in window.message_bar.text
    window.registry.action("annotate.undo").trigger()
    assert project.classes.find("Unused") == added
    assert project.fovs.image_labels(fov_id)[added.id] is True
    window.registry.action("annotate.redo").trigger()
    assert project.classes.find("Unused") is None


def test_that_a_class_in_use_is_kept(page: AnnotatePage, window: MainWindow) -> None:
    used = next(iter(page.editor.annotations.values())).class_id
    page.workspace.set_current_class(used)
    page.class_actions.remove()
    assert "cannot be removed" in window.message_bar.text
