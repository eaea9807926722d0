"""Samples from names and the division into splits, in their dialogs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Split
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.samples_dialog import SamplesDialog
from synthstudio.gui.main_window.splits_dialog import SplitsDialog
from synthstudio.project.sampling import present_assignment
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        opened.page(0)
        yield opened


def open_samples(qtbot: QtBot, window: MainWindow) -> SamplesDialog:
    window.registry.action("field.samples").trigger()
    dialog = window.findChild(SamplesDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    return dialog


def open_splits(qtbot: QtBot, window: MainWindow) -> SplitsDialog:
    window.registry.action("field.splits").trigger()
    dialog = window.findChild(SplitsDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.division), timeout=TIMEOUT_MS)
    return dialog


def test_that_the_pattern_is_previewed_applied_and_undone(
    qtbot: QtBot, window: MainWindow, qtmodeltester: object
) -> None:
    project = window.workspace.require_project()
    before = present_assignment(project)
    dialog = open_samples(qtbot, window)
    dialog.pattern.selectAll()
    QTest.keyClicks(dialog.pattern, "^(image)")
    qtbot.waitUntil(lambda: dialog.plan is not None and dialog.plan.n_samples == 1, timeout=TIMEOUT_MS)
    n = len(before.sample_of)
    assert f"{n} fields change" in dialog.summary.text()
    assert "All fields would be one sample" in dialog.problem.text()
    assert dialog.model.index(0, 2).data() == "image"
    qtmodeltester.check(dialog.model)  # type: ignore[attr-defined]  # pytest-qt has no types for it
    assert present_assignment(project) == before  # a preview changes nothing
    QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
    assert [each.name for each in project.samples.list()] == ["image"]
    window.registry.action("annotate.undo").trigger()
    assert present_assignment(project) == before
    window.registry.action("annotate.redo").trigger()
    assert [each.name for each in project.samples.list()] == ["image"]


def test_that_a_broken_pattern_is_said_and_cannot_be_applied(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_samples(qtbot, window)
    dialog.pattern.setText("((")
    qtbot.waitUntil(lambda: "no regular expression" in dialog.problem.text(), timeout=TIMEOUT_MS)
    assert not dialog.apply_button.isEnabled()
    dialog.rule.setCurrentIndex(dialog.rule.findData("stem"))
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    assert not dialog.problem.isVisible()


def test_that_samples_are_moved_by_keys_with_their_balance_and_undone(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    before = present_assignment(project)
    dialog = open_splits(qtbot, window)
    n = len(dialog.division)
    train, test = dialog.columns.lists[Split.TRAIN], dialog.columns.lists[Split.TEST]
    assert train.count() == n
    train.setCurrentRow(0)
    train.setFocus()
    QTest.keyClick(train, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert (train.count(), test.count()) == (n - 1, 1)
    assert dialog.balance.item(2, 0).text().startswith("1 ")  # type: ignore[union-attr]
    assert present_assignment(project) == before
    QTest.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
    assert [each.split for each in project.samples.list()].count(Split.TEST) == 1
    window.registry.action("annotate.undo").trigger()
    assert present_assignment(project) == before


def test_that_a_sample_is_dragged_into_another_split(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_splits(qtbot, window)
    train, val = dialog.columns.lists[Split.TRAIN], dialog.columns.lists[Split.VAL]
    n = train.count()
    train.setCurrentRow(1)

    class Drop(QDropEvent):  # Qt gives a source only to a drag that runs
        def source(self) -> object:  # type: ignore[override]
            return train

    mime = QMimeData()
    val.dropEvent(
        Drop(
            QPointF(5, 5),
            Qt.DropAction.MoveAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    assert (train.count(), val.count()) == (n - 1, 1)
    assert list(dialog.division.values()).count(Split.VAL) == 1


def test_that_dividing_fills_the_splits_and_names_a_class_that_is_missing(qtbot: QtBot, window: MainWindow) -> None:
    project = window.workspace.require_project()
    dialog = open_splits(qtbot, window)
    dialog.val.setValue(0.2)
    dialog.test.setValue(0.2)
    QTest.mouseClick(dialog.divide_button, Qt.MouseButton.LeftButton)
    assert set(dialog.division.values()) == set(Split)
    first = project.classes.list()[0]
    kept = [each for each, split in dialog.division.items() if split is Split.TEST]
    fovs = [fov.id for fov in project.fovs.list() if fov.sample_id in kept]
    dialog.reject()
    for fov_id in fovs:
        project.annotations.remove([m for m in project.annotations.list(fov_id) if m.class_id == first.id])
    again = open_splits_anew(qtbot, window)
    again.val.setValue(0.2)
    again.test.setValue(0.2)
    again.divide()
    assert f"No {first.name} in test." in again.warning.text()
    again.val.setValue(0.6)
    again.test.setValue(0.6)
    again.divide()
    assert "leave nothing to train on" in again.problem.text()


def open_splits_anew(qtbot: QtBot, window: MainWindow) -> SplitsDialog:
    qtbot.waitUntil(lambda: window.findChild(SplitsDialog) is None, timeout=TIMEOUT_MS)
    return open_splits(qtbot, window)
