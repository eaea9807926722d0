"""Suggestions in the Annotate workspace by mouse and keys, against the rows that they leave in the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from synthstudio.domain.guard import Guard
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Annotation, AnnotationSource, AnnotationState, changes
from synthstudio.domain.suggestions import Suggestion, SuggestionState
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.annotate.suggestion_keeper import NO_MODEL
from synthstudio.project import Project
from synthstudio.project.guard import write_guard
from tests.support.scripted_engine import scripted_engine
from tests.support.suggestions import MODEL, add_model, suggest
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window

PLACES = ((20.0, 20.0, 0.9), (60.0, 20.0, 0.8), (100.0, 20.0, 0.7), (60.0, 90.0, 0.3))
OPEN, ACCEPTED, REJECTED = SuggestionState.OPEN, SuggestionState.ACCEPTED, SuggestionState.REJECTED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose first field has no marks, and four suggestions, one of them below the threshold."""
    folder = make_project(tmp_path / "study")
    project = Project.open(folder)
    fov = project.fovs.list()[0]
    project.annotations.remove(project.annotations.list(fov.id))
    project.fovs.set_state(fov.id, AnnotationState.NONE)
    suggest(project, fov.id, PLACES)
    project.close()
    return folder


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, folder: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", folder) as opened:
        page = annotate_page(opened)
        qtbot.waitUntil(lambda: page.view.n_suggestions == len(PLACES), timeout=TIMEOUT_MS)
        yield opened


@pytest.fixture
def page(window: MainWindow) -> AnnotatePage:
    return annotate_page(window)


def stored(page: AnnotatePage) -> tuple[list[Annotation], list[Suggestion]]:
    """What a second connection reads: what is committed."""
    fov = page.shown_fov
    assert fov is not None
    project = Project.open(page.workspace.require_project().folder, read_only=True)
    try:
        return project.annotations.list(fov.id), project.suggestions.list(fov.id, MODEL)
    finally:
        project.close()


def states(page: AnnotatePage) -> list[SuggestionState]:
    return [each.state for each in stored(page)[1]]


def press(page: AnnotatePage, keys: str) -> None:
    page.view.setFocus()
    for key in keys:
        QTest.keyClick(page.view, key)


def click(page: AnnotatePage, x: float, y: float) -> None:
    QTest.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=page.view.image_to_widget(x, y).toPoint())


def test_that_one_key_each_accepts_and_rejects_and_goes_on_to_the_next(page: AnnotatePage) -> None:
    press(page, "n")
    first = next(iter(page.view.picked))
    press(page, "t")
    assert len(page.view.picked - {first}) == 1
    press(page, "r")
    marks, suggestions = stored(page)
    assert [each.source for each in marks] == [AnnotationSource.SUGGESTED]
    taken = next(each for each in suggestions if each.id == first)
    assert (taken.state, taken.annotation_id) == (ACCEPTED, marks[0].id)
    assert (taken.x, taken.y) == (marks[0].x, marks[0].y)
    assert taken.judged_at
    assert sorted(each.state for each in suggestions) == [ACCEPTED, OPEN, OPEN, REJECTED]
    assert page.workspace.require_project().fovs.get(marks[0].fov_id).state is AnnotationState.PARTIAL


def test_that_the_key_of_a_class_accepts_the_suggestion_as_that_class(page: AnnotatePage) -> None:
    other = list(page.classes.values())[1]
    press(page, "n" + other.key)
    marks, suggestions = stored(page)
    assert [each.class_id for each in marks] == [other.id]
    assert [each.class_id != other.id for each in suggestions if each.state is ACCEPTED] == [True]


