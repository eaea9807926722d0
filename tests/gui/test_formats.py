"""The import and export dialogs: formats, names of classes, images that are there already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.core.annotations.guessing import guess_format
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import write_png
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.class_table import FOUND, NEW
from synthstudio.gui.main_window.export_dialog import ExportDialog
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.project import Project
from tests.support.exports import build_data, center_mark, write_fov
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def write_table(folder: Path) -> Path:
    folder.mkdir()
    write_png(folder / "x.png", np.full((40, 50, 3), 120, np.uint8))
    rows = ["x.png,cell,5,5", "x.png,cell,15,5", "x.png,speck,25,5", "x.png,Rbc,35,5"]
    (folder / "marks.csv").write_text("\n".join(["image,class,x,y", *rows]))
    return folder


def open_import(qtbot: QtBot, window: MainWindow, folder: Path) -> ImportDialog:
    window.dialogs.open_import(folder)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    return dialog


def row_of(dialog: ImportDialog, name: str) -> int:
    return next(row for row in range(dialog.classes.rowCount()) if dialog.classes.item(row, FOUND).text() == name)


def retype(qtbot: QtBot, dialog: ImportDialog, name: str, new: str) -> None:
    """Go to the class by mouse, type its new name and press Enter."""
    item = dialog.classes.item(row_of(dialog, name), NEW)
    place = dialog.classes.visualItemRect(item).center()
    QTest.mouseClick(dialog.classes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(dialog.classes, Qt.Key.Key_F2)
    editor = dialog.classes.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, new)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.classes.mapping().get(name) == new, timeout=TIMEOUT_MS)


def untick(dialog: ImportDialog, name: str) -> None:
    """Go to the class by mouse and untick it by the space bar."""
    item = dialog.classes.item(row_of(dialog, name), FOUND)
    place = dialog.classes.visualItemRect(item).center()
    QTest.mouseClick(dialog.classes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(dialog.classes, Qt.Key.Key_Space)


def counts(project: Project) -> dict[str, int]:
    totals = project.annotations.totals()
    return {each.name: totals.get(each.id, 0) for each in project.classes.list()}


def test_that_classes_are_renamed_and_left_out_by_mouse_and_keyboard(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    project = window.workspace.require_project()
    project.classes.add("rBC")
    before = counts(project)
    dialog = open_import(qtbot, window, write_table(tmp_path / "table"))
    assert dialog.format.currentData() == "csv"
    assert dialog.classes.item(row_of(dialog, "Rbc"), NEW).text() == "rBC"  # as the project writes it
    assert "4 annotations" in dialog.summary.text()
    untick(dialog, "speck")
    assert "3 annotations (1 left out)" in dialog.summary.text()
    retype(qtbot, dialog, "cell", "Zelle")
    assert dialog.classes.mapping() == {"cell": "Zelle", "speck": "", "Rbc": "rBC"}
    dialog.read()  # what was typed outlives another reading
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    assert dialog.classes.mapping() == {"cell": "Zelle", "speck": "", "Rbc": "rBC"}
    with qtbot.waitSignal(dialog.accepted, timeout=TIMEOUT_MS):
        QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    assert counts(project) == {**before, "rBC": 1, "Zelle": 2}


def test_that_known_images_are_told_and_merged_or_imported_again(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    project = window.workspace.require_project()
    n_fovs = len(project.fovs.list())
    folder = write_table(tmp_path / "table")
    for choice, words, n_expected in (
        ("merge", "", n_fovs + 1),
        ("merge", "the marks that they lack are added", n_fovs + 1),
        ("skip", "they are left out", n_fovs + 1),
        ("new", "they come a second time", n_fovs + 2),
    ):
        dialog = open_import(qtbot, window, folder)
        dialog.existing.setCurrentIndex(dialog.existing.findData(choice))
        assert ("in the project already" in dialog.summary.text()) == bool(words)
        assert words in dialog.summary.text()
        with qtbot.waitSignal(dialog.destroyed, timeout=TIMEOUT_MS):
            QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
        assert len(project.fovs.list()) == n_expected


def test_that_problems_are_copied(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    folder = write_table(tmp_path / "table")
    (folder / "marks.csv").write_text("image,class,x,y\nx.png,cell,5,5\nx.png,cell,five,5\nx.png,cell,500,5\n")
    dialog = open_import(qtbot, window, folder)
    dialog.tabs.setCurrentIndex(1)
    QTest.mouseClick(dialog.problems.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(9, 9))
    dialog.problems.actions()[0].trigger()
    assert QGuiApplication.clipboard().text().startswith("marks.csv, line 3: x is 'five'")
    dialog.problems.selectAll()
    dialog.problems.actions()[0].trigger()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2
    dialog.reject()


def test_that_merged_marks_are_undone_and_redone(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    project, stack = window.workspace.require_project(), window.workspace.undo_stack
    folder = write_table(tmp_path / "table")
    open_import(qtbot, window, folder).apply()
    qtbot.waitUntil(lambda: window.findChild(ImportDialog) is None, timeout=TIMEOUT_MS)
    assert not stack.canUndo()
    (folder / "marks.csv").write_text("image,class,x,y\nx.png,cell,5,5\nx.png,cell,30,30\n")
    before = counts(project)
    open_import(qtbot, window, folder).apply()
    qtbot.waitUntil(stack.canUndo, timeout=TIMEOUT_MS)
    assert counts(project)["cell"] == before["cell"] + 1
    stack.undo()
    assert counts(project) == before
    stack.redo()
    assert counts(project)["cell"] == before["cell"] + 1


def test_that_a_file_dropped_on_the_dialog_is_read(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.dialogs.open_import()
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(write_table(tmp_path / "table") / "marks.csv"))])
    left = Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(QPoint(9, 9)), Qt.DropAction.CopyAction, data, left, Qt.KeyboardModifier.NoModifier)
    dialog.dropEvent(event)
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    assert dialog.format.currentData() == "csv"
    dialog.reject()


def drop(target: QWidget, *paths: Path) -> None:
    """Drop files from another program."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left = Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(QPoint(9, 9)), Qt.DropAction.CopyAction, data, left, Qt.KeyboardModifier.NoModifier)
    target.dropEvent(event)


