"""Snapshots in the window: the dialog, the half hour, a click meanwhile, and one that cannot be kept."""

from __future__ import annotations

import dataclasses
import random
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation
from synthstudio.gui.item_models.snapshot_rows import UNKNOWN, moment_text
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.snapshot_keeper import SnapshotKeeper
from synthstudio.gui.main_window.snapshots_dialog import NONE_YET, SnapshotsDialog
from synthstudio.gui.pages.annotate.edits import AnnotationEdit, commit_edit
from synthstudio.gui.removals import remove_fields_undoably
from synthstudio.project import Project, snapshots
from synthstudio.project.restoring import restore_snapshot
from synthstudio.project.snapshots import MANY, find_snapshots, list_snapshots
from tests.support.windows import TIMEOUT_MS, make_project, open_window, wait_for_field


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        opened.page(0)
        yield opened


def open_dialog(qtbot: QtBot, window: MainWindow) -> SnapshotsDialog:
    window.registry.action("file.snapshots").trigger()
    dialog = next(each for each in window.findChildren(SnapshotsDialog) if each.isVisible())
    qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    return dialog


def wait_until_back(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(
        lambda: window.workspace.project is not None and window.workspace.background.is_idle, timeout=TIMEOUT_MS
    )


def add_one(window: MainWindow) -> None:
    project = window.workspace.require_project()
    fov, known = project.fovs.list()[0], project.classes.list()[0]
    new = Annotation(id=AnnotationId(0), fov_id=fov.id, class_id=known.id, x=5.0, y=5.0)
    window.workspace.announce(project.annotations.add([new])[1])


def texts(dialog: SnapshotsDialog, row: int) -> list[str]:
    return [str(dialog.model.index(row, column).data()) for column in range(dialog.model.columnCount())]


def test_that_one_goes_back_by_keyboard_and_forth_again(
    qtbot: QtBot, window: MainWindow, qtmodeltester: object
) -> None:
    project = window.workspace.require_project()
    folder, n_fovs = project.folder, len(project.fovs.list())
    n_marks = sum(project.annotations.totals().values())
    last = project.fovs.list()[-1].id
    window.workspace.set_current_fov(last)
    remove_fields_undoably(window.workspace, (project.fovs.list()[0].id,), window=window)
    dialog = open_dialog(qtbot, window)
    qtmodeltester.check(dialog.model)  # type: ignore[attr-defined]  # pytest-qt has no types for it
    assert not dialog.none_yet.isVisible()
    kept, reason, n_kept_fovs, n_kept_marks, size = texts(dialog, 0)
    assert kept.startswith(("Today", "Yesterday"))  # a test may run at midnight
    assert reason == "Before removal of fields"
    assert (n_kept_fovs, n_kept_marks) == (str(n_fovs), str(n_marks))
    assert size.endswith(" MB")
    assert dialog.table.hasFocus()
    QTest.keyClick(dialog.table, Qt.Key.Key_Tab)
    while not dialog.back_button.hasFocus():
        dialog.focusNextChild()
    QTest.keyClick(dialog.back_button, Qt.Key.Key_Space)
    assert [task.title for task in window.workspace.background.titled_tasks] == ["Going back to a snapshot"]
    wait_until_back(qtbot, window)
    reopened = window.workspace.require_project()
    assert reopened is not project
    assert reopened.folder == folder
    assert not reopened.is_read_only
    assert len(reopened.fovs.list()) == n_fovs
    assert sum(reopened.annotations.totals().values()) == n_marks
    assert window.workspace.current_fov_id == last  # what was looked at still is
    assert not window.workspace.undo_stack.canUndo()
    assert f"study is as it was: {kept}, Before removal of fields." in window.message_bar.text
    dialog = open_dialog(qtbot, window)
    assert [texts(dialog, row)[1] for row in range(2)] == ["Before going back", "Before removal of fields"]
    dialog.go_back()
    wait_until_back(qtbot, window)
    assert len(window.workspace.require_project().fovs.list()) == n_fovs - 1


def test_that_going_back_is_cancelled_and_the_project_is_there_as_it_was(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    folder, n_marks = project.folder, sum(project.annotations.totals().values())
    assert project.snapshots.take("a test") is not None
    add_one(window)
    dialog = open_dialog(qtbot, window)
    dialog.go_back()
    assert window.workspace.project is None
    for task in window.workspace.background.titled_tasks:
        task.cancel()
    wait_until_back(qtbot, window)
    assert window.workspace.require_project().folder == folder
    assert sum(window.workspace.require_project().annotations.totals().values()) == n_marks + 1
    assert window.message_bar.text == ""


def test_that_a_project_opened_while_going_back_stays(qtbot: QtBot, tmp_path: Path, window: MainWindow) -> None:
    other = make_project(tmp_path / "other")
    assert window.workspace.require_project().snapshots.take("a test") is not None
    dialog = open_dialog(qtbot, window)
    dialog.go_back()
    assert window.projects.open(other)
    qtbot.waitUntil(lambda: "study is as it was" in window.message_bar.text, timeout=TIMEOUT_MS)
    assert window.workspace.require_project().folder == other


def test_that_without_any_the_dialog_says_so(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_dialog(qtbot, window)
    assert dialog.none_yet.isVisible()
    assert dialog.none_yet.text() == NONE_YET
    assert not dialog.back_button.isEnabled()


def test_that_a_damaged_one_is_listed_and_cannot_be_chosen(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    path = project.snapshots.take("a test")
    assert path is not None
    path.write_bytes(b"nothing that SQLite knows" * 99)
    dialog = open_dialog(qtbot, window)
    assert texts(dialog, 0)[2:4] == [UNKNOWN, UNKNOWN]
    assert not dialog.back_button.isEnabled()


def test_that_one_that_breaks_while_the_dialog_is_open_leaves_the_project_open(
    qtbot: QtBot, window: MainWindow
) -> None:
    project = window.workspace.require_project()
    path = project.snapshots.take("a test")
    assert path is not None
    n_marks = sum(project.annotations.totals().values())
    dialog = open_dialog(qtbot, window)
    path.write_bytes(b"nothing that SQLite knows" * 99)
    dialog.go_back()
    wait_until_back(qtbot, window)
    assert "is damaged" in window.message_bar.text
    assert sum(window.workspace.require_project().annotations.totals().values()) == n_marks


def test_that_a_read_only_project_shows_them_and_stays_as_it_is(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "study")
    holder = Project.open(folder)
    try:
        assert holder.snapshots.take("a test") is not None
        with open_window(qtbot, tmp_path / "private", folder) as window:
            dialog = open_dialog(qtbot, window)
            assert dialog.model.n_rows == 1
            assert not dialog.back_button.isEnabled()
            assert dialog.table.isEnabled()
    finally:
        holder.close()


def test_that_a_second_window_says_that_the_project_was_put_back_and_shows_it_once_opened_again(
    qtbot: QtBot, tmp_path: Path
) -> None:
    folder = make_project(tmp_path / "study")
    holder = Project.open(folder)
    try:
        kept = holder.snapshots.keep("a test")
        assert kept is not None
        holder.classes.add("Later")
        with open_window(qtbot, tmp_path / "private", folder) as window:
            workspace = window.workspace
            assert not workspace.is_writable
            window.replacements.look()
            qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
            assert "was put back" not in window.message_bar.text
            workspace.step_fov(1)
            shown = workspace.current_fov_id
            holder.close()
            restore_snapshot(folder, kept.name)
            names = [each.name for each in workspace.require_project().classes.list()]
            assert "Later" in names  # the state before, whole
            for place in range(5):
                window.show_page(place)
                qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
            window.show_page(0)
            window.replacements.look()
            qtbot.waitUntil(lambda: "was put back to a snapshot" in window.message_bar.text, timeout=TIMEOUT_MS)
            assert "open the project again" in window.message_bar.text
            qtbot.mouseClick(window.message_bar.action_button, Qt.MouseButton.LeftButton)
            assert [each.name for each in workspace.require_project().classes.list()] == names[:-1]
            assert workspace.is_writable
            assert workspace.current_fov_id == shown
            wait_for_field(qtbot, window)
            assert "was put back" not in window.message_bar.text
            project = workspace.project
            window.projects.reopen()  # of a notice that still stood there
            assert workspace.project is project
    finally:
        holder.close()


def test_that_a_second_window_looks_for_it_by_itself(qtbot: QtBot, tmp_path: Path) -> None:
    holder = Project.open(make_project(tmp_path / "study"))
    try:
        kept = holder.snapshots.keep("a test")
        assert kept is not None
        with open_window(qtbot, tmp_path / "private", holder.folder) as window:
            window.replacements._timer.setInterval(1)
            holder.close()
            restore_snapshot(holder.folder, kept.name)
            qtbot.waitUntil(lambda: "was put back to a snapshot" in window.message_bar.text, timeout=TIMEOUT_MS)
            window.message_bar.hide()
            window.replacements.look()
            qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
            assert window.message_bar.text == ""  # it is told once
    finally:
        holder.close()


def test_that_work_is_kept_by_the_timer_where_there_was_any(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    keeper = SnapshotKeeper(window.workspace, window, interval_ms=10)
    qtbot.waitUntil(lambda: len(find_snapshots(project.folder)) == 1, timeout=TIMEOUT_MS)
    for _ in range(3):  # it goes on asking, and there is nothing new
        qtbot.waitSignal(keeper._timer.timeout, timeout=TIMEOUT_MS).wait()
    assert len(find_snapshots(project.folder)) == 1
    add_one(window)
    qtbot.waitUntil(lambda: len(find_snapshots(project.folder)) == 2, timeout=TIMEOUT_MS)
    assert {each.reason for each in list_snapshots(project.folder)} == {"while working"}
    window.projects.close()
    assert not keeper._timer.isActive()


def test_that_one_that_cannot_be_kept_is_told_once_and_the_edit_is_made(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = window.workspace.require_project()
    usage = shutil.disk_usage(project.folder)
    monkeypatch.setattr(snapshots.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    told: list[str] = []
    monkeypatch.setattr(window, "show_notice", lambda notice: told.append(notice.message))
    fovs = project.fovs.list()
    for fov in fovs[:2]:
        remove_fields_undoably(window.workspace, (fov.id,), window=window)
        qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert len(project.fovs.list()) == len(fovs) - 2
    assert len([message for message in told if "No snapshot" in message]) == 1


def test_that_many_annotations_that_change_class_are_kept_before_and_moved_ones_are_not(window: MainWindow) -> None:
    project = window.workspace.require_project()
    fov, known = project.fovs.list()[0], project.classes.list()
    new = [Annotation(AnnotationId(0), fov.id, known[0].id, float(n), 5.0) for n in range(MANY)]
    stored = tuple(project.annotations.add(new)[0])

    moved = tuple(dataclasses.replace(each, y=6.0) for each in stored)
    commit_edit(project, AnnotationEdit(fov.id, stored, moved))
    project.snapshots.wait()
    assert find_snapshots(project.folder) == []  # arrow keys do so, many times a second
    other = tuple(dataclasses.replace(each, class_id=known[1].id) for each in moved)
    commit_edit(project, AnnotationEdit(fov.id, moved[1:], other[1:]))
    project.snapshots.wait()
    assert find_snapshots(project.folder) == []
    commit_edit(project, AnnotationEdit(fov.id, moved, other))
    project.snapshots.wait()
    assert [each.reason for each in list_snapshots(project.folder)] == ["before change of many annotations"]
    commit_edit(project, AnnotationEdit(fov.id, other))
    project.snapshots.wait()
    n_before = list_snapshots(project.folder)[0].n_annotations
    assert n_before is not None
    assert len(find_snapshots(project.folder)) == 2
    assert sum(project.annotations.totals().values()) == n_before - MANY


def test_that_a_click_does_not_wait_for_a_snapshot_of_a_hundred_thousand(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    fov, known = project.fovs.list()[0], project.classes.list()[0]
    rng = random.Random(1)
    project.database.execute_many(
        "INSERT INTO annotation (fov_id, class_id, x, y, author, source, note, is_flagged, created_at)"
        " VALUES (?, ?, ?, ?, '', 'manual', '', 0, '2026-11-22T10:00:00.000Z')",
        [(fov.id, known.id, rng.random(), rng.random()) for _ in range(100_000)],
    )
    folder = project.folder
    new = Annotation(id=AnnotationId(0), fov_id=fov.id, class_id=known.id, x=5.0, y=5.0)
    longest_s, n_meanwhile = 0.0, 0
    window.snapshots.take()
    while not find_snapshots(folder):
        began = time.perf_counter()
        project.annotations.add([new])
        longest_s = max(longest_s, time.perf_counter() - began)
        n_meanwhile += 1
        assert project.snapshots.problem is None
    assert n_meanwhile >= 2  # had the first one waited, it would have been the only one
    assert longest_s < 5.0
    [kept] = list_snapshots(folder)
    assert kept.n_annotations is not None
    assert kept.n_annotations >= 100_000


def test_that_moments_are_said_as_people_say_them() -> None:
    now = datetime(2026, 11, 22, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert moment_text(datetime(2026, 11, 21, 22, 10, tzinfo=UTC), now=now) == "Today 00:10"
    assert moment_text(datetime(2026, 11, 21, 21, 10, tzinfo=UTC), now=now) == "Yesterday 23:10"
    assert moment_text(datetime(2026, 11, 19, 14, 5, tzinfo=UTC), now=now) == "2026-11-19 16:05"
