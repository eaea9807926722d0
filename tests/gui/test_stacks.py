"""A stack in the real window: its pages are imported, looked at, marked, and their marks copied onwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Annotation, AnnotationState, FieldOfView
from synthstudio.gui import errors
from synthstudio.gui.item_models.fov_list import FovListModel
from synthstudio.gui.item_models.thumbnails import read_thumbnail
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.project import Project
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, annotate_page, open_window, wait_for_field

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
N_PAGES = 5


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A stack whose pages are 20, 60, 100 ... bright."""
    (tmp_path / "in").mkdir()
    pages = np.empty((N_PAGES, 200, 240), np.uint8)
    pages[:] = (20 + 40 * np.arange(N_PAGES))[:, None, None]
    tifffile.imwrite(tmp_path / "in" / "stack.tif", pages, photometric="minisblack")
    return tmp_path / "in" / "stack.tif"


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, stack: Path) -> Iterator[MainWindow]:
    project = Project.create(tmp_path / "study")
    project.classes.add("cell", size_px=20.0)
    project.close()
    with open_window(qtbot, tmp_path / "private") as opened:
        assert opened.open_project(tmp_path / "study")
        import_pages(qtbot, opened, stack.parent, "1-4")
        yield opened


def import_pages(qtbot: QtBot, window: MainWindow, folder: Path, pages: str) -> None:
    """Import what is chosen by hand in the dialog."""
    window.dialogs.open_import(folder)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    assert dialog.pages.isVisible()
    assert f"{N_PAGES} of them are pages of 1 stack." in dialog.summary.text()
    dialog.pages.setFocus()
    dialog.pages.selectAll()
    QTest.keyClicks(dialog.pages, "1-")
    qtbot.waitUntil(lambda: "are not understood" in dialog.summary.text(), timeout=TIMEOUT_MS)
    assert not dialog.import_button.isEnabled()
    dialog.pages.selectAll()
    QTest.keyClicks(dialog.pages, pages)
    qtbot.waitUntil(lambda: dialog.plan is not None and len(dialog.plan.fovs) == 4, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(dialog.accepted, timeout=TIMEOUT_MS):
        QTest.mouseClick(dialog.import_button, LEFT)
    wait_for_field(qtbot, window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT_MS)


def fovs(window: MainWindow) -> list[FieldOfView]:
    return window.workspace.require_project().fovs.list()


def marks(window: MainWindow, page: int) -> list[Annotation]:
    """What a second connection reads: what is committed."""
    project = Project.open(window.workspace.require_project().folder, read_only=True)
    try:
        return project.annotations.list(fovs(window)[page].id)
    finally:
        project.close()


def show_page(qtbot: QtBot, window: MainWindow, page: int) -> None:
    window.workspace.set_current_fov(fovs(window)[page].id)
    wait_for_field(qtbot, window)


def test_that_each_page_is_shown_with_its_own_pixels(qtbot: QtBot, window: MainWindow) -> None:
    assert [fov.name for fov in fovs(window)] == [f"stack.tif [page {number}]" for number in (1, 2, 3, 4)]
    view = annotate_page(window).view
    for number in range(4):
        show_page(qtbot, window, number)
        assert view.pyramid is not None
        assert view.pyramid.color_at(100, 100) == (20 + 40 * number,) * 3


def test_that_each_page_has_a_thumbnail_of_its_own(qtbot: QtBot, window: MainWindow) -> None:
    folder = window.workspace.require_project().folder / ".thumbnails"
    keys = {fov.content_key for fov in fovs(window)}
    qtbot.waitUntil(lambda: {each.stem for each in folder.glob("*.jpg")} == keys, timeout=TIMEOUT_MS)
    for number, fov in enumerate(fovs(window)):
        picture = read_thumbnail(Path(fov.path), folder / f"{fov.content_key}.jpg", page=fov.page)
        assert abs(picture.pixelColor(50, 50).red() - 20 - 40 * number) <= 2


def test_that_marks_are_copied_to_the_next_page_and_taken_back(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    page.view.set_tool("center")
    for x, y in ((60, 50), (120, 90), (180, 140)):
        QTest.mouseClick(page.view, LEFT, pos=page.view.image_to_widget(x, y).toPoint())
    places = sorted((each.x, each.y) for each in marks(window, 0))
    assert len(places) == 3
    QTest.keyClick(page.view, Qt.Key.Key_D, CTRL)
    wait_for_field(qtbot, window)
    assert window.workspace.current_fov_id == fovs(window)[1].id
    assert "3 of 3 annotations were copied to stack.tif [page 2]" in window.message_bar.text
    assert sorted((each.x, each.y) for each in marks(window, 1)) == places
    assert sorted((each.x, each.y) for each in page.editor.annotations.values()) == places
    assert fovs(window)[1].state is AnnotationState.PARTIAL
    window.workspace.undo_stack.undo()
    assert marks(window, 1) == []
    assert len(marks(window, 0)) == 3
    window.workspace.undo_stack.redo()
    assert sorted((each.x, each.y) for each in marks(window, 1)) == places


def test_that_only_selected_marks_are_copied_and_none_twice(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    page.view.set_tool("center")
    for x, y in ((60, 50), (120, 90)):
        QTest.mouseClick(page.view, LEFT, pos=page.view.image_to_widget(x, y).toPoint())
    page.view.set_selection([min(page.editor.annotations)])
    QTest.keyClick(page.view, Qt.Key.Key_D, CTRL)
    wait_for_field(qtbot, window)
    assert len(marks(window, 1)) == 1
    show_page(qtbot, window, 0)
    page.view.set_selection(())
    QTest.keyClick(page.view, Qt.Key.Key_D, CTRL)
    wait_for_field(qtbot, window)
    assert "1 of 2 annotations were copied to stack.tif [page 2]. 1 were there already." in window.message_bar.text
    assert len(marks(window, 1)) == 2
    show_page(qtbot, window, 3)
    QTest.keyClick(page.view, Qt.Key.Key_D, CTRL)
    assert "is the last page of its stack" in window.message_bar.text


def test_that_all_pages_of_a_moved_stack_are_found_with_one(
    qtbot: QtBot, window: MainWindow, stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = stack.rename(tmp_path / "elsewhere.tif")
    for fov in fovs(window):
        window.workspace.forget_image(fov.id)
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[moved]))
    window.workspace.set_current_fov(fovs(window)[2].id)
    qtbot.waitUntil(lambda: "is missing" in window.message_bar.text, timeout=TIMEOUT_MS)
    annotate_page(window).moved_files.ask(fovs(window)[2])
    qtbot.waitUntil(lambda: {fov.path for fov in fovs(window)} == {str(moved)}, timeout=TIMEOUT_MS)
    wait_for_field(qtbot, window)
    view = annotate_page(window).view
    assert view.pyramid is not None
    assert view.pyramid.color_at(10, 10) == (100, 100, 100)
    assert window.findChild(FovListModel) is not None