@pytest.mark.parametrize(
    ("dropped", "expected"),
    [
        (["p1/a.png"], [("a", "a.png")]),
        (["p1/a.png", "p2/c.png"], [("p1", "a.png"), ("p2", "c.png")]),
        (["p1", "alone.png"], [("alone", "alone.png"), ("p1", "a.png"), ("p1", "b.png")]),
    ],
)
def test_that_only_what_was_dropped_on_the_window_is_imported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, dropped: list[str], expected: list[tuple[str, str]]
) -> None:
    root = tmp_path / "camera"
    for number, name in enumerate(("p1/a.png", "p1/b.png", "p2/c.png", "alone.png")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_png(root / name, np.full((40, 50, 3), 20 * number, np.uint8))
    before = {fov.id for fov in window.workspace.require_project().fovs.list()}
    drop(window, *(root / name for name in dropped))
    qtbot.waitUntil(lambda: window.findChild(ImportDialog) is not None, timeout=TIMEOUT_MS)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    with qtbot.waitSignal(dialog.accepted, timeout=TIMEOUT_MS):
        QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    fovs = window.workspace.require_project().fovs.list()
    assert sorted((fov.sample_name, fov.name) for fov in fovs if fov.id not in before) == expected


def test_that_the_whole_folder_is_meant_once_its_name_is_typed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for number, name in enumerate("abc"):
        write_png(tmp_path / f"{name}.png", np.full((40, 50, 3), 20 * number, np.uint8))
    window.projects.take_dropped(tmp_path / "a.png", tmp_path / "b.png")
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None and len(dialog.plan.fovs) == 2, timeout=TIMEOUT_MS)
    dialog.folder.setText(f"{tmp_path}/")
    qtbot.waitUntil(lambda: dialog.plan is not None and len(dialog.plan.fovs) > 2, timeout=TIMEOUT_MS)
    dialog.reject()


def test_that_the_export_says_what_a_format_keeps_and_afterwards_what_it_lost(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[errors.Notice] = []

    def keep(notice: errors.Notice, **_where: object) -> None:
        posted.append(notice)

    monkeypatch.setattr(errors, "post", keep)
    window.dialogs.open_export()
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    assert {dialog.format.itemData(i) for i in range(dialog.format.count())} == set(WRITERS)
    for i in range(dialog.format.count()):
        dialog.format.setCurrentIndex(i)
        assert dialog.keeps.text()
    dialog.format.setCurrentIndex(dialog.format.findData("yolo"))
    dialog.out.setText(str(tmp_path / "out"))
    QTest.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(posted), timeout=TIMEOUT_MS)
    assert "Exported" in posted[0].message
    assert (tmp_path / "out" / "data.yaml").is_file()


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"imagefolder"}))
def test_that_the_format_of_every_export_is_guessed(tmp_path: Path, name: str) -> None:
    WRITERS[name](build_data(write_fov(tmp_path / "in"), center_mark(9, 9)), tmp_path / "out")
    assert guess_format(tmp_path / "out") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a photo of zxq rash, red", "captions"),
        ("10 12 cell\n", "centers"),
        ("x y class\n", "centers"),
        ("", "centers"),
    ],
)
def test_that_captions_beside_images_are_told_from_centres(tmp_path: Path, text: str, name: str) -> None:
    write_fov(tmp_path)
    image = next(tmp_path.glob("*.png"))
    image.with_suffix(".txt").write_text(text)
    assert guess_format(tmp_path) == name


def test_that_the_format_of_a_single_file_is_guessed(tmp_path: Path) -> None:
    for name, document in {"labelme": {"shapes": []}, "geojson": {"type": "Feature"}, "coco": {"images": []}}.items():
        (tmp_path / "a.json").write_text(json.dumps(document))
        assert guess_format(tmp_path / "a.json") == name
    assert guess_format(tmp_path / "gone") == "imagefolder"


def test_that_a_table_of_attributes_is_not_taken_for_marks(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "table")
    assert guess_format(folder) == "csv"
    for text in ("image,sample,tone\nx.png,Ada,3\n", "", "\n"):
        (folder / "marks.csv").write_text(text)
        assert guess_format(folder) == "imagefolder"
