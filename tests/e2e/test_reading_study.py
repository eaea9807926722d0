"""Real images against composites of them: a study is built, answered and finished by keyboard in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.cli.main import main
from synthstudio.core.review.turing import TuringResult
from synthstudio.domain.records import Split
from synthstudio.gui import errors
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.review.studies.study_dialog import StudyDialog
from synthstudio.project import Project
from synthstudio.project.studies import read_items
from synthstudio.project.study_truth import read_result, read_truth
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.sets import add_set
from tests.support.shared_data import shared_data
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, open_window

REVIEW, N_EACH, N_TRAIN = 2, 6, 16


class NamedQuestions(ScriptedQuestions):
    def text(self, parent: QWidget, *, title: str, label: str, value: str, answered: Callable[[str], None]) -> None:
        answered("ann")


def build_project(folder: Path) -> Project:
    """Fields of BCCD, some held out, and composites of the others."""
    bccd = shared_data("bccd")
    assert main(["new", str(folder)], open_app=lambda _: 1) == 0
    assert main(["import", str(folder), str(bccd), "--format", "voc"], open_app=lambda _: 1) == 0
    project = Project.open(folder)
    train = [fov.sample_id for fov in project.fovs.list(split=Split.TRAIN)]
    project.samples.set_split(train[N_TRAIN:], None)  # a few fields are enough
    project.samples.set_split(train[N_TRAIN : 2 * N_TRAIN], Split.TEST)
    add_set(project, ComposeSettings(set_name="made", count=12, composition=CompositionSettings(canvas_px=128)))
    return project


def test_that_real_cells_are_told_from_composites_by_keyboard(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_project(tmp_path / "study").close()
    monkeypatch.setattr(errors, "ask", NamedQuestions())
    with open_window(qtbot, tmp_path / "private", tmp_path / "study") as window:
        window.show_page(REVIEW)
        page = window.page(REVIEW)
        assert isinstance(page, ReviewPage)
        project = window.workspace.require_project()
        page.show_studies()
        qtbot.waitUntil(page.studies.empty.button.isEnabled, timeout=TIMEOUT_MS)
        QTest.keyClick(page.studies.empty.button, Qt.Key.Key_Space)
        dialog = page.studies.findChild(StudyDialog)
        assert dialog is not None
        for key, value in (("n_real", N_EACH), ("n_synthetic", N_EACH), ("page_size", 2 * N_EACH)):
            dialog.numbers[key].selectAll()
            QTest.keyClicks(dialog.numbers[key], str(value))
        QTest.keyClick(dialog.name, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page.studies.chosen is not None, timeout=TIMEOUT_MS)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT_MS)
        QTest.keyClick(page.studies.table, Qt.Key.Key_R)
        reading = page.studies.reading
        is_real = {item.token: item.is_real for item in read_items(project.database, "study-1")}
        while not page.studies.reading.end.isVisible():
            qtbot.waitUntil(lambda: reading.is_asking, timeout=TIMEOUT_MS)
            assert reading.page is not None
            for token in reading.page.tokens:
                if is_real[token]:  # a reader whom nothing escapes
                    QTest.keyClick(reading.grid, Qt.Key.Key_Space)
                QTest.keyClick(reading.grid, Qt.Key.Key_Right)
            QTest.keyClick(reading.grid, Qt.Key.Key_Return)
        QTest.keyClick(reading.end.button, Qt.Key.Key_Space)
        window.registry.action("study.close").trigger()
        qtbot.waitUntil(page.studies.results.isVisible, timeout=TIMEOUT_MS)
        result = read_result(project, "study-1")
        assert isinstance(result, TuringResult)
        assert (result.tpr.mean, result.fpr.mean) == (1.0, 0.0)
        assert "100% of the real and 0% of the synthetic" in page.studies.results.summary.text()
        assert {item.class_name for item in read_truth(project, "study-1")} == {"Platelets", "RBC", "WBC"}
