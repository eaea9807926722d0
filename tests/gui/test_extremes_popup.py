"""Each augmentation has a button that shows what it does; the keyboard gets there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from synthstudio.core.synthesis.extremes import is_augmentation
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.compositing import CompositingView
from synthstudio.settings.compose import ComposeSettings
from tests.support.engine_project import build_engine_project
from tests.support.windows import open_window

WAIT_MS = 20_000
CONTRAST = ("composition", "patch", "contrast")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    project = build_engine_project(tmp_path)
    folder = project.folder
    project.close()
    with open_window(qtbot, tmp_path / "private", folder) as made:
        made.show_page(1)
        qtbot.waitUntil(lambda: compositing(made).loader.bank is not None, timeout=WAIT_MS)
        yield made


def compositing(window: MainWindow) -> CompositingView:
    page = window.page(1)
    assert isinstance(page, GeneratePage)
    return page.compositing


def test_that_every_augmentation_and_nothing_else_has_the_button(window: MainWindow) -> None:
    for row in compositing(window).form.rows.values():
        names = [button.accessibleName() for button in row.findChildren(QToolButton)]
        assert (f"See {row.spec.title} at its extremes" in names) == is_augmentation(row.spec)


def test_that_the_button_shows_the_patch_at_lowest_middle_and_highest(qtbot: QtBot, window: MainWindow) -> None:
    view = compositing(window)
    row = view.form.row(CONTRAST)
    button = next(each for each in row.findChildren(QToolButton) if each.accessibleName().startswith("See "))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    popup = view.peeker.popup
    assert popup is not None
    assert popup.isVisible()
    qtbot.waitUntil(lambda: len(popup.pictures) == 6, timeout=WAIT_MS)  # stronger, and weaker
    captions = [popup.grid.itemAtPosition(0, column).widget().text() for column in range(3)]  # type: ignore[union-attr]
    assert captions == ["0 share", "0.45 share", "0.9 share"]
    QTest.keyClick(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_that_the_key_shows_the_setting_in_which_the_keyboard_is(qtbot: QtBot, window: MainWindow) -> None:
    view = compositing(window)
    view.form.sections[("composition", "patch")].set_folded(False)
    row = view.form.row(CONTRAST)
    row.control.setFocus()
    window.registry.action("generate.extremes").trigger()
    popup = view.peeker.popup
    assert popup is not None
    assert popup.spec is row.spec
    qtbot.waitUntil(lambda: bool(popup.pictures), timeout=WAIT_MS)
    popup.close()
    view.form.row(("seed",)).control.setFocus()
    view.show_extremes()
    assert view.peeker.popup is popup  # a seed has no extremes


def test_that_a_popup_that_is_closed_early_is_not_drawn_into(qtbot: QtBot, window: MainWindow) -> None:
    view = compositing(window)
    view.peeker.open(view.form.row(CONTRAST))
    popup = view.peeker.popup
    assert popup is not None
    with qtbot.waitSignal(popup.destroyed, timeout=WAIT_MS):
        popup.close()
    qtbot.waitUntil(lambda: view._workspace.background.is_idle, timeout=WAIT_MS)


def test_that_a_class_that_is_not_composed_does_not_stand_in_the_way(qtbot: QtBot, window: MainWindow) -> None:
    view = compositing(window)
    composition = {"class_draw": "weights", "class_weights": ["disc=0"]}
    view.form.set_settings(ComposeSettings.model_validate({"composition": composition}))
    view.peeker.open(view.form.row(CONTRAST))
    popup = view.peeker.popup
    assert popup is not None
    qtbot.waitUntil(lambda: bool(popup.pictures), timeout=WAIT_MS)
    popup.close()


def test_that_the_popup_says_why_there_is_nothing_to_be_seen(qtbot: QtBot, window: MainWindow) -> None:
    view = compositing(window)
    composition = {"class_draw": "weights", "class_weights": ["disc=0", "square=0"]}
    view.form.set_settings(ComposeSettings.model_validate({"composition": composition}))
    view.peeker.open(view.form.row(CONTRAST))
    popup = view.peeker.popup
    assert popup is not None
    qtbot.waitUntil(lambda: popup.state.text() != "Drawing…", timeout=WAIT_MS)
    assert popup.state.text() == (
        "None of the chosen classes has a patch. Choose another class, or click some of its objects."
    )
    assert popup.pictures == []
    assert popup.isVisible()
    popup.close()
