"""The gallery of images and objects in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QMenu
from pytestqt.qtbot import QtBot

from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.domain.ids import FovId, SetName
from synthstudio.domain.progress import no_tick
from synthstudio.domain.records import Split, Verdict, VerdictKind, changes
from synthstudio.gui.canvas.crop_tiles import TileLook
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality.gallery_panel import GalleryPanel
from synthstudio.gui.pages.quality.gallery_tiles import draw_gallery_tiles, read_gallery
from synthstudio.gui.theme import current_theme
from synthstudio.project import Project
from synthstudio.project.tags import Tagged
from tests.support.quality_windows import N_MADE, open_with_set, quality_page
from tests.support.suggestions import MODEL, suggest
from tests.support.windows import TIMEOUT_MS, annotate_page

REVIEW = 2


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_with_set(qtbot, tmp_path) as opened:
        yield opened


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> GalleryPanel:
    page = quality_page(window)
    page.show_gallery()
    qtbot.waitUntil(lambda: len(page.gallery.grid.loaded) == 5, timeout=TIMEOUT_MS)
    return page.gallery


def project_of(window: MainWindow) -> Project:
    return window.workspace.require_project()


def choose(combo: QComboBox, value: str) -> None:
    assert combo.findData(value) >= 0
    combo.setCurrentIndex(combo.findData(value))


def show_objects(qtbot: QtBot, panel: GalleryPanel) -> None:
    qtbot.mouseClick(panel.view.button("objects"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "objects" in panel.count.text() and bool(panel.grid.loaded), timeout=TIMEOUT_MS)


def test_that_images_are_filtered_by_split_class_and_words(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    fovs = project_of(window).fovs.list()
    assert panel.count.text() == "5 of 5 images"
    choose(panel.filters.splits, "val")
    assert panel.count.text() == "1 of 5 images"
    choose(panel.filters.splits, "")
    QTest.keyClicks(panel.filters.words, fovs[2].name)
    qtbot.waitUntil(lambda: panel.count.text() == "1 of 5 images", timeout=TIMEOUT_MS)
    assert panel.grid.keys == (2,)
    assert fovs[2].name in panel.grid._tips[2]
    panel.filters.words.setText("no such image")
    qtbot.waitUntil(lambda: panel.grid.keys == (), timeout=TIMEOUT_MS)


def test_that_each_object_is_a_tile_and_sorted_by_size(qtbot: QtBot, window: MainWindow, panel: GalleryPanel) -> None:
    marks = [mark for own in project_of(window).annotations.by_fov().values() for mark in own]
    show_objects(qtbot, panel)
    assert len(panel.grid.keys) == len(marks)
    choose(panel.sorts, "size")
    panel.falling.setChecked(True)
    source = panel._source
    assert source is not None
    sizes = [float(source.table.size[row]) for row in panel.grid.keys]
    assert sizes == sorted(sizes, reverse=True)
    name = source.table.class_names[0]
    choose(panel.filters.classes, name)
    wanted = next(each.id for each in project_of(window).classes.list() if each.name == name)
    assert len(panel.grid.keys) == sum(mark.class_id == wanted for mark in marks)


@pytest.mark.parametrize("view", ["images", "objects"])
def test_that_what_was_just_removed_is_an_empty_tile_and_the_rest_is_drawn(
    window: MainWindow, view: GalleryView
) -> None:
    project, look = project_of(window), TileLook(64, 1.0, current_theme())
    source = read_gallery(project, "", view)
    rows = range(len(source.table))
    draw_gallery_tiles(source, rows, look, has_boxes=False, tick=no_tick)  # leaves thumbnails: all below is of JPEG
    whole, _ = draw_gallery_tiles(source, rows, look, has_boxes=False, tick=no_tick)
    gone = int(source.table.ids[1])
    if view == "images":
        project.fovs.remove([FovId(gone)])
    else:
        project.annotations.remove([source.table.marks[1]])
    tiles, tips = draw_gallery_tiles(source, rows, look, has_boxes=False, tick=no_tick)
    assert tiles.keys() == set(rows)
    assert [row for row in rows if tiles[row] != whole[row]] == [1]
    assert tips.keys() == set(rows) - {1}


def test_that_a_tile_leads_to_its_mark_in_the_viewer(qtbot: QtBot, window: MainWindow, panel: GalleryPanel) -> None:
    show_objects(qtbot, panel)
    row = panel.grid.keys[-1]
    panel.grid.select_key(row)
    source = panel._source
    assert source is not None
    mark = source.table.marks[row]
    panel.grid.setFocus()
    QTest.keyClick(panel.grid, Qt.Key.Key_Return)
    assert window.workspace.current_fov_id == mark.fov_id
    view = annotate_page(window).view
    qtbot.waitUntil(lambda: view.selection == {mark.id}, timeout=TIMEOUT_MS)


def test_that_images_of_a_set_are_seen_too_and_lead_to_their_review(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    choose(panel.data, "made")
    qtbot.waitUntil(lambda: panel.count.text() == f"{N_MADE} of {N_MADE} images", timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: len(panel.grid.loaded) == N_MADE, timeout=TIMEOUT_MS)
    panel.open_row(0)
    qtbot.waitUntil(lambda: window.page(REVIEW).isVisible(), timeout=TIMEOUT_MS)


def test_that_names_are_copied_and_boxes_drawn_by_key(qtbot: QtBot, window: MainWindow, panel: GalleryPanel) -> None:
    panel.grid.select_all()
    panel.grid.setFocus()
    QTest.keyClick(panel.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().splitlines() == [fov.name for fov in project_of(window).fovs.list()]
    plain = panel.grid.loaded[0].copy()
    QTest.keyClick(panel.grid, Qt.Key.Key_B)
    assert panel.boxes.isChecked()
    qtbot.waitUntil(lambda: 0 in panel.grid.loaded and panel.grid.loaded[0] != plain, timeout=TIMEOUT_MS)


def test_that_the_gallery_follows_the_project(qtbot: QtBot, window: MainWindow, panel: GalleryPanel) -> None:
    project = project_of(window)
    moved = project.fovs.list(split=Split.TRAIN)[0]
    panel.grid.select_key(1)
    window.workspace.announce(project.samples.set_split([moved.sample_id], Split.VAL))
    choose(panel.filters.splits, "val")
    qtbot.waitUntil(lambda: panel.count.text() == "2 of 5 images", timeout=TIMEOUT_MS)


def test_that_what_others_pick_is_seen_under_chips_that_can_be_dropped(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    fovs = project_of(window).fovs.list()
    panel.show_rows("sharpness", {fovs[0].id, fovs[2].id}, view="images", words="Sharpness 2 to 3")
    assert panel.grid.keys == (0, 2)
    panel.show_rows("map", np.array([fovs[2].id, fovs[3].id]), view="images", words="Part of the map")
    assert panel.grid.keys == (2,)
    assert "Sharpness" in panel.chips.text()
    panel.chips.linkActivated.emit("pick:sharpness")
    assert panel.grid.keys == (2, 3)
    show_objects(qtbot, panel)  # those of the images that were picked
    source = panel._source
    assert source is not None
    assert {int(source.table.fov[row]) for row in panel.grid.keys} <= {2, 3}
    panel.drop_rows("map")
    assert len(panel.grid.keys) == len(source.table)
    assert not panel.chips.isVisible()


def test_that_objects_of_a_set_are_shown_when_they_are_picked(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    panel.show_rows("size", [1, 2], view="objects", words="Size 5 to 9 px", set_name="made")
    qtbot.waitUntil(lambda: len(panel.grid.keys) == 2, timeout=TIMEOUT_MS)
    assert panel.set_name == "made"
    with qtbot.waitSignal(panel.rows_selected, check_params_cb=lambda rows: rows.ids.tolist() == [1, 2]):
        panel.grid.select_all()
    panel.drop_all()
    assert len(panel.grid.keys) > 2
    choose(panel.data, "")
    qtbot.waitUntil(lambda: "of" in panel.count.text() and panel.set_name == "", timeout=TIMEOUT_MS)


def test_that_tags_are_put_on_several_by_key_filter_and_are_undone(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    tags = project_of(window).tags
    panel.grid.setFocus()
    panel.grid.select_keys(np.array([1, 3]))
    QTest.keyClick(panel.grid, Qt.Key.Key_T)
    dialog = panel.tags.dialog
    assert dialog is not None
    QTest.keyClicks(dialog.line, "odd one")
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    assert {name: len(ids) for name, ids in tags.list(Tagged("image")).items()} == {"odd one": 2}
    assert dialog.tags.item(0).checkState() is Qt.CheckState.Checked
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)  # nothing is written any more: done
    qtbot.waitUntil(lambda: panel.filters.tags.findData("odd one") > 0, timeout=TIMEOUT_MS)
    assert panel.grid.selected == [1, 3]
    choose(panel.filters.tags, "odd one")
    assert panel.grid.keys == (1, 3)
    panel.chips.linkActivated.emit("tag")
    assert len(panel.grid.keys) == 5
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window, timeout=TIMEOUT_MS)
    panel.grid.setFocus()
    panel.grid.select_key(0)
    QTest.keyClick(panel.grid, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert len(tags.list(Tagged("image"))["odd one"]) == 3
    for left in (2, 0):
        QTest.keyClick(panel.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(tags.list(Tagged("image")).get("odd one", ())) == left


def test_that_a_tick_takes_a_tag_off_and_a_bad_one_is_refused(window: MainWindow, panel: GalleryPanel) -> None:
    tags = project_of(window).tags
    tags.add("dark", [fov.id for fov in project_of(window).fovs.list()[:2]], Tagged("image"))
    panel.grid.select_all()
    panel.tags.open()
    dialog = panel.tags.dialog
    assert dialog is not None
    item = dialog.tags.item(0)
    assert (item.text(), item.checkState()) == ("dark  2", Qt.CheckState.PartiallyChecked)
    item.setCheckState(Qt.CheckState.Unchecked)
    assert tags.list(Tagged("image")) == {}
    dialog.line.setText("x" * 100)
    dialog.add.click()
    assert "letters" in dialog.problem.text()
    dialog.reject()


def test_that_a_view_is_saved_shown_again_and_forgotten_with_undo(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    show_objects(qtbot, panel)
    choose(panel.sorts, "size")
    panel.falling.setChecked(True)
    panel.filters.ranges["px"].least.setText("15")
    qtbot.waitUntil(
        lambda: panel.wanted.least_px == 15 and ("px", "size from 15 px") in panel.chips.chips, timeout=TIMEOUT_MS
    )
    shown = panel.grid.keys
    panel.views.save("large ones")
    panel.drop_all()
    qtbot.mouseClick(panel.view.button("images"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "5 images" in panel.count.text(), timeout=TIMEOUT_MS)
    panel.filters.views.setCurrentIndex(panel.filters.views.findData("large ones"))
    panel.filters.views.activated.emit(panel.filters.views.currentIndex())
    qtbot.waitUntil(lambda: panel.grid.keys == shown, timeout=TIMEOUT_MS)
    assert panel.choice.by == "size"
    assert panel.falling.isChecked()
    qtbot.mouseClick(panel.filters.forget, Qt.MouseButton.LeftButton)
    assert project_of(window).saved_views.list() == {}
    window.workspace.undo_stack.undo()
    assert list(project_of(window).saved_views.list()) == ["large ones"]
    qtbot.waitUntil(lambda: panel.filters.views.findData("large ones") > 0, timeout=TIMEOUT_MS)


def test_that_verdicts_and_samples_filter_what_is_seen(qtbot: QtBot, window: MainWindow, panel: GalleryPanel) -> None:
    project = project_of(window)
    assert not panel.filters.verdicts.isEnabled()
    panel.filters.sample.setText(project.fovs.list()[1].sample_name)
    qtbot.waitUntil(lambda: 0 < len(panel.grid.keys) < 5, timeout=TIMEOUT_MS)
    panel.drop_all()
    choose(panel.data, "made")
    qtbot.waitUntil(panel.filters.verdicts.isEnabled, timeout=TIMEOUT_MS)
    window.workspace.announce(project.verdicts.put(Verdict(SetName("made"), 1, VerdictKind.REJECTED, "", "Ada", "")))
    choose(panel.filters.verdicts, "rejected")
    qtbot.waitUntil(lambda: panel.grid.keys == (1,), timeout=TIMEOUT_MS)
    assert "rejected" in panel.chips.text()


def test_that_tiles_are_zoomed_and_filters_hidden_by_key(panel: GalleryPanel) -> None:
    before = panel.grid.tile_px
    panel.zoom.setValue(before + 60)
    assert panel.grid.tile_px == before + 60
    panel.grid.setFocus()
    QTest.keyClick(panel.grid, Qt.Key.Key_Minus)
    assert panel.zoom.value() == panel.grid.tile_px < before + 60
    QTest.keyClick(panel.grid, Qt.Key.Key_F)
    assert not panel.filters.isVisible()


def test_that_others_add_to_the_menu_of_tiles(panel: GalleryPanel) -> None:
    menus: list[QMenu] = []
    panel.menu_filled.connect(menus.append)
    panel.grid.select_key(0)
    panel.grid.menu_requested.emit(panel.grid.mapToGlobal(panel.grid.rect().center()))
    texts = [action.text() for action in menus[0].actions()]
    assert texts == ["Show", "Tags…", "Copy the names of the images", "Find similar"]
    menus[0].close()


def test_that_scores_are_chosen_sort_filter_and_are_written_on_the_tiles(
    qtbot: QtBot, window: MainWindow, panel: GalleryPanel
) -> None:
    suggest(project_of(window), FovId(2), [(20.0, 20.0, 0.8)])
    suggest(project_of(window), FovId(4), [(20.0, 20.0, 0.3)])
    plain = panel.grid.loaded[1].copy()
    window.workspace.announce(changes("suggestions"))
    key = f"suggested:{MODEL}"
    qtbot.waitUntil(lambda: panel.filters.scores.findData(key) > 0, timeout=TIMEOUT_MS)
    assert not panel.filters.ranges["score"].isEnabled()
    choose(panel.filters.scores, key)
    qtbot.waitUntil(panel.filters.ranges["score"].isEnabled, timeout=TIMEOUT_MS)
    choose(panel.sorts, "score")
    assert panel.grid.keys[:2] == (3, 1)
    qtbot.waitUntil(lambda: 1 in panel.grid.loaded and panel.grid.loaded[1] != plain, timeout=TIMEOUT_MS)
    assert "score 0.80" in panel.grid._tips[1]
    panel.filters.ranges["score"].least.setText("0.5")
    qtbot.waitUntil(lambda: panel.grid.keys == (1,), timeout=TIMEOUT_MS)
    assert panel.choice.score_of == key
