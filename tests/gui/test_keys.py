"""The keys are shown, can be changed, and are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.author_dialog import AuthorDialog
from synthstudio.gui.main_window.keys_dialog import KEYS, KeysDialog
from synthstudio.gui.preferences import Preferences, read_preferences, write_preferences
from tests.support.windows import annotate_page, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def open_keys(window: MainWindow) -> KeysDialog:
    window.registry.action("help.keys").trigger()
    dialog = window.findChild(KeysDialog)
    assert dialog is not None
    return dialog


def keys_of(window: MainWindow, action_id: str) -> list[str]:
    return [each.toString() for each in window.registry.action(action_id).shortcuts()]


def test_that_a_key_is_chosen_by_pressing_it_and_then_does_the_action(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    dialog = open_keys(window)
    dialog.choose("field.next")
    dialog.edit.setFocus()
    QTest.keyClick(dialog.edit, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert dialog.remark.text() == "Ctrl+G is free."
    QTest.mouseClick(dialog.set_button, Qt.MouseButton.LeftButton)
    assert keys_of(window, "field.next") == ["Ctrl+G"]
    assert "Ctrl+G" in window.registry.action("field.next").toolTip()
    assert dialog._item_of["field.next"].text(KEYS) == "Ctrl+G"
    dialog.reject()
    first = window.workspace.current_fov_id
    QTest.keyClick(annotate_page(window).view, Qt.Key.Key_D)
    assert window.workspace.current_fov_id == first
    QTest.keyClick(annotate_page(window).view, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert window.workspace.current_fov_id != first
    assert read_preferences(tmp_path / "private" / "preferences.toml").shortcuts == (("field.next", ("Ctrl+G",)),)


def test_that_a_taken_key_is_named_and_moves_only_when_asked(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_keys(window)
    dialog.choose("field.next")
    dialog.edit.setKeySequence(QKeySequence("F"))
    assert "“Fit the image”" in dialog.remark.text()
    assert dialog.set_button.text() == "Take it"
    assert keys_of(window, "annotate.fit") == ["F"]
    dialog.set_key()
    assert keys_of(window, "annotate.fit") == []
    assert keys_of(window, "field.next") == ["F"]
    dialog.choose("annotate.fit")
    dialog.reset_key()
    assert keys_of(window, "annotate.fit") == ["F"]
    assert keys_of(window, "field.next") == []
    dialog.reset_all()
    assert keys_of(window, "field.next") == ["D", "PgDown"]
    assert window.workspace.preferences.shortcuts == ()


def test_that_keys_of_the_window_system_cannot_be_taken(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_keys(window)
    dialog.choose("field.next")
    dialog.edit.setKeySequence(QKeySequence("Esc"))
    assert not dialog.set_button.isEnabled()
    assert "cannot be chosen" in dialog.remark.text()


def test_that_the_chosen_key_of_the_palette_stands_on_its_button(qtbot: QtBot, window: MainWindow) -> None:
    assert window.top_bar.search.text().endswith("Ctrl+K")
    dialog = open_keys(window)
    dialog.choose("go.palette")
    dialog.take_key_away()
    assert window.top_bar.search.text() == "Search or do anything"


def test_that_the_dialog_finds_actions_by_text_and_by_key(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_keys(window)
    for text in ("next unfinished", "shift+d"):
        dialog.find_field.setText(text)
        shown = [action_id for action_id, item in dialog._item_of.items() if not item.isHidden()]
        assert "field.next_unfinished" in shown
        assert len(shown) < 5


def test_that_chosen_keys_are_in_force_after_the_next_start(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    chosen = Preferences().with_shortcuts("annotate.fit", ("Ctrl+G",)).with_shortcuts("a.plugin.of.tomorrow", ("X",))
    write_preferences(tmp_path / "private" / "preferences.toml", chosen)
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        assert keys_of(window, "annotate.fit") == ["Ctrl+G"]


def test_that_shortcuts_and_author_survive_the_file(tmp_path: Path) -> None:
    chosen = Preferences(author="Ada").with_shortcuts("a.b", ("Ctrl+\\", '"')).with_shortcuts("c.d", ())
    write_preferences(tmp_path / "p.toml", chosen)
    assert read_preferences(tmp_path / "p.toml") == chosen
    (tmp_path / "p.toml").write_text('shortcuts = "none"\n')
    with pytest.raises(UserError, match="shortcuts"):
        read_preferences(tmp_path / "p.toml")


def test_that_the_author_is_asked_for_and_defaults_to_the_user_of_the_system(qtbot: QtBot, window: MainWindow) -> None:
    window.registry.action("file.author").trigger()
    dialog = window.findChild(AuthorDialog)
    assert dialog is not None
    assert dialog.name.placeholderText() == Preferences().author_name
    QTest.keyClicks(dialog.name, " Ada ")
    dialog.save()
    assert window.workspace.preferences.author_name == "Ada"
