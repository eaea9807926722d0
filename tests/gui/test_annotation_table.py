"""The table of annotations: filter, order, flags, notes, authors as layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, ObjectClass, Role
from synthstudio.gui.item_models.annotation_rows import AUTHOR, CLASS, PLACE, SIZE, AnnotationRowsModel
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate.note_dialog import NoteDialog
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window, wait_for_field

CLASSES = {
    ClassId(number): ObjectClass(ClassId(number), name, "#112233", "", Role.OBJECT, None, 20.0)
    for number, name in ((1, "RBC"), (2, "WBC"), (3, "Platelets"))
}


def mark(number: int, class_id: int = 1, **changed: object) -> Annotation:
    plain = Annotation(AnnotationId(number), FovId(1), ClassId(class_id), 10.0 * number, 5.0)
    return dataclasses.replace(plain, **changed)  # type: ignore[arg-type]


def ids(model: AnnotationRowsModel) -> list[int]:
    return [model.id_at(row) for row in range(model.rowCount())]


def test_that_rows_are_sorted_by_a_column_and_back_to_the_order_of_ids() -> None:
    model = AnnotationRowsModel()
    marks = [mark(1, 2, author="b"), mark(2, 1, size_px=9.0), mark(3, 3, author="a", size_px=4.0), mark(4, 1)]
    model.set_annotations(marks, CLASSES)
    model.sort(CLASS)
    assert ids(model) == [3, 2, 4, 1]
    model.sort(CLASS, Qt.SortOrder.DescendingOrder)
    assert ids(model) == [1, 4, 2, 3]
    model.sort(SIZE)
    assert ids(model) == [1, 4, 3, 2]
    model.sort(AUTHOR)
    assert ids(model) == [2, 4, 3, 1]
    model.sort(-1)
    assert ids(model) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "expected"), [("rbc", [1, 4]), ("ADA", [2]), ("flagged", [3]), ("odd rim", [4]), ("manual wbc", [2])]
)
def test_that_the_filter_looks_at_class_author_source_flag_and_note(text: str, expected: list[int]) -> None:
    model = AnnotationRowsModel()
    marks = [mark(1), mark(2, 2, author="Ada"), mark(3, 3, is_flagged=True), mark(4, note="odd rim")]
    model.set_annotations(marks, CLASSES)
    model.set_filter(text)
    assert ids(model) == expected


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["add", "replace", "remove", "filter", "sort", "back"]),
        st.integers(1, 12),
        st.integers(1, 3),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(EDITS)
def test_that_the_rows_are_always_what_filtering_and_sorting_anew_would_give(
    edits: list[tuple[str, int, int, int]],
) -> None:
    model, known = AnnotationRowsModel(), dict[AnnotationId, Annotation]()
    model.set_annotations((), CLASSES)
    text, column, order, number_of_next = "", -1, Qt.SortOrder.AscendingOrder, 1
    for what, number, class_id, value in edits:
        match what:
            case "add":
                new = mark(number_of_next, class_id, x=float(value))
                number_of_next += 1
                known[new.id] = new
                model.add([new])
            case "replace" if AnnotationId(number) in known:
                changed = mark(number, class_id, x=float(value))
                known[changed.id] = changed
                model.replace([changed])
            case "remove" if AnnotationId(number) in known:
                model.remove([known.pop(AnnotationId(number)).id])
            case "filter":
                text = ("", "rbc", "bc", "p")[value % 4]
                model.set_filter(text)
            case "sort" | "back":
                column = (CLASS, PLACE, SIZE, -1)[value % 4]
                order = Qt.SortOrder.AscendingOrder if what == "sort" else Qt.SortOrder.DescendingOrder
                model.sort(column, order)
    anew = AnnotationRowsModel()
    anew.set_annotations([known[each] for each in sorted(known)], CLASSES)
    anew.set_filter(text)
    anew.sort(column, order)
    assert ids(model) == ids(anew)
    assert [model.row_of(model.id_at(row)) for row in range(model.rowCount())] == list(range(model.rowCount()))


def test_that_a_row_that_moves_by_its_change_is_moved_not_replaced(qtbot: QtBot, qtmodeltester: object) -> None:
    model = AnnotationRowsModel()
    model.set_annotations([mark(number) for number in range(1, 6)], CLASSES)
    model.sort(PLACE)
    with qtbot.waitSignal(model.rowsMoved, timeout=TIMEOUT_MS):
        model.replace([mark(1, x=35.0)])
    assert ids(model) == [2, 3, 1, 4, 5]
    qtmodeltester.check(model)  # type: ignore[attr-defined]  # pytest-qt has no types for it
    assert model.rowCount(QModelIndex()) == 5


# In the window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def test_that_what_is_selected_stays_selected_while_the_table_is_sorted(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    panel = page.annotation_panel
    chosen = sorted(page.editor.annotations)[1]
    page.view.set_selection([chosen])
    header = panel.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(CLASS) + 5, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert page.view.selection == {chosen}
    rows = panel.table.selectionModel().selectedRows()
    assert [panel.model.id_at(index.row()) for index in rows] == [chosen]


def test_that_the_flag_and_the_note_of_a_selection_are_stored_and_undone(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    fov = page.shown_fov
    assert fov is not None
    before = project.annotations.list(fov.id)
    page.view.set_selection([before[0].id])
    QTest.keyClick(page.view, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    assert project.annotations.list(fov.id)[0].is_flagged
    QTest.keyClick(page.view, Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    dialog = page.findChild(NoteDialog)
    assert dialog is not None
    QTest.keyClicks(dialog.note, "or a platelet?")
    QTest.keyClick(dialog.note, Qt.Key.Key_Return)
    assert project.annotations.list(fov.id)[0].note == "or a platelet?"
    assert page.annotation_panel.model.index(0, 0).data().endswith("⚑ ✎")
    page.annotation_panel.filter.setText("flagged platelet?")
    assert page.annotation_panel.model.rowCount() == 1
    window.workspace.undo_stack.undo()
    window.workspace.undo_stack.undo()
    assert project.annotations.list(fov.id) == before


def test_that_authors_are_layers_that_are_neither_drawn_nor_hit_while_hidden(qtbot: QtBot, window: MainWindow) -> None:
    page, project = annotate_page(window), window.workspace.require_project()
    fov = page.shown_fov
    assert fov is not None
    theirs = dataclasses.replace(project.annotations.list(fov.id)[0], author="Bob")
    window.workspace.announce(project.annotations.update([theirs]))
    assert page.view.annotation_at(theirs.x, theirs.y) == theirs.id
    layers = page.annotation_panel.authors
    layers.layers.aboutToShow.emit()
    next(action for action in layers.layers.actions() if action.text() == "Bob (1)").trigger()
    assert layers.isChecked()
    assert page.view.annotation_at(theirs.x, theirs.y) != theirs.id
    window.workspace.step_fov(1)
    wait_for_field(qtbot, window)
    window.workspace.step_fov(-1)
    wait_for_field(qtbot, window)
    assert page.view.annotation_at(theirs.x, theirs.y) != theirs.id  # it holds for every field
    layers.set_hidden(frozenset())
    assert page.view.annotation_at(theirs.x, theirs.y) == theirs.id
