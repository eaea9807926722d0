"""The gallery of patches: counts, orders, rejecting and restoring by key, with a real project and its real bank."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.client.kept_images import KeptImage, keep_images
from synthstudio.core.patches.ranking import PatchOrder, rank_patches
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box, changes
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.patch_panel import PatchPanel
from synthstudio.gui.pages.generate.patch_tiles import MaskView, TileStyle, pasted_alpha, patch_tile
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import ComposeSettings, PatchSettings
from tests.support.cells import make_bank
from tests.support.engine_project import build_engine_project
from tests.support.trained_gans import add_card, make_card
from tests.support.windows import annotate_page, open_window

WAIT_MS = 20_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    project = build_engine_project(tmp_path)
    folder = project.folder
    project.close()
    with open_window(qtbot, tmp_path / "private", folder) as made:
        made.show_page(1)
        yield made


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> PatchPanel:
    """The gallery, showing the patches of the class disc."""
    page = generate_page(window)
    view = page.compositing
    qtbot.waitUntil(lambda: view.loader.bank is not None, timeout=WAIT_MS)
    view.tabs.setCurrentWidget(view.patches)
    qtbot.waitUntil(lambda: len(view.patches.grid.loaded) == len(view.patches.grid.keys) > 0, timeout=WAIT_MS)
    view.patches.grid.setFocus()
    return view.patches


def generate_page(window: MainWindow) -> GeneratePage:
    page = window.page(1)
    assert isinstance(page, GeneratePage)
    return page


def rejected_ids(window: MainWindow) -> frozenset[AnnotationId]:
    return window.workspace.require_project().patch_verdicts.rejected()


def annotation_of(panel: PatchPanel, key: int) -> AnnotationId:
    assert panel._gallery is not None
    return panel._gallery.bank.patches[key].annotation_id


def click(panel: PatchPanel, place: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(panel.grid.viewport(), Qt.MouseButton.LeftButton, modifier, panel.grid.tile_rect(place).center())


def wait_for_bank(qtbot: QtBot, window: MainWindow, n_patches: int) -> None:
    loader = generate_page(window).compositing.loader
    qtbot.waitUntil(lambda: loader.bank is not None and len(loader.bank.patches) == n_patches, timeout=WAIT_MS)


def test_that_the_patches_are_shown_by_class_and_sample_with_their_counts(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    bank = build_project_bank(window.workspace.require_project(), PatchSettings())
    count = bank.count_by_class()[bank.classes[1].id]
    panel.filters.classes.setCurrentRow(1)
    assert panel.filters.classes.item(1).text() == f"square  {count}"
    assert len(panel.grid.keys) == count
    words = [
        panel.filters.samples.model().index(row, 0).data() for row in range(panel.filters.samples.model().rowCount())
    ]
    assert words[0] == f"All samples  {count}"
    assert sum(int(each.split("  ")[1]) for each in words[1:]) == count
    row = next(row for row, each in enumerate(words[1:], start=1) if not each.endswith("  0"))
    panel.filters.samples.setCurrentIndex(panel.filters.samples.model().index(row, 0))
    assert len(panel.grid.keys) == int(words[row].split("  ")[1])
    assert f"of {1} samples" in panel.facts.text()


def test_that_patches_are_shown_in_the_order_that_was_chosen(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    bank = build_project_bank(window.workspace.require_project(), PatchSettings())
    numbers = [number for number, patch in enumerate(bank.patches) if patch.class_id == bank.classes[0].id]
    for order in (PatchOrder.FAINT, PatchOrder.DOUBTFUL, PatchOrder.BLURRED, PatchOrder.ANNOTATED):
        panel.order.setCurrentIndex(list(PatchOrder).index(order))
        expected = tuple(rank_patches(bank, numbers, order))
        qtbot.waitUntil(lambda expected=expected: panel.grid.keys == expected, timeout=WAIT_MS)


def test_that_delete_rejects_at_once_and_goes_on_to_the_next(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    loader = generate_page(window).compositing.loader
    assert loader.bank is not None
    n_patches, keys = len(loader.bank.patches), panel.grid.keys
    click(panel, 1)
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    assert rejected_ids(window) == {annotation_of(panel, keys[1])}
    assert panel.grid.keys == (keys[0], *keys[2:])
    assert panel.grid.selected == [keys[2]]
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    assert rejected_ids(window) == {annotation_of(panel, keys[1]), annotation_of(panel, keys[2])}
    assert "2 rejected" in panel.facts.text()
    wait_for_bank(qtbot, window, n_patches - 2)
    used = {patch.annotation_id for patch in loader.bank.patches}
    assert not used & rejected_ids(window)


def test_that_rejecting_many_is_one_step_of_undo_and_redo(qtbot: QtBot, window: MainWindow, panel: PatchPanel) -> None:
    keys = panel.grid.keys
    click(panel, 0)
    click(panel, 2, Qt.KeyboardModifier.ShiftModifier)
    click(panel, 1, Qt.KeyboardModifier.ControlModifier)
    assert panel.grid.selected == [keys[0], keys[2]]
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    expected = {annotation_of(panel, keys[0]), annotation_of(panel, keys[2])}
    assert rejected_ids(window) == expected
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rejected_ids(window) == frozenset()
    assert panel.grid.keys == keys
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert rejected_ids(window) == expected


def test_that_rejected_patches_are_shown_crossed_out_and_restored(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    keys = panel.grid.keys
    click(panel, 0)
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    panel.shown.setCurrentIndex(2)
    assert panel.grid.keys == keys
    assert panel.grid._crossed == {keys[0]}
    panel.shown.setCurrentIndex(1)
    assert panel.grid.keys == (keys[0],)
    click(panel, 0)
    action = window.registry.action("generate.restore")
    assert action.isEnabled()
    assert not panel.reject_button.isEnabled()
    QTest.mouseClick(panel.restore_button, Qt.MouseButton.LeftButton)
    assert rejected_ids(window) == frozenset()
    assert panel.grid.keys == ()
    panel.shown.setCurrentIndex(0)
    assert panel.grid.keys == keys


def test_that_rejecting_everything_leaves_the_way_back(qtbot: QtBot, window: MainWindow, panel: PatchPanel) -> None:
    view = generate_page(window).compositing
    for row in range(panel.filters.classes.count()):
        panel.filters.classes.setCurrentRow(row)
        QTest.keyClick(panel.grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: view.loader.bank is None, timeout=WAIT_MS)
    assert not view.writer.button.isEnabled()
    assert view.stack.currentWidget() is view.tabs
    panel.shown.setCurrentIndex(1)
    QTest.keyClick(panel.grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(panel.grid, Qt.Key.Key_Insert)
    qtbot.waitUntil(lambda: view.loader.bank is not None, timeout=WAIT_MS)
    assert view.writer.button.isEnabled()


def test_that_the_preview_is_that_of_a_bank_without_the_rejected_patches(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    view = generate_page(window).compositing
    QTest.keyClick(panel.grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    n_discs = len(panel.grid.keys)
    assert view.loader.bank is not None
    n_patches = len(view.loader.bank.patches)
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    wait_for_bank(qtbot, window, n_patches - n_discs)
    rejected = rejected_ids(window)

    def is_free_of_them() -> bool:
        sources = {box.source for image in view.preview.grid.images for box in image.boxes if box.source is not None}
        return bool(sources) and not {each[1] for each in sources} & rejected

    qtbot.waitUntil(is_free_of_them, timeout=WAIT_MS)


def test_that_a_double_click_goes_to_the_annotation(qtbot: QtBot, window: MainWindow, panel: PatchPanel) -> None:
    wanted = annotation_of(panel, panel.grid.keys[2])
    QTest.mouseDClick(
        panel.grid.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        panel.grid.tile_rect(2).center(),
    )
    annotate = annotate_page(window)
    qtbot.waitUntil(lambda: annotate.view.selection == {wanted}, timeout=WAIT_MS)
    # An undo there must not take back what is not seen there: verdicts are undone where the patches are.
    assert not window.registry.action("generate.undo").isEnabled()


@pytest.mark.parametrize("view", list(MaskView))
def test_that_a_patch_is_pictured_with_its_mask(view: MaskView) -> None:
    bank = make_bank(settings=PatchSettings(foreground="threshold"))
    number = next(number for number, patch in enumerate(bank.patches) if patch.class_id == 2)
    tile = patch_tile(bank, number, TileStyle(view=view), "#FF0000")
    assert (tile.image.width(), tile.image.height()) == (60, 60)
    assert bool(tile.outlines) == (view is MaskView.OUTLINE)
    alpha = pasted_alpha(bank, number, shape="ellipse", feather=0.0)
    # The drawn disc has a radius of 27 px; the outline follows it and leaves the corners of the window out.
    assert abs(np.count_nonzero(alpha > 127) / (np.pi * 28.5**2) - 1) < 0.12
    assert alpha[0, 0] == 0


def test_that_a_class_gets_a_foreground_of_its_own_in_the_panel(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel
) -> None:
    view = generate_page(window).compositing
    combo = panel.filters.foreground
    assert combo.accessibleName() == "Foreground of disc"
    combo.setFocus()
    for _ in range(combo.count() - 1):
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert view.form.settings().patches.foreground_by_class == ("disc=threshold",)
    bank = view.loader.bank
    assert bank is not None
    disc = bank.classes[0].id
    qtbot.waitUntil(
        lambda: view.loader.bank is not None and view.loader.bank.foreground_classes == {disc}, timeout=WAIT_MS
    )
    assert combo.currentData() == "threshold"
    panel.filters.classes.setCurrentRow(1)
    assert combo.currentText() == "As all (none)"
    panel.filters.classes.setCurrentRow(0)
    combo.setFocus()
    for _ in range(combo.count() - 1):
        QTest.keyClick(combo, Qt.Key.Key_Up)
    assert view.form.settings().patches.foreground_by_class == ()


def test_that_a_foreground_for_an_unknown_class_is_told(qtbot: QtBot, window: MainWindow, panel: PatchPanel) -> None:
    view = generate_page(window).compositing
    view.form.show_value("patches.foreground_by_class", ("cell=threshold",))
    qtbot.waitUntil(lambda: 'There is no class "cell"' in view.notice.title.text(), timeout=WAIT_MS)
    view.form.show_value("patches.foreground_by_class", ())
    qtbot.waitUntil(lambda: view.loader.bank is not None, timeout=WAIT_MS)
    assert view.stack.currentWidget() is view.tabs


def test_that_the_settings_of_the_gallery_are_those_of_the_form(window: MainWindow, panel: PatchPanel) -> None:
    view = generate_page(window).compositing
    view.form.show_value("composition.mask", "square")
    assert panel._style.shape == "square"
    assert isinstance(view.form.settings(), ComposeSettings)


def test_that_patches_a_gan_made_are_told_apart_and_rejected_like_the_others(
    qtbot: QtBot, window: MainWindow, panel: PatchPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, view = window.workspace.require_project(), generate_page(window).compositing
    run_id = add_card(project, make_card(project))
    request = MapRequest(64, 0, (MapRegion("disc", Box(16, 16, 48, 48)),))
    images = [np.full((64, 64, 3), 200 - number, np.uint8) for number in range(3)]
    keep_images(project, "mine", [KeptImage(image, request, run_id, seed=0) for image in images])
    window.workspace.announce(changes("sets"))
    n_clicked = len(panel.grid.keys)
    view.form.show_value("patches.generated_sets", ("mine",))
    qtbot.waitUntil(lambda: len(panel.grid.keys) == n_clicked + 3, timeout=WAIT_MS)
    assert f"{n_clicked:,} patches used" in panel.facts.text()
    assert "3 made by a generator" in panel.facts.text()
    bank = panel._gallery.bank if panel._gallery is not None else None
    assert bank is not None
    made = next(number for number in panel.grid.keys if bank.patches[number].fov_id < 0)
    assert patch_tile(bank, made, TileStyle(), "#FFFFFF").mark == "made"
    qtbot.waitUntil(lambda: made in panel.grid.loaded, timeout=WAIT_MS)
    samples = panel.filters.samples.model()
    assert "generated: mine  3" in [samples.index(row, 0).data() for row in range(samples.rowCount())]
    told: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: told.append(notice.message))
    panel._on_grid_activated(made)
    assert told == ["This patch was made by a generator; nobody has clicked it."]
    click(panel, panel.grid.keys.index(made))
    QTest.keyClick(panel.grid, Qt.Key.Key_Delete)
    assert rejected_ids(window) == {bank.patches[made].annotation_id}
    qtbot.waitUntil(lambda: "2 made by a generator" in panel.facts.text(), timeout=WAIT_MS)
    window.workspace.undo_stack.undo()
    assert rejected_ids(window) == set()
