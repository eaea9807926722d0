"""What all pages share: background work, images ahead of time, changes announced once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from synthstudio.domain.progress import Tick
from synthstudio.domain.records import changes
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.workspace import Workspace
from synthstudio.project.database import FOLDS_AFTER
from tests.support.windows import TIMEOUT_MS, make_project


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


def test_that_background_work_is_done_in_a_thread_and_told_in_this_one(qtbot: QtBot, workspace: Workspace) -> None:
    told: list[tuple[int, int]] = []

    def work(_: Tick) -> int:
        return threading.get_ident()

    def done(worker_thread: int) -> None:
        told.append((worker_thread, threading.get_ident()))

    workspace.background.run(work, done=done, owner=workspace)
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    assert told[0][0] != threading.get_ident()
    assert told[0][1] == threading.get_ident()


def test_that_a_failure_goes_to_its_callback(qtbot: QtBot, workspace: Workspace) -> None:
    failures: list[Exception] = []

    def work(_: Tick) -> None:
        raise ValueError("no")

    workspace.background.run(work, done=lambda _none: None, failed=failures.append, owner=workspace)
    qtbot.waitUntil(lambda: bool(failures), timeout=TIMEOUT_MS)
    assert isinstance(failures[0], ValueError)


def test_that_cancelled_work_stops_at_its_next_tick_and_is_not_told(qtbot: QtBot, workspace: Workspace) -> None:
    began = threading.Event()
    told: list[object] = []

    def work(tick: Tick) -> None:
        began.set()
        while True:
            tick(0, 1)

    task = workspace.background.run(work, done=told.append, failed=told.append, owner=workspace, title="Endless")
    assert began.wait(10)
    with qtbot.waitSignal(workspace.background.task_ended, timeout=TIMEOUT_MS):
        task.cancel()
    assert told == []
    assert workspace.background.is_idle


def test_that_nothing_is_told_to_an_owner_that_is_gone(qtbot: QtBot, workspace: Workspace) -> None:
    go_on = threading.Event()
    told: list[object] = []

    def work(_: Tick) -> bool:
        return go_on.wait(10)

    owner = QObject()
    workspace.background.run(work, done=told.append, owner=owner)
    owner.deleteLater()
    with qtbot.waitSignal(owner.destroyed, timeout=TIMEOUT_MS):
        pass
    go_on.set()
    qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert told == []


def test_that_an_image_comes_at_once_the_second_time(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    workspace.open_project(make_project(tmp_path / "study"))
    fov_id = workspace.fov_order[0]
    images: list[ImagePyramid] = []
    workspace.load_fov_image(fov_id, images.append, workspace)
    qtbot.waitUntil(lambda: len(images) == 1, timeout=TIMEOUT_MS)
    assert workspace.load_fov_image(fov_id, images.append, workspace) is None
    assert images[0] is images[1]


def test_that_the_next_field_is_decoded_ahead(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    workspace.open_project(make_project(tmp_path / "study"))
    first, second = workspace.fov_order[:2]
    images: list[ImagePyramid] = []
    workspace.load_fov_image(first, images.append, workspace)
    qtbot.waitUntil(lambda: second in workspace._images, timeout=TIMEOUT_MS)


def test_that_a_removed_field_is_current_no_longer(workspace: Workspace, tmp_path: Path) -> None:
    workspace.open_project(make_project(tmp_path / "study"))
    first, second = workspace.fov_order[:2]
    workspace.announce(workspace.require_project().fovs.remove([first]))
    assert workspace.current_fov_id == second


def test_that_a_change_is_announced_once(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    workspace.open_project(make_project(tmp_path / "study"))
    told: list[object] = []
    workspace.records_changed.connect(told.append)
    workspace.announce(changes("sets"))
    assert told == [changes("sets")]


def test_that_what_was_committed_is_folded_into_the_database_file_while_nobody_clicks(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthstudio.project.database.QUIET_S", 0.0)
    make_project(tmp_path / "study")
    workspace.open_project(tmp_path / "study")
    project = workspace.require_project()
    size = project.database.path.stat().st_size
    for number in range(FOLDS_AFTER):
        project.set_meta(f"fact {number}", "x" * 3000)
    assert project.database.path.stat().st_size == size  # the loop has not turned
    qtbot.waitUntil(lambda: project.database.path.stat().st_size > size, timeout=TIMEOUT_MS)
