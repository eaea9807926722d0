"""Written sets in the window: exported for other programs, and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Box, changes
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.export_dialog import ExportDialog
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.project.set_images import list_set_images
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.sets import add_set
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, make_project, open_window

SMALL = ComposeSettings(
    set_name="small",
    count=6,
    format="webp",
    masks=True,
    composition=CompositionSettings(canvas_px=96, canvas_height_px=64, n_objects_min=2, n_objects_max=4),
)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        add_set(opened.workspace.require_project(), SMALL)
        opened.workspace.announce(changes("sets"))
        yield opened


def open_sets(qtbot: QtBot, window: MainWindow) -> GeneratePage:
    window.registry.action("go.generate").trigger()
    qtbot.waitUntil(lambda: window.findChild(GeneratePage) is not None, timeout=TIMEOUT_MS)
    page = window.findChild(GeneratePage)
    assert page is not None
    page.compositing.tabs.setCurrentWidget(page.compositing.sets)
    qtbot.waitUntil(lambda: len(page.compositing.sets.images.grid.images) == 6, timeout=TIMEOUT_MS)
    return page


def test_that_a_set_is_exported_from_its_panel(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: posted.append(notice.message))
    page = open_sets(qtbot, window)
    QTest.mouseClick(page.compositing.sets.export, Qt.MouseButton.LeftButton)
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    assert dialog.what.currentData() == "small"
    assert not dialog.form.isRowVisible(dialog.split)
    assert dialog.out.text().endswith("-small")
    dialog.format.setCurrentIndex(dialog.format.findData("coco"))
    dialog.out.setText(str(tmp_path / "out"))
    QTest.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(posted), timeout=TIMEOUT_MS)
    fovs, marks = list_set_images(window.workspace.require_project(), "small")
    document = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text("utf-8"))
    for record in document["annotations"]:
        assert record["segmentation"]["size"] == [64, 96]
        assert record["area"] == sum(record["segmentation"]["counts"][1::2]) > 0
    n_marks = sum(len(each) for each in marks.values())
    assert posted == [f"Exported 6 images with {n_marks} annotations to {tmp_path / 'out'}."]
    assert {(fov.width, fov.height) for fov in fovs} == {(96, 64)}
    frame = Box(0, 0, 96, 64)
    for mark in (mark for each in marks.values() for mark in each):
        assert mark.box is not None
        assert frame.x0 <= mark.box.x0 < mark.box.x1 <= frame.x1
        assert frame.y0 <= mark.box.y0 < mark.box.y1 <= frame.y1


def test_that_the_export_from_the_menu_begins_with_the_annotated_fields(qtbot: QtBot, window: MainWindow) -> None:
    open_sets(qtbot, window)
    window.dialogs.open_export()
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    assert dialog.what.currentData() == ""
    assert [dialog.what.itemData(place) for place in range(dialog.what.count())] == ["", "small"]
    assert dialog.form.isRowVisible(dialog.split)
    dialog.reject()


def test_that_a_set_is_deleted_only_after_a_question(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_sets(qtbot, window)
    project = window.workspace.require_project()
    for choice, is_there in ((None, True), (0, False)):
        questions = ScriptedQuestions(choice=choice)
        monkeypatch.setattr(errors, "ask", questions)
        QTest.mouseClick(page.compositing.sets.remove, Qt.MouseButton.LeftButton)
        assert questions.asked == ["Remove set"]
        qtbot.waitUntil(lambda expected=is_there: project.set_folder("small").exists() == expected, timeout=TIMEOUT_MS)
        assert bool(project.sets.list()) == is_there
    qtbot.waitUntil(lambda: page.compositing.sets.list.count() == 0, timeout=TIMEOUT_MS)
