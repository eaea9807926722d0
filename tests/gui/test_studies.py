"""Reading studies in the real window: built, answered by keyboard and mouse, closed, sent away and taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.client.study_reading import ProjectReading
from synthstudio.client.travelling_studies import FolderReading
from synthstudio.core.review.study_answers import StudyResult
from synthstudio.core.review.study_items import StudyItem
from synthstudio.core.review.turing import TuringResult
from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.review.studies import studies_panel
from synthstudio.gui.pages.review.studies.studies_panel import StudiesPanel
from synthstudio.gui.pages.review.studies.study_dialog import StudyDialog
from synthstudio.gui.pages.review.studies.study_facts import read_study_result
from synthstudio.project import Project
from synthstudio.project.study_truth import read_result, read_truth
from tests.support.reading_studies import ONE, PICK, RELEVANCE, answer_all, build_fixed_study, build_study_project
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, open_window

REVIEW = 2


class StudyQuestions(ScriptedQuestions):
    """Gives one name to whoever asks for a text."""

    def text(self, parent: QWidget, *, title: str, label: str, value: str, answered: Callable[[str], None]) -> None:
        self.asked.append(title)
        answered("ann")


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> StudyQuestions:
    scripted = StudyQuestions()
    monkeypatch.setattr(errors, "ask", scripted)
    return scripted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = build_study_project(tmp_path / "study")
    for name, design in (("picked", PICK), ("rated", ONE), ("asked", RELEVANCE)):
        build_fixed_study(project, name, design)
    project.close()
    return project.folder


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, folder: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", folder) as opened:
        yield opened


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> StudiesPanel:
    window.show_page(REVIEW)
    page = window.page(REVIEW)
    assert isinstance(page, ReviewPage)
    page.show_studies()
    qtbot.waitUntil(lambda: len(page.studies.table.keys) == 3, timeout=TIMEOUT_MS)
    return page.studies


def project_of(window: MainWindow) -> Project:
    return window.workspace.require_project()


def choose(panel: StudiesPanel, name: str) -> None:
    panel.table.selectRow(panel.table.keys.index(name))


def begin(qtbot: QtBot, panel: StudiesPanel, name: str) -> None:
    choose(panel, name)
    qtbot.mouseClick(panel.read_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.reading.is_asking, timeout=TIMEOUT_MS)


def close(qtbot: QtBot, panel: StudiesPanel, name: str) -> None:
    choose(panel, name)
    qtbot.waitUntil(panel.close_button.isEnabled, timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.results.isVisible, timeout=TIMEOUT_MS)


def given(window: MainWindow, name: str) -> dict[tuple[int, str], float | None]:
    """All answers of the first reader: by page and token, the confidence of what was picked or rated."""
    reading = ProjectReading(project_of(window), name, "ann")
    return {
        (page.number, token): answer.score
        for page in reading.pages
        for token, answer in reading.answers(page.number).items()
        if answer.is_picked or answer.score is not None
    }


def test_that_pages_are_picked_from_by_keyboard_alone_and_the_result_follows(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    begin(qtbot, panel, "picked")
    reading = panel.reading
    assert reading.question.text() == "Pick the images that look real."
    assert reading.reading is not None
    for number in range(len(reading.reading.pages)):
        qtbot.waitUntil(
            lambda number=number: reading.is_asking and reading.page is not None and reading.page.number == number,
            timeout=TIMEOUT_MS,
        )
        QTest.keyClick(reading.grid, Qt.Key.Key_Space)
        QTest.keyClick(reading.grid, Qt.Key.Key_Right)
        QTest.keyClick(reading.grid, Qt.Key.Key_Space)
        QTest.keyClick(reading.grid, Qt.Key.Key_Space)  # thought better of
        QTest.keyClick(reading.grid, Qt.Key.Key_Return)
    assert reading.page is None
    QTest.keyClick(reading.end.button, Qt.Key.Key_Space)
    assert not panel.is_reading
    pages = ProjectReading(project_of(window), "picked", "ann").pages
    assert set(given(window, "picked")) == {(page.number, page.tokens[0]) for page in pages}
    close(qtbot, panel, "picked")
    result = read_result(project_of(window), "picked")
    assert isinstance(result, TuringResult)
    assert f"{result.tpr.mean:.0%} of the real" in panel.results.summary.text()
    assert panel.results.figures.texts()[1][:2] == ["TPR", f"{result.tpr.mean:.2f}"]
    assert panel.results.readers.texts()[1][0] == "ann"
    assert [each.name for each in panel.results.roc.curves] == ["ann"]
    assert panel.results.shares.chart.groups[0] == "All"
    assert not panel.read_button.isEnabled()
    assert questions.asked == ["Read a study", "Close the study"]


def test_that_a_click_picks_and_a_second_one_leaves_the_image_again(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    begin(qtbot, panel, "asked")
    reading = panel.reading
    assert reading.page is not None
    assert reading.question.text() == f"Pick the images that show {reading.page.condition}."
    spots = [reading.grid.tile_rect(place).center().toPoint() for place in range(3)]
    for spot in (spots[0], spots[2], spots[0]):
        qtbot.mouseClick(reading.grid.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert set(given(window, "asked")) == {(0, reading.page.tokens[2])}


def test_that_one_image_at_a_time_is_rated_by_one_key_which_can_be_taken_back(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    begin(qtbot, panel, "rated")
    reading = panel.reading
    assert reading.reading is not None
    pages = reading.reading.pages

    def is_at(number: int) -> bool:
        return reading.is_asking and reading.page is not None and reading.page.number == number

    QTest.keyClick(reading.grid, Qt.Key.Key_6)
    qtbot.waitUntil(lambda: is_at(1), timeout=TIMEOUT_MS)
    QTest.keyClick(reading.grid, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: is_at(0), timeout=TIMEOUT_MS)
    assert reading.scale.button("1").isChecked()  # what was said: surely real
    QTest.keyClick(reading.grid, Qt.Key.Key_2)
    qtbot.waitUntil(lambda: is_at(1), timeout=TIMEOUT_MS)
    assert given(window, "rated") == {(0, pages[0].tokens[0]): 0.2}
    QTest.keyClick(reading.grid, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: is_at(2), timeout=TIMEOUT_MS)
    assert not reading.is_asking or reading.can_go_back
    # Leaving and coming back goes on after the last answer, which can still be changed.
    QTest.keyClick(reading, Qt.Key.Key_Escape)
    assert not panel.is_reading
    begin(qtbot, panel, "rated")
    qtbot.waitUntil(lambda: is_at(2), timeout=TIMEOUT_MS)
    for number in range(2, len(pages)):
        qtbot.waitUntil(lambda number=number: is_at(number), timeout=TIMEOUT_MS)
        QTest.keyClick(reading.grid, Qt.Key.Key_3)
    assert reading.page is None
    qtbot.mouseClick(reading.end.button, Qt.MouseButton.LeftButton)
    assert ProjectReading(project_of(window), "rated", "ann").completed_pages() == frozenset(range(len(pages)))
    close(qtbot, panel, "rated")
    assert [each.name for each in panel.results.roc.curves] == ["ann", "All readers"]


def test_that_nothing_tells_the_truth_or_other_answers_while_a_study_goes_on(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    choose(panel, "picked")
    assert panel.results.isHidden()
    answer_all(ProjectReading(project_of(window), "picked", "ben"), picked=set())
    begin(qtbot, panel, "picked")
    assert panel.reading.grid.images
    assert all(not each.caption for each in panel.reading.grid.images)
    assert given(window, "picked") == {}


def test_that_a_study_is_built_in_its_dialog_which_says_what_does_not_fit(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    window.registry.action("study.new").trigger()
    dialog = panel.findChild(StudyDialog)
    assert dialog is not None
    assert dialog.name.text() == "study-1"
    dialog.preset.setCurrentIndex(dialog.preset.findData("relevance-published"))
    assert not dialog.numbers["page_size"].isVisible()
    dialog.numbers["n_others"].setValue(1)
    assert "asks nothing" in dialog.problem.text()
    dialog.preset.setCurrentIndex(dialog.preset.findData("turing-published"))
    assert dialog.problem.isHidden()
    dialog.name.setText("picked")
    dialog.build()
    assert "already a reading study" in dialog.problem.text()
    dialog.name.setText("mine")
    for key in ("n_real", "n_synthetic"):
        dialog.numbers[key].setValue(4)
    dialog.numbers["page_size"].setValue(4)
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.chosen is not None and panel.chosen.study.name == "mine", timeout=TIMEOUT_MS)
    assert project_of(window).studies.get("mine").design.n_real == 4
    assert "4 real and 4 synthetic images" in panel.words.text()


def test_that_a_study_travels_is_answered_in_a_window_and_comes_back(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    questions.paths = [away, away, away]
    choose(panel, "picked")
    qtbot.mouseClick(panel.write_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(away.exists, timeout=TIMEOUT_MS)
    window.registry.action("study.read_folder").trigger()
    qtbot.waitUntil(lambda: panel.reading.is_asking, timeout=TIMEOUT_MS)
    QTest.keyClick(panel.reading.grid, Qt.Key.Key_Space)
    QTest.keyClick(panel.reading, Qt.Key.Key_Escape)
    answer_all(FolderReading(away), picked=set())
    qtbot.mouseClick(panel.import_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: any(each.is_finished for each in project_of(window).studies.readers("picked")), timeout=TIMEOUT_MS
    )
    close(qtbot, panel, "picked")
    first = FolderReading(away).pages[0].tokens[0]
    truth: StudyItem = next(each for each in read_truth(project_of(window), "picked") if each.token == first)
    result = read_result(project_of(window), "picked")
    assert isinstance(result, TuringResult)
    assert (result.tpr if truth.is_real else result.fpr).by_reader[0].n_picked == 1


def test_that_a_study_is_deleted_with_its_images(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, questions: StudyQuestions
) -> None:
    choose(panel, "asked")
    images = project_of(window).study_folder("asked")
    assert images.is_dir()
    window.registry.action("study.remove").trigger()
    qtbot.waitUntil(lambda: "asked" not in panel.table.keys, timeout=TIMEOUT_MS)
    assert not images.exists()


def test_that_a_result_is_judged_once_however_often_it_is_looked_at(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, judged = threading.Event(), list[str]()

    def judge(project: Project, name: str) -> StudyResult:
        judged.append(name)
        goes_on.wait(TIMEOUT_MS / 1000)
        return read_study_result(project, name)

    monkeypatch.setattr(studies_panel, "read_study_result", judge)
    project = project_of(window)
    answer_all(ProjectReading(project, "picked", "ann"), picked=set())
    window.workspace.announce(project.studies.close("picked"))
    choose(panel, "picked")
    qtbot.waitUntil(lambda: judged == ["picked"], timeout=TIMEOUT_MS)
    choose(panel, "rated")
    choose(panel, "picked")
    goes_on.set()
    qtbot.waitUntil(panel.results.isVisible, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert judged == ["picked"]


def test_that_a_result_that_could_not_be_judged_is_tried_again(
    qtbot: QtBot, window: MainWindow, panel: StudiesPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(project: Project, name: str) -> NoReturn:
        raise UserError("The set is damaged.", "Write it again.")

    told: list[BaseException] = []
    monkeypatch.setattr(errors, "report", lambda error, parent=None: told.append(error))
    project = project_of(window)
    answer_all(ProjectReading(project, "picked", "ann"), picked=set())
    with monkeypatch.context() as patched:
        patched.setattr(studies_panel, "read_study_result", fail)
        window.workspace.announce(project.studies.close("picked"))
        choose(panel, "picked")
        qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    choose(panel, "rated")
    choose(panel, "picked")
    qtbot.waitUntil(panel.results.isVisible, timeout=TIMEOUT_MS)
