"""The list of fields: filter, order, groups, the way through it, notes, flags and goals."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.records import Annotation, AnnotationState, Changes, FieldOfView, Split, Storage
from synthstudio.gui.item_models.fov_list import RowRole
from synthstudio.gui.item_models.fov_listing import FovArrangement, FovFilter, FovOrder, arrange, natural
from synthstudio.gui.main_window import MainWindow
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field


def fov(number: int, name: str, sample: str = "s1", **changed: object) -> FieldOfView:
    plain = FieldOfView(
        id=FovId(number),
        sample_id=SampleId(1),
        sample_name=sample,
        split=Split.TRAIN,
        name=name,
        path=f"/images/{name}",
        storage=Storage.REFERENCE,
        sha256=f"{number:064}",
        width=640,
        height=480,
        um_per_px=None,
        tone=None,
        state=AnnotationState.NONE,
    )
    return dataclasses.replace(plain, **changed)  # type: ignore[arg-type]


RBC, WBC = ClassId(1), ClassId(2)
FOVS = (
    fov(1, "b10.png", "s2", state=AnnotationState.EXHAUSTIVE, note="blurred edge"),
    fov(2, "b2.png", "s10", split=None, is_flagged=True),
    fov(3, "a1.png", "s2", split=Split.TEST, state=AnnotationState.REVIEWED),
    fov(4, "c.png", "s10", state=AnnotationState.PARTIAL),
)
COUNTS = {FovId(1): {RBC: 5, WBC: 1}, FovId(3): {RBC: 2}, FovId(4): {RBC: 0, WBC: 9}}


def ids(
    wanted: FovFilter | None = None, arrangement: FovArrangement | None = None, kept: int | None = None
) -> list[int]:
    arranged = arrange(
        FOVS,
        COUNTS,
        wanted=wanted or FovFilter(),
        arrangement=arrangement or FovArrangement(),
        kept=FovId(kept) if kept is not None else None,
    )
    return [each.id for each in arranged.fovs]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (FovFilter(), [1, 2, 3, 4]),
        (FovFilter(text="B2"), [2]),
        (FovFilter(text="blurred s2"), [1]),
        (FovFilter(text="flagged"), [2]),
        (FovFilter(states=frozenset({AnnotationState.EXHAUSTIVE, AnnotationState.REVIEWED})), [1, 3]),
        (FovFilter(splits=frozenset({Split.TEST, None})), [2, 3]),
        (FovFilter(class_ids=frozenset({WBC})), [1, 4]),
        (FovFilter(is_flagged=True), [2]),
        (FovFilter(is_unannotated=True), [2]),
        (FovFilter(text="s2", class_ids=frozenset({WBC})), [1]),
    ],
)
def test_that_the_filter_shows_what_meets_every_part_of_it(wanted: FovFilter, expected: list[int]) -> None:
    assert ids(wanted) == expected


@pytest.mark.parametrize(
    ("arrangement", "expected"),
    [
        (FovArrangement(FovOrder.DATE, is_reversed=True), [4, 3, 2, 1]),
        (FovArrangement(FovOrder.NAME), [3, 2, 1, 4]),
        (FovArrangement(FovOrder.SAMPLE), [3, 1, 2, 4]),
        (FovArrangement(FovOrder.COUNT), [2, 3, 1, 4]),
        (FovArrangement(FovOrder.STATE), [2, 4, 1, 3]),
        (FovArrangement(FovOrder.COUNT, is_reversed=True, by_sample=True), [1, 3, 4, 2]),
    ],
)
def test_that_the_list_is_sorted_as_asked(arrangement: FovArrangement, expected: list[int]) -> None:
    assert ids(arrangement=arrangement) == expected


def test_that_groups_have_one_heading_each_over_their_first_field() -> None:
    arranged = arrange(FOVS, COUNTS, wanted=FovFilter(), arrangement=FovArrangement(by_sample=True))
    assert arranged.headings == {1: "s2 · 2", 2: "s10 · 2"}


def test_that_the_field_in_hand_stays_though_the_filter_no_longer_has_it() -> None:
    assert ids(FovFilter(is_unannotated=True), kept=3) == [2, 3]


def test_that_numbers_in_names_are_sorted_as_numbers() -> None:
    assert sorted(["x10", "x9", "X1a", "x1"], key=natural) == ["x1", "X1a", "x9", "x10"]


# In the window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        qtbot.waitUntil(lambda: opened.fov_panel.model.rowCount() > 1, timeout=TIMEOUT_MS)
        yield opened


def pick(menu: QMenu, *path: str) -> None:
    """Open a menu and choose an entry of it or of a submenu."""
    menu.aboutToShow.emit()
    for text in path[:-1]:
        menu = next(action.menu() for action in menu.actions() if action.text() == text)  # type: ignore[assignment]
    next(action for action in menu.actions() if action.text() == path[-1]).trigger()


def test_that_choices_of_the_menu_filter_the_list_and_light_its_button(qtbot: QtBot, window: MainWindow) -> None:
    panel, project = window.fov_panel, window.workspace.require_project()
    flagged = panel.model.fov_ids[1]
    window.workspace.announce(project.fovs.set_flagged([flagged], flagged=True))
    qtbot.waitUntil(lambda: panel.model.all_fovs[1].is_flagged, timeout=TIMEOUT_MS)
    pick(panel.bar.filter_menu, "Flagged")
    assert panel.model.fov_ids == (flagged,)
    assert panel.bar.filter_button.isChecked()
    assert panel.bar.shown.text() == f"1/{panel.model.n_all}"
    assert window.workspace.fov_order == (flagged,)
    pick(panel.bar.filter_menu, "Show all")
    assert len(panel.model.fov_ids) == panel.model.n_all
    assert not panel.bar.filter_button.isChecked()


def test_that_grouping_puts_a_heading_over_each_sample(qtbot: QtBot, window: MainWindow, qtmodeltester: object) -> None:
    panel = window.fov_panel
    low = panel.list.visualRect(panel.model.index(0)).height()
    pick(panel.bar.sort_menu, "Group by sample")
    assert panel.list.visualRect(panel.model.index(0)).height() > low
    qtmodeltester.check(panel.model)  # type: ignore[attr-defined]  # pytest-qt has no types for it


def test_that_the_key_goes_to_the_next_unfinished_field_and_says_when_there_is_none(
    qtbot: QtBot, window: MainWindow
) -> None:
    panel, project = window.fov_panel, window.workspace.require_project()
    ids = panel.model.fov_ids
    with project.transaction():
        for each in ids:
            told = project.fovs.set_state(each, AnnotationState.EXHAUSTIVE)
        project.fovs.set_state(ids[0], AnnotationState.REVIEWED)
        project.fovs.set_state(ids[-1], AnnotationState.PARTIAL)
    window.workspace.announce(told)
    qtbot.waitUntil(lambda: panel.model.all_fovs[0].state is AnnotationState.REVIEWED, timeout=TIMEOUT_MS)
    QTest.keyClick(annotate_page(window).view, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert window.workspace.current_fov_id == ids[-1]
    window.workspace.announce(project.fovs.set_state(ids[-1], AnnotationState.REVIEWED))
    qtbot.waitUntil(lambda: panel.model.all_fovs[-1].state is AnnotationState.REVIEWED, timeout=TIMEOUT_MS)
    QTest.keyClick(annotate_page(window).view, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert "annotated exhaustively" in window.message_bar.text
    assert panel.summary.text() == f"{len(ids)}/{len(ids)} done"


def test_that_a_note_is_kept_at_the_field_where_it_was_written(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    first = window.workspace.current_fov_id
    assert first is not None
    QTest.keyClick(page.view, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    note = page.field_panel.note
    assert window.focusWidget() is note
    QTest.keyClicks(note, "two cells fused")
    window.workspace.step_fov(1)  # without leaving the line first
    wait_for_field(qtbot, window)
    assert project.fovs.get(first).note == "two cells fused"
    assert note.text() == ""
    window.workspace.step_fov(-1)
    wait_for_field(qtbot, window)
    assert note.text() == "two cells fused"


def test_that_the_flag_key_flags_the_field_and_takes_the_flag_away(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    fov_id = window.workspace.current_fov_id
    assert fov_id is not None
    for expected in (True, False):
        QTest.keyClick(page.view, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
        assert project.fovs.get(fov_id).is_flagged is expected
        assert page.field_panel.flag.isChecked() is expected
        qtbot.waitUntil(
            lambda expected=expected: window.fov_panel.model.all_fovs[0].is_flagged is expected, timeout=TIMEOUT_MS
        )


def test_that_the_class_panel_counts_towards_the_goal(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    first = project.classes.list()[0]
    total = project.annotations.totals()[first.id]
    window.workspace.announce(project.classes.update(dataclasses.replace(first, goal=200)))
    qtbot.waitUntil(lambda: page.class_panel.goals.text() == f"{first.name} {total} of 200", timeout=TIMEOUT_MS)
    assert page.shown_fov is not None
    _, told = project.annotations.add([Annotation(AnnotationId(0), page.shown_fov.id, first.id, 20, 20)])
    window.workspace.announce(told)
    qtbot.waitUntil(lambda: page.class_panel.goals.text() == f"{first.name} {total + 1} of 200", timeout=TIMEOUT_MS)
    assert f"{first.name}: {total + 1} of 200" in window.fov_panel.summary.toolTip()


def test_that_a_new_annotation_carries_the_name_of_its_author(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    window.workspace.set_preferences(dataclasses.replace(window.workspace.preferences, author="Ada"))
    page.view.center_requested.emit(30.0, 30.0)
    assert page.shown_fov is not None
    assert project.annotations.list(page.shown_fov.id)[-1].author == "Ada"
    window.workspace.set_preferences(dataclasses.replace(window.workspace.preferences, author=""))
    page.view.center_requested.emit(60.0, 60.0)
    assert project.annotations.list(page.shown_fov.id)[-1].author == window.workspace.preferences.author_name


def test_that_a_note_is_stored_while_the_line_keeps_the_focus(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    fov_id = window.workspace.current_fov_id
    assert fov_id is not None
    page.write_note()
    QTest.keyClicks(page.field_panel.note, "half ")
    qtbot.waitUntil(lambda: project.fovs.get(fov_id).note == "half", timeout=TIMEOUT_MS)
    assert page.field_panel.note.text() == "half "  # the blank is kept for the next word
    QTest.keyClicks(page.field_panel.note, "done")
    QTest.keyClick(page.field_panel.note, Qt.Key.Key_Return)
    assert project.fovs.get(fov_id).note == "half done"


def test_that_a_note_never_reaches_a_field_of_another_project(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    page = annotate_page(window)
    page.write_note()
    QTest.keyClicks(page.field_panel.note, "of the first")
    (tmp_path / "more").mkdir()
    assert window.open_project(make_project(tmp_path / "more" / "other"))
    wait_for_field(qtbot, window)
    assert {each.note for each in window.workspace.require_project().fovs.list()} == {""}


def test_that_a_click_counts_its_field_and_classes_without_reading_all(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, page, project = window.fov_panel, annotate_page(window), window.workspace.require_project()
    fov, class_id = page.shown_fov, window.workspace.current_class_id
    assert fov is not None
    assert class_id is not None
    qtbot.waitUntil(lambda: window.workspace.background.is_idle and not panel._timer.isActive(), timeout=TIMEOUT_MS)
    before = window.workspace.class_totals[class_id]

    def forbidden() -> object:
        raise AssertionError("all fields were counted")

    with monkeypatch.context() as patched:
        patched.setattr(project.annotations, "counts", forbidden)
        for number in range(1, 4):
            page.view.center_requested.emit(30.0 * number, 30.0)
        qtbot.waitUntil(lambda: window.workspace.class_totals[class_id] == before + 3, timeout=TIMEOUT_MS)
    assert panel.model.index(0).data(RowRole).n_annotations == len(project.annotations.list(fov.id))
    assert window.workspace.class_totals == project.annotations.totals()


def test_that_the_field_in_hand_stays_in_a_list_of_unmarked_ones_until_one_goes_on(
    qtbot: QtBot, window: MainWindow
) -> None:
    panel, page, project = window.fov_panel, annotate_page(window), window.workspace.require_project()
    first, second = panel.model.fov_ids[:2]
    with project.transaction():
        for fov_id in (first, second):
            told = project.annotations.remove(project.annotations.list(fov_id))
    window.workspace.announce(Changes(told.kinds))
    pick(panel.bar.filter_menu, "Without annotations")
    qtbot.waitUntil(lambda: panel.model.fov_ids == (first, second), timeout=TIMEOUT_MS)
    page.view.center_requested.emit(30.0, 30.0)
    qtbot.waitUntil(lambda: sum(window.workspace.class_totals.values()) > 0, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: window.workspace.background.is_idle and not panel._timer.isActive(), timeout=TIMEOUT_MS)
    assert panel.model.fov_ids == (first, second)
    QTest.keyClick(page.view, Qt.Key.Key_D)
    assert window.workspace.current_fov_id == second
    wait_for_field(qtbot, window)
    page.view.center_requested.emit(30.0, 30.0)
    qtbot.waitUntil(lambda: panel.model.fov_ids == (second,), timeout=TIMEOUT_MS)
