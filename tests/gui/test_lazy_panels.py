"""Panels are made when they are first shown; palette and key sheet know what can be done in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.keys_dialog import KeysDialog
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.widgets.lazy_tabs import LazyTabs
from tests.support.windows import TIMEOUT_MS, make_project, open_window


class Panel(QWidget):
    """One action, done as often as `n_done` says."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.name, self.n_done = name, 0
        QVBoxLayout(self).addWidget(QLabel(name))

    def do(self) -> None:
        self.n_done += 1

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]
        return (ActionSpec(f"test.{self.name}", f"Do {self.name}", self.do),)


@pytest.fixture
def tabs(qtbot: QtBot) -> LazyTabs:
    made = LazyTabs()
    qtbot.addWidget(made)
    for name in ("one", "two"):
        made.add_panel(name, lambda holder, name=name: Panel(name, holder))  # type: ignore[misc]
    return made


def test_that_a_panel_is_made_when_its_tab_is_first_shown(tabs: LazyTabs) -> None:
    assert not tabs.panels
    tabs.show()
    assert list(tabs.panels) == ["one"]
    assert tabs.currentWidget() is tabs.panels["one"]
    assert tabs.panels["one"].isVisible()
    tabs.setCurrentIndex(1)
    assert list(tabs.panels) == ["one", "two"]
    assert tabs.panels["two"].isVisible()
    assert not tabs.panels["one"].isVisible()


def test_that_a_panel_that_is_asked_for_is_made_once(tabs: LazyTabs) -> None:
    made = tabs.panel("two")
    tabs.show_tab("two")
    tabs.show()
    assert tabs.panel("two") is made
    assert tabs.currentWidget() is made
    assert tabs.build_next()
    assert not tabs.build_next()
    assert list(tabs.panels) == ["one", "two"]


def test_that_actions_come_with_the_panel_and_rest_while_it_is_hidden(qtbot: QtBot, tabs: LazyTabs) -> None:
    with qtbot.waitSignal(tabs.actions_added, timeout=TIMEOUT_MS) as added:
        tabs.show()
    assert added.args is not None
    (spec,) = added.args[0]
    assert (spec.id, spec.area) == ("test.one", tabs.panel("one"))
    assert spec.enabled_when()
    tabs.show_tab("two")
    assert not spec.enabled_when()
    assert [each.id for each in tabs.panel_specs()] == ["test.one", "test.two"]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def test_that_generating_makes_no_panel_of_the_gan_before_it_is_wanted(window: MainWindow) -> None:
    window.show_page(1)
    page = window.page(1)
    assert isinstance(page, GeneratePage)
    assert not page.gan.tabs.panels
    assert not page.diffusion.tabs.panels
    page.choose("GAN")
    assert list(page.gan.tabs.panels) == ["Crops"]


def test_that_the_palette_finds_what_can_be_done_in_panels_that_nobody_has_seen(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.page(1)
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(window.palette_box.field, "train the gan")
    qtbot.waitUntil(lambda: any(item.text == "Train the GAN" for item in window.palette_box.items), timeout=TIMEOUT_MS)


def test_that_the_key_sheet_shows_keys_of_panels_that_nobody_has_seen(window: MainWindow) -> None:
    window.page(1)
    window.registry.action("help.keys").trigger()
    dialog = window.findChild(KeysDialog)
    assert dialog is not None
    assert {"gan.train", "gan.write", "gan.keep"} <= set(dialog._item_of)
    dialog.reject()
