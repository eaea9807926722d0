"""Judging a set in the real window, by keys and mouse."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QWidget
from pytestqt.qtbot import QtBot

from synthstudio.core.review.verdicts import Outcome
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Verdict, VerdictKind, changes
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.review.reasons_dialog import ReasonsDialog
from synthstudio.gui.pages.review.verdict_desk import Shown
from synthstudio.gui.pages.review.verdicts_panel import VerdictsPanel
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.sets import add_set
from tests.support.windows import TIMEOUT_MS, make_project, open_window

COUNT = 8
SMALL = ComposeSettings(
    set_name="small",
    count=COUNT,
    composition=CompositionSettings(canvas_px=96, n_objects_min=2, n_objects_max=4),
)
REVIEW = 2


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        opened.workspace.set_preferences(dataclasses.replace(opened.workspace.preferences, author="ann"))
        add_set(opened.workspace.require_project(), SMALL)
        opened.workspace.announce(changes("sets"))
        yield opened


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> VerdictsPanel:
    window.show_page(REVIEW)
    page = window.page(REVIEW)
    assert isinstance(page, ReviewPage)
    qtbot.waitUntil(lambda: len(page.verdicts.grid.loaded) == COUNT, timeout=TIMEOUT_MS)
    page.verdicts.grid.setFocus()
    return page.verdicts


def press(target: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(target, key, modifier)


def stored(window: MainWindow) -> dict[int, Verdict]:
    return {each.index: each for each in window.workspace.require_project().verdicts.list("small")}


def is_seen(panel: VerdictsPanel, index: int) -> bool:
    return panel.single.index == index


def kinds(window: MainWindow) -> dict[int, VerdictKind]:
    return {index: each.kind for index, each in stored(window).items()}


def test_that_one_key_judges_an_image_and_goes_on_to_the_next(window: MainWindow, panel: VerdictsPanel) -> None:
    assert panel.grid.selected == [0]
    for key in (Qt.Key.Key_K, Qt.Key.Key_R, Qt.Key.Key_U):
        press(panel.grid, key)
    assert kinds(window) == {0: VerdictKind.ACCEPTED, 1: VerdictKind.REJECTED, 2: VerdictKind.UNSURE}
    assert panel.grid.selected == [3]
    assert {each.reviewer for each in stored(window).values()} == {"ann"}
    assert all(each.seconds >= 0 and each.created_at for each in stored(window).values())
    assert panel.desk is not None
    assert panel.desk.mark_of(1) is Outcome.REJECTED
    assert "3 of 8 judged by ann" in panel.progress.text()
    assert panel.filter.itemText(1) == "Undecided (5)"


def test_that_a_second_key_gives_the_reason_of_the_verdict_given_last(window: MainWindow, panel: VerdictsPanel) -> None:
    press(panel.grid, Qt.Key.Key_R)
    press(panel.grid, Qt.Key.Key_2)
    assert stored(window)[0].reason == panel.reasons[1]
    press(panel.grid, Qt.Key.Key_3)  # thought better of
    assert stored(window)[0].reason == panel.reasons[2]
    assert 1 not in stored(window)


def test_that_verdicts_are_undone_and_redone_one_by_one(window: MainWindow, panel: VerdictsPanel) -> None:
    press(panel.grid, Qt.Key.Key_K)
    press(panel.grid, Qt.Key.Key_R)
    press(panel.grid, Qt.Key.Key_1)
    for expected in (
        {0: VerdictKind.ACCEPTED, 1: VerdictKind.REJECTED},
        {0: VerdictKind.ACCEPTED},
        {},
    ):
        press(panel.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert kinds(window) == expected
    assert panel.grid.selected == [0]
    for _ in range(3):
        press(panel.grid, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert kinds(window) == {0: VerdictKind.ACCEPTED, 1: VerdictKind.REJECTED}
    assert stored(window)[1].reason == panel.reasons[0]


def test_that_many_images_are_judged_at_once_by_a_rubber_band(
    qtbot: QtBot, window: MainWindow, panel: VerdictsPanel
) -> None:
    viewport = panel.grid.viewport()
    start = panel.grid.tile_rect(0).center()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    QTest.mouseMove(viewport, start)
    QTest.mouseMove(viewport, panel.grid.tile_rect(2).center())
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=panel.grid.tile_rect(2).center())
    assert panel.grid.selected == [0, 1, 2]
    press(panel.grid, Qt.Key.Key_R)
    assert kinds(window) == dict.fromkeys((0, 1, 2), VerdictKind.REJECTED)
    press(panel.grid, Qt.Key.Key_4)
    assert {each.reason for each in stored(window).values()} == {panel.reasons[3]}
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=panel.grid.tile_rect(3).center())
    control = Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, control, panel.grid.tile_rect(5).center())
    press(panel.grid, Qt.Key.Key_K)
    assert {index for index, kind in kinds(window).items() if kind is VerdictKind.ACCEPTED} == {3, 5}


def test_that_filters_show_what_is_left_and_a_judged_image_leaves_it(window: MainWindow, panel: VerdictsPanel) -> None:
    press(panel.grid, Qt.Key.Key_R)
    panel.set_shown(Shown.UNDECIDED)
    assert panel.grid.keys == tuple(range(1, COUNT))
    press(panel.grid, Qt.Key.Key_K)
    assert panel.grid.keys == tuple(range(2, COUNT))
    assert panel.grid.selected == [2]
    panel.set_shown(Shown.REJECTED)
    assert panel.grid.keys == (0,)
    press(panel.grid, Qt.Key.Key_N)
    assert panel.shown is Shown.UNDECIDED
    assert panel.grid.selected == [2]


def test_that_one_image_at_a_time_shows_the_next_one_after_each_key(
    qtbot: QtBot, window: MainWindow, panel: VerdictsPanel
) -> None:
    press(panel.grid, Qt.Key.Key_Return)
    assert panel.is_single
    for expected in range(3):
        qtbot.waitUntil(partial(is_seen, panel, expected), timeout=TIMEOUT_MS)
        press(panel.single, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: panel.single.index == 3, timeout=TIMEOUT_MS)
    press(panel.single, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: panel.single.index == 2, timeout=TIMEOUT_MS)
    assert set(kinds(window)) == {0, 1, 2}
    # The neighbours are read ahead: the next key finds its image there.
    qtbot.waitUntil(lambda: {3, 4, 5} <= set(panel.ahead.loaded), timeout=TIMEOUT_MS)
    assert panel.single._line_layers
    press(panel.single, Qt.Key.Key_B)
    assert not panel.single._line_layers
    press(panel.single, Qt.Key.Key_Escape)
    assert not panel.is_single
    assert panel.grid.selected == [2]


def test_that_an_image_is_seen_beside_the_real_objects_that_it_was_made_of(
    qtbot: QtBot, window: MainWindow, panel: VerdictsPanel
) -> None:
    qtbot.waitUntil(lambda: len(panel.side.sources.images) > 0, timeout=TIMEOUT_MS)
    assert panel.side.facts.text().startswith("Image 0")
    box = panel.side.sources.images[0].boxes[0]
    assert box.source is not None
    panel.side.sources.source_requested.emit(box.source)
    assert window.workspace.current_fov_id == box.source[0]


def test_that_readings_are_independent_until_a_disagreement_is_settled(
    qtbot: QtBot, window: MainWindow, panel: VerdictsPanel
) -> None:
    project = window.workspace.require_project()
    for index, kind in ((0, VerdictKind.REJECTED), (1, VerdictKind.ACCEPTED), (2, VerdictKind.ACCEPTED)):
        project.verdicts.put(Verdict(SetName("small"), index, kind, "", "ben", ""))
    window.workspace.announce(changes("verdicts"))
    qtbot.waitUntil(lambda: panel.desk is not None and len(panel.desk.all_verdicts) == 3, timeout=TIMEOUT_MS)
    assert panel.desk is not None
    assert panel.desk.mark_of(0) is Outcome.UNDECIDED
    for _ in range(3):
        press(panel.grid, Qt.Key.Key_K)
    assert panel.desk.is_disagreed(0)
    qtbot.waitUntil(lambda: "ann and ben: 67% of 3 alike" in panel.side.agreement.text(), timeout=TIMEOUT_MS)
    press(panel.grid, Qt.Key.Key_J)
    assert panel.shown is Shown.DISAGREED
    assert panel.grid.keys == (0,)
    press(panel.grid, Qt.Key.Key_R)
    assert not panel.grid.keys
    given = project.verdicts.list("small")
    assert [(each.kind, each.reviewer) for each in given if each.is_final] == [(VerdictKind.REJECTED, "ann")]
    assert sum(not each.is_final for each in given) == 6
    press(panel.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.grid.keys == (0,)


def test_that_the_list_of_reasons_is_changed_in_the_project(window: MainWindow, panel: VerdictsPanel) -> None:
    QTest.mouseClick(panel.side.edit, Qt.MouseButton.LeftButton)
    dialog = window.findChild(ReasonsDialog)
    assert dialog is not None
    dialog.text.setPlainText("dust\ndust")
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    QTest.mouseClick(ok, Qt.MouseButton.LeftButton)
    assert "stands twice" in dialog.problem.text()
    dialog.text.setPlainText("dust\nseam")
    QTest.mouseClick(ok, Qt.MouseButton.LeftButton)
    assert panel.reasons == ("dust", "seam")
    assert panel.side.reasons.item(1).text() == "2   seam"
    press(panel.grid, Qt.Key.Key_R)
    press(panel.grid, Qt.Key.Key_2)
    assert stored(window)[0].reason == "seam"


def test_that_nothing_can_be_judged_once_the_project_is_closed(window: MainWindow, panel: VerdictsPanel) -> None:
    assert panel.can_judge
    window.projects.close()
    assert not panel.can_judge
