"""The tab of guide sets: captions edited in place and from fields, images added, moved and taken out, all with undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from synthstudio.domain.guides import NEW_GUIDE, GuideImage
from synthstudio.domain.records import Box, Split
from synthstudio.gui import errors
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.gui.pages.generate.diffusion.guide_dialogs import (
    AddImagesDialog,
    AddRegionsDialog,
    CropToRegionsDialog,
    NewGuideSetDialog,
)
from synthstudio.gui.pages.generate.diffusion.guides_panel import GuidesPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from tests.support.region_projects import make_region_project
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, open_window

SUBJECT = "zxq skin rash"
D = TypeVar("D", bound=QDialog)
SPLITS = (Split.TRAIN,) * 5 + (Split.TEST,)


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    yield made
    made.shut_down()


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Project:
    """Six photographs, and a guide set of the first three."""
    made = make_region_project(tmp_path / "project", splits=SPLITS)
    made.guides.add("rash", class_name="skin rash", identifier="zxq")
    images = [GuideImage(NEW_GUIDE, fov.id, None, "") for fov in made.fovs.list()[:3]]
    added, _ = made.guides.add_images("rash", images)
    made.guides.set_captions({added[0].id: f"a photo of {SUBJECT}, red in colour", added[1].id: "by hand"})
    made.close()
    workspace.open_project(tmp_path / "project")
    assert workspace.project is not None
    return workspace.project


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace, project: Project) -> GuidesPanel:
    made = GuidesPanel(workspace)
    qtbot.addWidget(made)
    made.resize(1100, 640)
    made.show()
    wait_for(qtbot, made, 3)
    return made


def wait_for(qtbot: QtBot, panel: GuidesPanel, count: int) -> None:
    def is_shown() -> bool:
        pictures = [panel.model.index(row).data(Qt.ItemDataRole.DecorationRole) for row in range(count)]
        return len(panel.model.crops) == count and None not in pictures

    qtbot.waitUntil(is_shown, timeout=TIMEOUT_MS)


def wait_for_captions(qtbot: QtBot, panel: GuidesPanel, captions: list[str]) -> None:
    qtbot.waitUntil(lambda: [each.caption for each in panel.model.crops] == captions, timeout=TIMEOUT_MS)


def click(panel: GuidesPanel, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    rect = panel.grid.visualRect(panel.model.index(row))
    QTest.mouseClick(panel.grid.viewport(), Qt.MouseButton.LeftButton, modifier, rect.topLeft() + QPoint(20, 20))


def trigger(panel: GuidesPanel, action_id: str) -> None:
    spec = next(each for each in panel.actions() if each.id == f"diffusion.{action_id}")
    assert spec.enabled_when()
    spec.callback()


def dialog_of(qtbot: QtBot, panel: GuidesPanel, kind: type[D]) -> D:
    qtbot.waitUntil(lambda: panel.findChild(kind) is not None, timeout=TIMEOUT_MS)
    found = panel.findChild(kind)
    assert found is not None
    return found


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_that_a_caption_is_edited_in_place_and_the_edit_undone(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    click(panel, 2)
    QTest.keyClick(panel.grid, Qt.Key.Key_Return)
    editor = panel.grid.findChild(QPlainTextEdit)
    assert editor is not None
    QTest.keyClicks(editor, "a zxq skin rash, pale")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert project.guides.get("rash").images[2].caption == "a zxq skin rash, pale"
    first, second = f"a photo of {SUBJECT}, red in colour", "by hand"
    wait_for_captions(qtbot, panel, [first, second, "a zxq skin rash, pale"])
    workspace.undo_stack.undo()
    wait_for_captions(qtbot, panel, [first, second, ""])
    workspace.undo_stack.redo()
    wait_for_captions(qtbot, panel, [first, second, "a zxq skin rash, pale"])


def test_that_an_edit_is_left_by_escape(project: Project, panel: GuidesPanel) -> None:
    click(panel, 1)
    trigger(panel, "edit_caption")
    editor = panel.grid.findChild(QPlainTextEdit)
    assert editor is not None
    QTest.keyClicks(editor, "nonsense")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert project.guides.get("rash").images[1].caption == "by hand"


def test_that_tab_goes_on_to_the_next_caption_and_what_is_typed_there_stays(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    click(panel, 1)
    trigger(panel, "edit_caption")
    editor = panel.grid.findChild(QPlainTextEdit)
    assert editor is not None
    QTest.keyClicks(editor, "second")
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: len(panel.grid.findChildren(QPlainTextEdit)) == 1, timeout=TIMEOUT_MS)
    (following,) = panel.grid.findChildren(QPlainTextEdit)
    QTest.keyClicks(following, "third")
    wait_for_captions(qtbot, panel, [f"a photo of {SUBJECT}, red in colour", "second", ""])
    panel.model.show_problems({})
    assert following.toPlainText() == "third"
    QTest.keyClick(following, Qt.Key.Key_Return)
    assert [each.caption for each in project.guides.get("rash").images][1:] == ["second", "third"]


def test_that_fields_of_a_caption_are_seen_and_written_back_as_a_sentence(
    qtbot: QtBot, project: Project, panel: GuidesPanel
) -> None:
    click(panel, 0)
    assert panel.side.inputs["color"].text() == "red"
    assert not panel.side.write.isEnabled()
    QTest.keyClicks(panel.side.inputs["place"], "back of the hand")
    wanted = f"a photo of {SUBJECT}, red in colour, on the back of the hand"
    assert panel.side.sentence.text().startswith(wanted)
    press(panel.side.write)
    assert project.guides.get("rash").images[0].caption == wanted
    click(panel, 1)
    assert "written by hand" in panel.side.hint.text()


def test_that_one_field_of_several_captions_is_written_and_the_others_stay(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    click(panel, 0)
    click(panel, 2, Qt.KeyboardModifier.ControlModifier)
    assert panel.side.inputs["color"].placeholderText() == "differs"
    QTest.keyClicks(panel.side.inputs["size"], "5 mm")
    QTest.keyClick(panel.side.inputs["size"], Qt.Key.Key_Return)
    captions = [each.caption for each in project.guides.get("rash").images]
    assert captions[0] == f"a photo of {SUBJECT}, red in colour, 5 mm in size"
    assert captions[2] == f"a photo of {SUBJECT}, 5 mm in size"
    workspace.undo_stack.undo()
    assert project.guides.get("rash").images[2].caption == ""


def test_that_another_identifier_comes_into_the_captions(qtbot: QtBot, project: Project, panel: GuidesPanel) -> None:
    panel.bar.identifier.selectAll()
    QTest.keyClicks(panel.bar.identifier, "qrv")
    QTest.keyClick(panel.bar.identifier, Qt.Key.Key_Return)
    changed = project.guides.get("rash")
    assert changed.subject == "qrv skin rash"
    assert [each.caption for each in changed.images] == ["a photo of qrv skin rash, red in colour", "by hand", ""]


def test_that_images_are_moved_and_taken_out_by_keys_with_undo(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    before = project.guides.get("rash")
    ids = [each.id for each in before.images]
    click(panel, 2)
    trigger(panel, "guide_earlier")
    assert [each.id for each in project.guides.get("rash").images] == [ids[0], ids[2], ids[1]]
    qtbot.waitUntil(lambda: panel.model.place_of(ids[2]) == 1, timeout=TIMEOUT_MS)
    assert panel.grid.selected == [ids[2]]
    trigger(panel, "remove_guides")
    qtbot.waitUntil(lambda: len(panel.model.crops) == 2, timeout=TIMEOUT_MS)
    assert panel.grid.selected == [ids[1]]  # the next in line
    workspace.undo_stack.undo()
    workspace.undo_stack.undo()
    assert project.guides.get("rash") == before


def test_that_checks_name_what_is_off_and_a_click_selects_the_images(qtbot: QtBot, panel: GuidesPanel) -> None:
    def sentences() -> list[str]:
        return [panel.side.problems.item(row).text() for row in range(panel.side.problems.count())]

    qtbot.waitUntil(lambda: any("no caption" in text for text in sentences()), timeout=TIMEOUT_MS)
    assert any("lacks the identifier" in text for text in sentences())
    row = next(row for row, text in enumerate(sentences()) if "no caption" in text)
    rect = panel.side.problems.visualItemRect(panel.side.problems.item(row))
    QTest.mouseClick(panel.side.problems.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert panel.grid.selected == [panel.model.crops[2].guide.id]
    assert "no caption" in str(panel.model.index(2).data(Qt.ItemDataRole.ToolTipRole))


def test_that_the_next_image_without_a_caption_is_found(panel: GuidesPanel) -> None:
    click(panel, 0)
    trigger(panel, "next_uncaptioned")
    assert panel.grid.selected == [panel.model.crops[2].guide.id]


def test_that_a_set_is_made_filled_and_removed_with_undo(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    press(panel.bar.new)
    dialog = dialog_of(qtbot, panel, NewGuideSetDialog)
    QTest.keyClicks(dialog.name, "rash")
    dialog.class_name.setEditText("nevus")
    press(dialog.do_button)
    assert "already a guide set rash" in dialog.problem.text()
    QTest.keyClicks(dialog.name, "-2")
    press(dialog.do_button)
    qtbot.waitUntil(lambda: panel.chosen is not None and panel.chosen.name == "rash-2", timeout=TIMEOUT_MS)
    assert panel.notice.title.text() == "No guide images yet"
    press(panel.notice.button)
    images = dialog_of(qtbot, panel, AddImagesDialog)
    assert images.fovs.count() == 5  # not that of the test split
    images.filter.setText("photo3")
    images.fovs.clearSelection()
    rect = images.fovs.visualItemRect(images.fovs.item(3))
    QTest.mouseClick(images.fovs.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    press(images.do_button)
    wait_for(qtbot, panel, 1)
    trigger(panel, "add_guide_regions")
    regions = dialog_of(qtbot, panel, AddRegionsDialog)
    assert regions.checked == ("nevus",)
    regions.count.setValue(4)
    press(regions.do_button)
    wait_for(qtbot, panel, 5)
    assert all(each.guide.box is not None for each in panel.model.crops[1:])
    trigger(panel, "remove_guide_set")
    wait_for(qtbot, panel, 3)
    workspace.undo_stack.undo()
    assert len(project.guides.get("rash-2").images) == 5


def test_that_selected_images_are_cropped_to_their_regions_with_undo(
    qtbot: QtBot, workspace: Workspace, project: Project, panel: GuidesPanel
) -> None:
    before = project.guides.get("rash")
    click(panel, 1)
    press(panel.bar.crop)
    dialog = dialog_of(qtbot, panel, CropToRegionsDialog)
    assert dialog.checked == ("nevus", "rash")
    dialog.classes.item(0).setCheckState(Qt.CheckState.Unchecked)
    press(dialog.do_button)
    wanted = [None, Box(90, 38, 150, 98), None]
    qtbot.waitUntil(lambda: [each.guide.box for each in panel.model.crops] == wanted, timeout=TIMEOUT_MS)
    assert [each.caption for each in project.guides.get("rash").images] == [each.caption for each in before.images]
    workspace.undo_stack.undo()
    assert project.guides.get("rash") == before


def test_that_a_set_is_exported_with_its_captions(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, panel: GuidesPanel
) -> None:
    posted: list[errors.Notice] = []
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(paths=[tmp_path / "out"]))
    monkeypatch.setattr(errors, "post", lambda notice, parent: posted.append(notice))
    press(panel.bar.export)
    qtbot.waitUntil(lambda: bool(posted), timeout=TIMEOUT_MS)
    assert posted[0].message.startswith("Wrote 3 guide images")
    assert (tmp_path / "out" / "s0002_00002.txt").read_text() == "by hand\n"


def test_that_a_guide_image_is_shown_in_its_field(qtbot: QtBot, workspace: Workspace, panel: GuidesPanel) -> None:
    asked: list[str] = []
    panel.page_requested.connect(asked.append)
    click(panel, 1)
    trigger(panel, "show_guide_field")
    assert asked == ["annotations"]
    assert workspace.current_fov_id == panel.model.crops[1].fov.id
    assert workspace.wanted_region == (workspace.current_fov_id, Box(20, 0, 140, 120))


def test_that_without_a_set_the_panel_says_what_to_do(qtbot: QtBot, workspace: Workspace, panel: GuidesPanel) -> None:
    trigger(panel, "remove_guide_set")
    qtbot.waitUntil(lambda: panel.notice.title.text() == "No guide set yet.", timeout=TIMEOUT_MS)
    workspace.undo_stack.undo()
    wait_for(qtbot, panel, 3)
    workspace.close_project()
    assert panel.notice.title.text() == "No project is open"
    assert not [each for each in panel.actions() if each.enabled_when()]


def test_that_the_import_is_offered_for_the_shown_set(qtbot: QtBot, workspace: Workspace, panel: GuidesPanel) -> None:
    with qtbot.waitSignal(panel.page_requested, timeout=TIMEOUT_MS) as asked:
        trigger(panel, "import_captions")
    assert asked.args == ["import"]
    dialog = ImportDialog(workspace, (), panel)
    assert (dialog.format.currentData(), dialog.guide_set()) == ("captions", "rash")
    dialog.reject()
    again = ImportDialog(workspace, (), panel)  # for nothing in particular
    assert again.guide_set() == ""
    again.reject()


def test_that_a_dropped_folder_of_captions_becomes_a_guide_set(
    qtbot: QtBot, tmp_path: Path, project: Project, workspace: Workspace
) -> None:
    folder = tmp_path / "ten"
    folder.mkdir()
    for number, fov in enumerate(project.fovs.list()[:2]):
        (folder / f"{number}.png").write_bytes(Path(fov.path).read_bytes())
        (folder / f"{number}.txt").write_text(f"a photo of {SUBJECT} {number}")
    workspace.close_project()
    with open_window(qtbot, tmp_path / "private", tmp_path / "project") as window:
        window.dialogs.open_import(folder)
        dialog = window.findChild(ImportDialog)
        assert dialog is not None
        qtbot.waitUntil(dialog.import_button.isEnabled, timeout=TIMEOUT_MS)
        assert dialog.format.currentData() == "captions"
        assert dialog.guides.isVisible()
        press(dialog.import_button)
        opened = window.workspace.require_project()
        qtbot.waitUntil(lambda: opened.guides.find("ten") is not None, timeout=TIMEOUT_MS)
        captions = [each.caption for each in opened.guides.get("ten").images]
        assert captions == [f"a photo of {SUBJECT} 0", f"a photo of {SUBJECT} 1"]
        qtbot.waitUntil(window.workspace.undo_stack.canUndo, timeout=TIMEOUT_MS)
        assert isinstance(window.workspace.undo_stack.undoText(), str)
        window.workspace.undo_stack.undo()
        assert opened.guides.get("ten").images == ()