def test_that_undo_and_redo_bring_suggestion_and_annotation_back_with_their_ids(page: AnnotatePage) -> None:
    press(page, "nt")
    marks, suggestions = stored(page)
    press(page, "p")
    QTest.keyClick(page.view, "z", Qt.KeyboardModifier.ControlModifier)
    assert stored(page)[0] == []
    assert states(page) == [OPEN] * 4
    assert page.view.picked == {each.id for each in suggestions if each.state is ACCEPTED}
    assert page.workspace.require_project().fovs.get(marks[0].fov_id).state is AnnotationState.NONE
    QTest.keyClick(page.view, "y", Qt.KeyboardModifier.ControlModifier)
    assert stored(page) == (marks, suggestions)


def test_that_an_undone_rejection_is_open_and_picked_again(page: AnnotatePage) -> None:
    press(page, "nr")
    assert REJECTED in states(page)
    QTest.keyClick(page.view, "z", Qt.KeyboardModifier.ControlModifier)
    assert states(page) == [OPEN] * 4
    assert len(page.view.picked) == 1


def test_that_all_above_the_threshold_in_view_are_accepted_in_one_step(page: AnnotatePage) -> None:
    QTest.keyClick(page.view, "t", Qt.KeyboardModifier.ShiftModifier)
    assert sorted(states(page)) == [ACCEPTED] * 3 + [OPEN]
    QTest.keyClick(page.view, "z", Qt.KeyboardModifier.ControlModifier)
    assert states(page) == [OPEN] * 4
    QTest.keyClick(page.view, "r", Qt.KeyboardModifier.ShiftModifier)
    assert sorted(states(page)) == [OPEN] + [REJECTED] * 3


