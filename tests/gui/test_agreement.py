"""Two authors are compared, and their differences decided by keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.agreement_dialog import AgreementDialog
from synthstudio.gui.main_window.author_comparison import closest_pair
from synthstudio.project import Project
from synthstudio.project.adjudication import accepted_marks
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    folder = make_project(tmp_path / "study")
    project = Project.open(folder)
    mark_by_two(project)
    project.close()
    with open_window(qtbot, tmp_path / "private", folder) as opened:
        yield opened


def mark_by_two(project: Project) -> None:
    """On the first two fields: all marks are Ada's, and Bob's again but for one class and one mark that are others."""
    first_class, second_class = (each.id for each in project.classes.list()[:2])
    for fov in project.fovs.list()[:2]:
        marks = [dataclasses.replace(each, author="Ada") for each in project.annotations.list(fov.id)]
        project.annotations.update(marks)
        theirs = [dataclasses.replace(each, id=AnnotationId(0), author="Bob") for each in marks[1:]]
        other = second_class if theirs[0].class_id == first_class else first_class
        theirs[0] = dataclasses.replace(theirs[0], class_id=other)
        project.annotations.add(theirs)


def open_agreement(qtbot: QtBot, window: MainWindow) -> AgreementDialog:
    window.registry.action("field.agreement").trigger()
    dialog = window.findChild(AgreementDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.first.count() > 1, timeout=TIMEOUT_MS)
    dialog.first.setCurrentIndex(dialog.first.findData("Ada"))
    dialog.second.setCurrentIndex(dialog.second.findData("Bob"))
    qtbot.waitUntil(
        lambda: dialog.comparison is not None and dialog.comparison.agreement.n_fovs == 2, timeout=TIMEOUT_MS
    )
    return dialog


def all_marks(window: MainWindow) -> dict[AnnotationId, Annotation]:
    by_fov = window.workspace.require_project().annotations.by_fov()
    return {mark.id: mark for marks in by_fov.values() for mark in marks}


def test_that_the_table_says_how_two_authors_agree(qtbot: QtBot, window: MainWindow, qtmodeltester: object) -> None:
    dialog = open_agreement(qtbot, window)
    assert dialog.comparison is not None
    overall = dialog.comparison.agreement.overall
    assert overall.n_first - overall.n_second == 2
    assert overall.n_second - overall.n_both == 2
    last = dialog.table.rowCount() - 1
    assert dialog.table.item(last, 0).text() == "All"  # type: ignore[union-attr]
    assert dialog.table.item(last, 3).text() == f"{overall.n_both:,}"  # type: ignore[union-attr]
    assert "kappa" in dialog.summary.text()
    assert dialog.model.rowCount() == 4
    qtmodeltester.check(dialog.model)  # type: ignore[attr-defined]  # pytest-qt has no types for it


def table_texts(dialog: AgreementDialog) -> list[list[str]]:
    table = dialog.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]  # type: ignore[union-attr]
        for row in range(table.rowCount())
    ]


def figures_in(line: str) -> str:
    return line[line.index("F1") : line.index("kappa") + len("kappa 0.000")]


def test_that_the_figures_from_before_judging_stay_those_that_are_reported(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    told, table = dialog.summary.text(), table_texts(dialog)
    as_marked = next(line for line in told.splitlines() if line.startswith("As marked: F1 "))
    assert "After judging" not in told
    dialog.list.selectRow(0)
    wait_for_field(qtbot, window)
    QTest.keyClick(dialog.list, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "After judging: F1 " in dialog.summary.text(), timeout=TIMEOUT_MS)
    lines = dialog.summary.text().splitlines()
    assert lines[-2].startswith(as_marked)
    assert dialog.comparison is not None
    overall = dialog.comparison.agreement.overall
    assert overall.f1 is not None
    assert f"F1 {overall.f1:.3f}" in lines[-1]
    assert figures_in(lines[-1]) != figures_in(lines[-2])
    assert table_texts(dialog) == table
    QTest.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: dialog.summary.text() == told, timeout=TIMEOUT_MS)


def test_that_a_mark_that_is_made_before_judging_is_compared_too(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    table, project = table_texts(dialog), window.workspace.require_project()
    fov = project.fovs.list()[0]
    mark = dataclasses.replace(project.annotations.list(fov.id)[0], id=AnnotationId(0), x=1.0, y=1.0, author="Bob")
    window.workspace.announce(project.annotations.add([mark])[1])
    qtbot.waitUntil(lambda: table_texts(dialog) != table, timeout=TIMEOUT_MS)
    assert dialog.summary.text().splitlines()[-1].startswith("As marked: F1 ")


def test_that_figures_after_an_earlier_judging_are_not_called_as_marked(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    dialog.list.selectRow(0)
    wait_for_field(qtbot, window)
    dialog.accept_mark()
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(AgreementDialog) is None, timeout=TIMEOUT_MS)
    told = open_agreement(qtbot, window).summary.text()
    assert "As marked" not in told
    assert "some was judged before" in told


def test_that_choosing_a_disagreement_shows_its_marks_in_the_viewer(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    page = annotate_page(window)
    for row in (dialog.model.rowCount() - 1, 0):
        dialog.list.selectRow(row)
        chosen = dialog.model.row(row)
        wait_for_field(qtbot, window)
        qtbot.waitUntil(
            lambda chosen=chosen: page.view.selection == {mark.id for mark in chosen.marks}, timeout=TIMEOUT_MS
        )
        assert page.shown_fov is not None
        assert page.shown_fov.id == chosen.fov_id


def test_that_accepting_keeps_rejecting_deletes_and_both_are_undone(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog = open_agreement(qtbot, window)
    before = all_marks(window)
    dialog.list.selectRow(0)
    clash = dialog.model.row(0)
    assert clash.first is not None
    assert clash.second is not None
    wait_for_field(qtbot, window)
    QTest.keyClick(dialog.list, Qt.Key.Key_A)
    assert clash.second.id not in all_marks(window)
    assert clash.first.id in accepted_marks(project)
    alone = dialog.chosen
    assert alone is not None
    assert alone.second is None
    assert alone.first is not None
    QTest.keyClick(dialog.list, Qt.Key.Key_R)
    assert alone.first.id not in all_marks(window)
    assert dialog.model.rowCount() == 2
    QTest.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert all_marks(window) == before
    assert accepted_marks(project) == frozenset()
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 4, timeout=TIMEOUT_MS)
    QTest.keyClick(dialog.list, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert clash.second.id not in all_marks(window)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 3, timeout=TIMEOUT_MS)


def test_that_what_was_accepted_stays_decided_when_the_dialog_opens_again(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    dialog.list.selectRow(0)
    wait_for_field(qtbot, window)
    dialog.accept_mark()
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(AgreementDialog) is None, timeout=TIMEOUT_MS)
    assert open_agreement(qtbot, window).model.rowCount() == 3


def test_that_one_author_alone_is_told_to_be_nothing_to_compare(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_agreement(qtbot, window)
    dialog.second.setCurrentIndex(dialog.second.findData("Ada"))
    assert "Choose two authors" in dialog.summary.text()
    assert dialog.model.rowCount() == 0
    assert not dialog.accept_button.isEnabled()


def test_that_the_two_who_share_the_most_fields_are_compared_first() -> None:
    by_fov = [frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("bc"), frozenset(("", "c"))]
    assert closest_pair(by_fov) == ("b", "c")
    assert closest_pair([frozenset("a"), frozenset("b")]) is None
