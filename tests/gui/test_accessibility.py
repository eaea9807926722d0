"""Everything in the window has a name that a screen reader can say, and can be reached by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QScrollBar,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.pages import PAGES
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        for place in range(len(PAGES)):
            opened.show_page(place)
        yield opened


def own_children(window: MainWindow, kind: type[QWidget]) -> list[QWidget]:
    """All of this kind that are ours: Qt gives its own parts names that begin with `qt_`, or none that matter."""
    inner = (QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar)
    found = window.findChildren(kind)
    return [
        each
        for each in found
        if not each.objectName().startswith("qt_")
        and not isinstance(each.parentWidget(), inner)
        and type(each).__name__ not in ("QTableCornerButton", "CloseButton")
        and not each.inherits("QTableCornerButton")
    ]


def test_that_every_button_has_a_name(window: MainWindow) -> None:
    nameless = [
        f"{each.metaObject().className()} {each.toolTip()!r} in {type(each.parentWidget()).__name__}"
        for each in own_children(window, QAbstractButton)
        if isinstance(each, QAbstractButton)
        and not each.isHidden()
        and not each.text().strip("↺ ")
        and not each.accessibleName()
    ]
    assert not nameless


@pytest.mark.parametrize("kind", [QComboBox, QAbstractSpinBox, QLineEdit, QSlider], ids=lambda kind: kind.__name__)
def test_that_every_input_has_a_name(window: MainWindow, kind: type[QWidget]) -> None:
    buddies = {label.buddy() for label in window.findChildren(QWidget) if hasattr(label, "buddy") and label.buddy()}
    nameless = [
        f"{each.metaObject().className()} in {type(each.parentWidget()).__name__}"
        for each in own_children(window, kind)
        if not each.accessibleName() and each not in buddies
    ]
    assert not nameless


DIALOGS = (
    "help.keys",
    "file.author",
    "file.snapshots",
    "field.samples",
    "field.splits",
    "field.label_crops",
    "field.agreement",
)


@pytest.mark.parametrize("action_id", DIALOGS)
def test_that_every_dialog_can_be_heard_and_walked_by_tab(qtbot: QtBot, window: MainWindow, action_id: str) -> None:
    window.show_page(0)
    window.registry.action(action_id).trigger()
    dialog = next(each for each in window.findChildren(QDialog) if each.isVisible())
    qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    buddies = {label.buddy() for label in dialog.findChildren(QLabel) if label.buddy()}
    inner = (QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar, QKeySequenceEdit)
    nameless = [
        each.metaObject().className()
        for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QAbstractItemView)
        for each in dialog.findChildren(kind)
        if each.isVisible()
        and not each.objectName().startswith("qt_")
        and not isinstance(each.parentWidget(), inner)
        and not each.inherits("QTableCornerButton")
        and not each.inherits("QHeaderView")  # is heard with its table
        and not each.accessibleName()
        and each not in buddies
        and not (isinstance(each, QAbstractButton) and each.text())
    ]
    assert not nameless
    seen: list[QWidget] = []
    for _ in range(100):
        dialog.focusNextChild()
        now = dialog.focusWidget()
        if now is None or now in seen:
            break
        seen.append(now)
    missed = [
        each.text()
        for each in dialog.findChildren(QAbstractButton)
        if each.isVisible() and each.isEnabled() and each.focusPolicy() & Qt.FocusPolicy.TabFocus and each not in seen
    ]
    assert not missed
    dialog.reject()


def test_that_every_page_can_be_walked_by_tab(window: MainWindow) -> None:
    for place in range(len(PAGES)):
        window.show_page(place)
        window.rail.setFocus()
        seen: list[QWidget] = []
        for _ in range(200):
            window.focusNextChild()
            now = window.focusWidget()
            if now is None or now in seen:
                break
            seen.append(now)
        needed = [
            each
            for each in window.findChildren(QAbstractButton)
            if each.isVisible() and each.isEnabled() and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        reached = set(seen)
        # Of buttons that exclude one another the arrows reach the others.
        missed = [each for each in needed if each not in reached and not each.isCheckable()]
        assert not missed, f"{PAGES[place].title}: {[each.text() or each.accessibleName() for each in missed]}"


def test_that_every_action_is_in_the_palette_with_a_text(window: MainWindow) -> None:
    for spec in window.registry.specs():
        assert spec.plain_text
        assert any(item.text == spec.plain_text for item in window.palette_search.search(spec.plain_text)), spec.id


def test_that_an_action_on_a_toolbar_has_an_icon(window: MainWindow) -> None:
    for place in range(len(PAGES)):
        for action_id in getattr(window.page(place), "toolbar_ids", ()):
            assert not window.registry.action(action_id).icon().isNull(), action_id