def test_that_a_rubber_band_picks_what_one_key_judges(page: AnnotatePage) -> None:
    page.view.set_tool("select")
    start, end = page.view.image_to_widget(2, 2).toPoint(), page.view.image_to_widget(78, 40).toPoint()
    QTest.mousePress(page.view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(page.view, (start + end) / 2)
    QTest.mouseMove(page.view, end)
    QTest.mouseRelease(page.view, Qt.MouseButton.LeftButton, pos=end)
    assert len(page.view.picked) == 2
    press(page, "r")
    assert states(page).count(REJECTED) == 2
    assert page.view.picked == frozenset()


def test_that_arrows_accept_what_is_picked_and_move_the_annotation_on(page: AnnotatePage) -> None:
    press(page, "n")
    place = page.view.suggestion(next(iter(page.view.picked)))
    QTest.keyClick(page.view, Qt.Key.Key_Right)
    QTest.keyClick(page.view, Qt.Key.Key_Right)
    marks, suggestions = stored(page)
    assert [(each.x, each.y) for each in marks] == [(place.x + 2, place.y)]
    assert [(each.x, each.y) for each in suggestions if each.state is ACCEPTED] == [(place.x, place.y)]


def test_that_a_drag_accepts_a_suggestion_where_it_is_dropped(page: AnnotatePage) -> None:
    start, end = page.view.image_to_widget(60, 20).toPoint(), page.view.image_to_widget(64, 26).toPoint()
    QTest.mousePress(page.view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(page.view, (start + end) / 2)
    QTest.mouseMove(page.view, end)
    QTest.mouseRelease(page.view, Qt.MouseButton.LeftButton, pos=end)
    marks, _ = stored(page)
    assert marks[0].x == pytest.approx(64, abs=1)
    assert marks[0].y == pytest.approx(26, abs=1)
    assert states(page).count(ACCEPTED) == 1


def test_that_the_click_tool_takes_a_suggestion_as_the_current_class_and_still_marks_beside_it(
    page: AnnotatePage,
) -> None:
    other = list(page.classes.values())[1]
    page.workspace.set_current_class(other.id)
    click(page, 60, 20)
    click(page, 20, 90)
    marks, suggestions = stored(page)
    assert [each.class_id for each in marks] == [other.id, other.id]
    assert [each.source for each in marks] == [AnnotationSource.SUGGESTED, AnnotationSource.MANUAL]
    assert sum(each.state is ACCEPTED for each in suggestions) == 1


def test_that_an_own_mark_on_the_object_answers_the_suggestion_without_judging_it(page: AnnotatePage) -> None:
    shown = sum(page.view.shown_counts().values())
    page.view.center_requested.emit(23.0, 22.0)
    assert sum(page.view.shown_counts().values()) == shown - 1
    assert states(page) == [OPEN] * 4


def test_that_a_moved_threshold_acts_at_once_and_is_kept(qtbot: QtBot, page: AnnotatePage) -> None:
    class_id = next(iter(page.suggesting.facts.thresholds))
    page.suggesting.set_threshold(class_id, 0.2)
    assert page.view.shown_counts()[class_id] == 4
    project = page.workspace.require_project()
    qtbot.waitUntil(lambda: project.suggestions.thresholds(MODEL)[class_id] == 0.2, timeout=TIMEOUT_MS)
    page.suggesting.set_threshold(class_id, 0.95)
    assert sum(page.view.shown_counts().values()) == 0
    page.suggesting.reset_thresholds()
    assert page.view.shown_counts()[class_id] == 3


def test_that_what_a_search_brings_is_shown_without_asking(qtbot: QtBot, page: AnnotatePage) -> None:
    press(page, "nt")
    project, fov = page.workspace.require_project(), page.shown_fov
    assert fov is not None
    suggest(project, fov.id, [*PLACES, (100.0, 90.0, 0.9)])
    page.workspace.announce(changes("suggestions", fov_ids=frozenset({fov.id})))
    qtbot.waitUntil(lambda: page.view.n_suggestions == 4, timeout=TIMEOUT_MS)
    assert states(page).count(ACCEPTED) == 1


def test_that_a_guarded_field_shows_no_suggestions_until_it_is_complete(qtbot: QtBot, page: AnnotatePage) -> None:
    project, fov = page.workspace.require_project(), page.shown_fov
    assert fov is not None
    page.workspace.announce(write_guard(project, Guard(1.0)))
    qtbot.waitUntil(lambda: page.suggesting.facts.is_guarded, timeout=TIMEOUT_MS)
    assert page.view.n_suggestions == 0
    page.field_changes.set_state(AnnotationState.EXHAUSTIVE)
    qtbot.waitUntil(lambda: page.view.n_suggestions == 4, timeout=TIMEOUT_MS)


def test_that_suggestions_are_hidden_and_shown_by_a_key(page: AnnotatePage) -> None:
    press(page, "u")
    assert page.view.suggestion_at(20, 20) is None
    press(page, "t")
    assert states(page) == [OPEN] * 4
    press(page, "u")
    assert page.view.suggestion_at(20, 20) is not None


def test_that_a_read_only_project_is_shown_and_not_judged(qtbot: QtBot, tmp_path: Path, folder: Path) -> None:
    keeper = Project.open(folder)
    try:
        with open_window(qtbot, tmp_path / "private", folder) as window:
            page = annotate_page(window)
            qtbot.waitUntil(lambda: page.view.n_suggestions == 4, timeout=TIMEOUT_MS)
            press(page, "nt")
            assert states(page) == [OPEN] * 4
            assert page.view.n_suggestions == 4
    finally:
        keeper.close()


def test_that_the_panel_counts_and_its_slider_moves_the_threshold(qtbot: QtBot, page: AnnotatePage) -> None:
    panel, class_id = page.suggestion_keeper.panel, next(iter(page.suggesting.facts.thresholds))
    qtbot.waitUntil(
        lambda: panel.words.text() == "3 to judge, 0\N{NO-BREAK SPACE}accepted, 0\N{NO-BREAK SPACE}rejected",
        timeout=TIMEOUT_MS,
    )
    assert "1 more" in panel.words.toolTip()
    press(page, "nt")
    qtbot.waitUntil(
        lambda: panel.words.text() == "2 to judge, 1\N{NO-BREAK SPACE}accepted, 0\N{NO-BREAK SPACE}rejected",
        timeout=TIMEOUT_MS,
    )
    panel.slider_of(class_id).setValue(10)
    qtbot.waitUntil(
        lambda: panel.words.text() == "3 to judge, 1\N{NO-BREAK SPACE}accepted, 0\N{NO-BREAK SPACE}rejected",
        timeout=TIMEOUT_MS,
    )
    assert page.suggestion_keeper.section.detail.text() == "3"
    page.suggesting.reset_thresholds()
    assert panel.slider_of(class_id).value() == 50


def test_that_another_model_shows_its_own_suggestions(qtbot: QtBot, page: AnnotatePage) -> None:
    project, fov = page.workspace.require_project(), page.shown_fov
    assert fov is not None
    other = RunId("20261122-080000-train-classifier-cccc")
    add_model(project, other, kind="train-classifier")
    suggest(project, fov.id, PLACES[:1], run_id=other)
    page.workspace.announce(changes("runs", "suggestions"))
    panel = page.suggestion_keeper.panel
    qtbot.waitUntil(lambda: panel.model.count() == 2, timeout=TIMEOUT_MS)
    panel.model.setCurrentIndex(panel.model.findData(other))
    panel.model.activated.emit(panel.model.currentIndex())
    qtbot.waitUntil(lambda: page.view.n_suggestions == 1, timeout=TIMEOUT_MS)
    panel.model_chosen.emit(MODEL)
    qtbot.waitUntil(lambda: page.view.n_suggestions == 4, timeout=TIMEOUT_MS)


def test_that_without_a_model_the_panel_says_how_to_come_by_one(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        page = annotate_page(window)
        qtbot.waitUntil(lambda: page.suggestion_keeper.panel.words.text() == NO_MODEL, timeout=TIMEOUT_MS)
        assert page.suggestion_keeper.section.is_folded
        assert not page.suggestion_keeper.can_search


def test_that_a_search_of_the_shown_field_is_queued_and_its_progress_is_told(
    qtbot: QtBot, tmp_path: Path, folder: Path
) -> None:
    engine = scripted_engine("patient")
    with open_window(qtbot, tmp_path / "private", folder, engine_command=engine) as window:
        page = annotate_page(window)
        panel = page.suggestion_keeper.panel
        qtbot.waitUntil(panel.search.isEnabled, timeout=TIMEOUT_MS)
        panel.search.click()
        qtbot.waitUntil(lambda: panel.progress.text().startswith("Searching"), timeout=TIMEOUT_MS)
        run = page.workspace.require_project().runs.list(kind="suggest")[0]
        settings = json.loads(run.settings_json)
        fov = page.shown_fov
        assert fov is not None
        assert (settings["run"], settings["fovs"], settings["again"]) == (MODEL, [f"#{fov.id}"], True)
        page.suggestion_keeper.search_listed()
        window.workspace.gpu_worker.cancel_all()
        qtbot.waitUntil(lambda: panel.progress.text() == "", timeout=TIMEOUT_MS)
        listed = json.loads(page.workspace.require_project().runs.list(kind="suggest")[1].settings_json)
        assert len(listed["fovs"]) == len(page.workspace.fov_order)


def test_that_the_right_button_judges_the_suggestion_under_it(page: AnnotatePage) -> None:
    other = list(page.classes.values())[1]
    for text, state in (("Reject the suggestion", REJECTED), (f"Accept as {other.name}", ACCEPTED)):
        x, y, _ = PLACES[0 if state is REJECTED else 1]
        page.view.context_menu_requested.emit(page.view.mapToGlobal(QPoint(5, 5)), x, y)
        menu = next(each for each in page.findChildren(QMenu) if each.isVisible())
        next(each for each in menu.actions() if each.text() == text).trigger()
        menu.close()
        assert states(page).count(state) == 1
    assert [each.class_id for each in stored(page)[0]] == [other.id]
