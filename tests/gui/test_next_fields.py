"""Annotate next: the list follows the ranking, and leads from field to field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import AnnotationState
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate.next_fields import ALL_DONE, NextFieldsKeeper
from synthstudio.gui.pages.annotate.suggestion_scores_dialog import SuggestionScoresDialog
from synthstudio.project.guard import read_guard, write_guard
from tests.support.suggesting_projects import (
    build_suggesting_project,
    forget_marks,
    mark_where,
    suggest,
    train_fovs,
)
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """Of six images to learn from the first is done; on the fourth a model is in doubt."""
    project = build_suggesting_project(tmp_path)
    unfinished = train_fovs(project)[1:]
    forget_marks(project, unfinished)
    for fov in unfinished:
        suggest(project, fov.id, 0.95, 0.99)
    suggest(project, unfinished[2].id, 0.5, 0.52)
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        yield opened


def keeper(window: MainWindow) -> NextFieldsKeeper:
    return annotate_page(window).next_fields


def listed(window: MainWindow) -> list[FovId]:
    return [each.fov.id for each in keeper(window).fields]


def unfold(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    page.next_section.fold_button.click()
    qtbot.waitUntil(lambda: page.next_panel.list.count() > 0, timeout=TIMEOUT_MS)


def test_that_unfolding_the_list_ranks_the_open_fields_with_reasons(qtbot: QtBot, window: MainWindow) -> None:
    assert keeper(window).found is None, "nothing is computed before it is asked for"
    unfold(qtbot, window)
    page = annotate_page(window)
    assert page.next_panel.list.count() == 5
    texts = [page.next_panel.list.item(row).toolTip() for row in range(5)]
    assert any("2 suggestions near the threshold" in text for text in texts)
    assert page.next_panel.words.text() == "5 of 5 open fields were searched by a model."
    assert page.next_section.detail.text() == "5"


def test_that_the_key_goes_through_the_list_and_a_click_to_a_field(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: bool(listed(window)), timeout=TIMEOUT_MS)
    order = listed(window)
    qtbot.waitUntil(lambda: window.workspace.current_fov_id == order[0], timeout=TIMEOUT_MS)
    window.registry.action("annotate.next_field").trigger()
    assert window.workspace.current_fov_id == order[1]
    page.next_section.set_folded(False)
    panel = page.next_panel.list
    place = panel.visualItemRect(panel.item(3)).center()
    QTest.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.workspace.current_fov_id == order[3]
    assert panel.currentRow() == 3


def test_that_a_field_that_is_done_leaves_the_list(qtbot: QtBot, window: MainWindow) -> None:
    unfold(qtbot, window)
    order = listed(window)
    window.workspace.set_current_fov(order[0])
    qtbot.waitUntil(
        lambda: (shown := annotate_page(window).shown_fov) is not None and shown.id == order[0], timeout=TIMEOUT_MS
    )
    annotate_page(window).field_changes.set_state(AnnotationState.EXHAUSTIVE)
    qtbot.waitUntil(lambda: listed(window) == order[1:], timeout=TIMEOUT_MS)
    window.registry.action("annotate.next_field").trigger()
    assert window.workspace.current_fov_id == order[1]


def test_that_a_field_that_was_shown_comes_again_only_after_the_others(qtbot: QtBot, window: MainWindow) -> None:
    unfold(qtbot, window)
    shown = []
    for _ in range(6):
        window.registry.action("annotate.next_field").trigger()
        shown.append(window.workspace.current_fov_id)
        keeper(window).rank()  # a judgement may change all places
        qtbot.waitUntil(annotate_page(window).next_panel.next_button.isEnabled, timeout=TIMEOUT_MS)
    assert sorted(shown[:5]) == sorted(listed(window))
    assert shown[5] != shown[4]


def test_that_nothing_left_to_annotate_is_said(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    for fov in train_fovs(project):
        project.fovs.set_state(fov.id, AnnotationState.EXHAUSTIVE)
    window.registry.action("annotate.next_field").trigger()
    page = annotate_page(window)
    qtbot.waitUntil(lambda: page.next_panel.words.text() == ALL_DONE, timeout=TIMEOUT_MS)
    assert page.next_panel.list.isHidden()


def test_that_the_share_without_suggestions_is_set_and_undone(qtbot: QtBot, window: MainWindow) -> None:
    window.registry.action("annotate.suggestion_scores").trigger()
    dialog = window.findChild(SuggestionScoresDialog)
    assert isinstance(dialog, SuggestionScoresDialog)
    qtbot.waitUntil(lambda: "0 of 8" in dialog.held.text(), timeout=TIMEOUT_MS)
    dialog.share.setValue(100.0)
    qtbot.waitUntil(lambda: "8 of 8" in dialog.held.text(), timeout=TIMEOUT_MS)
    project = window.workspace.require_project()
    assert read_guard(project) == Guard(1.0)
    window.workspace.undo_stack.undo()
    assert read_guard(project) == Guard(0.0)
    qtbot.waitUntil(lambda: dialog.share.value() == 0.0, timeout=TIMEOUT_MS)
    dialog.reject()


def test_that_the_dialog_tells_how_good_suggestions_were(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    shown, hidden = train_fovs(project)[1:3]
    share = next(
        share / 100 for share in range(101) if Guard(share / 100).holds(hidden) != Guard(share / 100).holds(shown)
    )
    write_guard(project, Guard(share))
    for fov in (shown, hidden):
        mark_where(project, fov.id, 15.0)
    window.registry.action("annotate.suggestion_scores").trigger()
    dialog = window.findChild(SuggestionScoresDialog)
    assert isinstance(dialog, SuggestionScoresDialog)
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 4, timeout=TIMEOUT_MS)
    texts = {row[0]: row[1:] for row in dialog.table.texts()[1:]}
    assert texts["Seen"][0] == texts["Not seen"][0] == "1"
    assert texts["Seen"][1].startswith("0.500")
    assert texts["What seeing does"][1].startswith("+0.000")
    assert "unreliable" in dialog.words.text() or "Too little" in dialog.words.text()
    dialog.reject()
