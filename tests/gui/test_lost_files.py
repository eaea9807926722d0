"""Image files that move, are replaced, or lie on a drive that is slow or gone: said, found again, nothing lost."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.imaging import write_png
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Annotation
from synthstudio.gui import errors, fov_images
from synthstudio.gui.canvas.large_images import LargeImage, open_for_view
from synthstudio.gui.canvas.pyramid import WholePyramid
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import moved_files, opening
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, annotate_page, open_window, wait_for_field

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A folder outside the project with two samples of two images each."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "drive" / "data"
    for sample in ("one", "two"):
        (folder / sample).mkdir(parents=True)
        for number in range(2):
            pixels = rng.integers(0, 255, (90, 120, 3), np.uint8)
            write_png(folder / sample / f"image{number}.png", pixels)
    return folder


@pytest.fixture
def study(tmp_path: Path, drive: Path) -> Path:
    """A project that refers to the images, each with one annotation."""
    project = Project.create(tmp_path / "study")
    class_id = project.classes.add("cell", size_px=20).id
    apply_import(project, read_imagefolder(drive), copy=False)
    for fov in project.fovs.list():
        project.annotations.add([Annotation(id=0, fov_id=fov.id, class_id=class_id, x=30.0, y=40.0)])  # type: ignore[arg-type]
    project.close()
    return tmp_path / "study"


def all_marks(study: Path) -> dict[FovId, list[Annotation]]:
    """What a second connection reads."""
    project = Project.open(study, read_only=True)
    try:
        return project.annotations.by_fov()
    finally:
        project.close()


def paths(window: MainWindow) -> list[Path]:
    return [Path(fov.path) for fov in window.workspace.require_project().fovs.list()]


def test_that_a_moved_tree_is_found_by_one_of_its_files(
    qtbot: QtBot, tmp_path: Path, study: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, new = all_marks(study), tmp_path / "elsewhere" / "2026" / "data"
    new.parent.mkdir(parents=True)
    drive.rename(new)
    with open_window(qtbot, tmp_path / "private") as window:
        window.open_project(study)
        qtbot.waitUntil(lambda: "is missing" in window.message_bar.text, timeout=TIMEOUT_MS)
        monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[new / "one" / "image0.png"]))
        QTest.mouseClick(window.message_bar.action_button, LEFT)
        wait_for_field(qtbot, window)
        assert [path.is_relative_to(new) and path.is_file() for path in paths(window)] == [True] * 4
    assert all_marks(study) == before


def test_that_another_image_in_the_place_of_the_file_is_not_shown_and_the_original_is_relinked(
    qtbot: QtBot, tmp_path: Path, study: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, originals = all_marks(study), tmp_path / "originals"
    shutil.copytree(drive, originals)
    for path in drive.rglob("*.png"):
        write_png(path, np.full((45, 60, 3), 200, np.uint8))
    with open_window(qtbot, tmp_path / "private") as window:
        window.open_project(study)
        page = annotate_page(window)
        qtbot.waitUntil(lambda: "has changed" in window.message_bar.text, timeout=TIMEOUT_MS)
        assert page.shown_fov is None
        QTest.mouseClick(page.view, LEFT, pos=page.view.rect().center())  # must not become a mark of the other image
        assert all_marks(study) == before
        monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[originals / "one" / "image0.png"]))
        QTest.mouseClick(window.message_bar.action_button, LEFT)
        wait_for_field(qtbot, window)
        assert all(path.is_relative_to(originals) for path in paths(window))
        assert set(page.editor.annotations) == {before[page.shown_fov.id][0].id}  # type: ignore[union-attr]
    assert all_marks(study) == before


def test_that_a_drive_that_comes_back_shows_its_field_by_itself(
    qtbot: QtBot, tmp_path: Path, study: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moved_files, "LOOK_AGAIN_MS", 50)
    away = drive.rename(drive.with_name("away"))
    with open_window(qtbot, tmp_path / "private") as window:
        window.open_project(study)
        qtbot.waitUntil(lambda: "is missing" in window.message_bar.text, timeout=TIMEOUT_MS)
        away.rename(drive)
        wait_for_field(qtbot, window)
        assert len(annotate_page(window).editor.annotations) == 1


def test_that_a_file_can_be_shown_again_after_the_message_is_gone(
    qtbot: QtBot, tmp_path: Path, study: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = drive.rename(tmp_path / "moved")
    with open_window(qtbot, tmp_path / "private") as window:
        window.open_project(study)
        qtbot.waitUntil(lambda: "is missing" in window.message_bar.text, timeout=TIMEOUT_MS)
        window.message_bar.hide()
        monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[new / "one" / "image0.png"]))
        window.registry.action("annotate.find_file").trigger()
        wait_for_field(qtbot, window)
        assert all(path.is_relative_to(new) for path in paths(window))


class DeadDrive:
    """Reads below a folder hang until the drive answers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.answers = folder, threading.Event()

    def open_for_view(self, path: Path, folder: Path, *, page: int | None = None) -> WholePyramid | LargeImage:
        if path.is_relative_to(self.folder):
            self.answers.wait(60)
        return open_for_view(path, folder, page=page)


@pytest.fixture
def dead(drive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadDrive]:
    """The sample "two" lies on a drive that does not answer."""
    made = DeadDrive(drive / "two")
    monkeypatch.setattr(fov_images, "open_for_view", made.open_for_view)
    monkeypatch.setattr(opening, "WAIT_SHOWN_AFTER_MS", 50)
    monkeypatch.setattr(opening, "SLOW_AFTER_MS", 60)
    yield made
    made.answers.set()


def shown_words(window: MainWindow) -> Callable[[str], bool]:
    view = annotate_page(window).view
    return lambda words: words in view.placeholder


def test_that_a_slow_drive_is_said_and_other_fields_and_queries_go_on(
    qtbot: QtBot, tmp_path: Path, study: Path, dead: DeadDrive
) -> None:
    with open_window(qtbot, tmp_path / "private", study) as window:
        page, says = annotate_page(window), shown_words(window)
        slow, quick = window.workspace.fov_order[2], window.workspace.fov_order[1]
        assert not says("Opening"), "the words of the first field's wait went with it"
        window.workspace.set_current_fov(slow)
        qtbot.waitUntil(lambda: says("Opening"), timeout=TIMEOUT_MS)
        assert page.shown_fov is None, "the former field under the new name would mislead"
        qtbot.waitUntil(lambda: says("answers slowly"), timeout=TIMEOUT_MS)
        told: list[int] = []
        project = window.workspace.require_project()
        window.workspace.background.run(lambda _tick: len(project.fovs.list()), done=told.append, owner=page)
        qtbot.waitUntil(lambda: told == [4], timeout=TIMEOUT_MS)
        window.workspace.set_current_fov(quick)
        wait_for_field(qtbot, window)
        window.workspace.set_current_fov(slow)
        dead.answers.set()
        wait_for_field(qtbot, window)
        assert len(page.editor.annotations) == 1


def test_that_a_drive_that_never_answers_does_not_keep_the_window_open(
    qtbot: QtBot, tmp_path: Path, study: Path, dead: DeadDrive, caplog: pytest.LogCaptureFixture
) -> None:
    before = all_marks(study)
    with open_window(qtbot, tmp_path / "private", study) as window:
        window.workspace.set_current_fov(window.workspace.fov_order[2])
        qtbot.waitUntil(lambda: shown_words(window)("answers slowly"), timeout=TIMEOUT_MS)
        started = time.monotonic()
        window.close()
        assert time.monotonic() - started < 5
        assert not window.isVisible()
    assert "left behind" in caplog.text
    assert all_marks(study) == before
