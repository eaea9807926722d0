"""What the verdicts about a set come to, in the real window and as a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.client.study_reading import ProjectReading
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Verdict, VerdictKind
from synthstudio.gui import report_writing
from synthstudio.gui.errors import Notice
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.review import ReviewPage, counts_panel
from synthstudio.gui.pages.review.counts_panel import CountsPanel
from synthstudio.gui.reading_panel import UNREADABLE
from synthstudio.project import Project
from tests.support.reading_studies import PICK, SET, answer_all, build_fixed_study, build_study_project
from tests.support.windows import TIMEOUT_MS, open_window

REVIEW = 2


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    project = build_study_project(tmp_path / "study", n_made=20)
    build_fixed_study(project, "eyes", PICK)
    answer_all(ProjectReading(project, "eyes", "ann"), picked=set())
    project.studies.close("eyes")
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> ReviewPage:
    window.show_page(REVIEW)
    page = window.page(REVIEW)
    assert isinstance(page, ReviewPage)
    return page


@pytest.fixture
def panel(qtbot: QtBot, page: ReviewPage) -> CountsPanel:
    page.show_counts()
    qtbot.waitUntil(lambda: bool(page.counts.table.keys), timeout=TIMEOUT_MS)
    return page.counts


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the report that was asked for says; empty while it is not there."""
    path, told = tmp_path / "report.html", list[Notice]()

    def choose(_parent: QWidget, _suggested: str, _filters: str, chosen: Callable[[Path], None]) -> None:
        chosen(path)

    monkeypatch.setattr(report_writing, "choose_file", choose)
    monkeypatch.setattr(report_writing, "post", lambda notice, **_: told.append(notice))
    return lambda: path.read_text(encoding="utf-8") if told else ""


def judge(window: MainWindow, index: int, kind: VerdictKind, reason: str = "") -> None:
    verdict = Verdict(SetName(SET), index, kind, reason=reason, reviewer="ann", created_at="2026-11-22", seconds=1.5)
    window.workspace.announce(window.workspace.require_project().verdicts.put(verdict))


def test_that_counts_follow_every_verdict(qtbot: QtBot, window: MainWindow, panel: CountsPanel) -> None:
    assert "Nobody has judged" in panel.words.text()
    assert [panel.groupings.itemData(place) for place in range(panel.groupings.count())] == ["class"]
    judge(window, 0, VerdictKind.ACCEPTED)
    judge(window, 1, VerdictKind.REJECTED, "blurred")
    qtbot.waitUntil(lambda: panel.groupings.findData("reason") >= 0, timeout=TIMEOUT_MS)
    assert "19 images" in panel.words.text()
    panel.groupings.setCurrentIndex(panel.groupings.findData("reason"))
    assert panel.table.texts() == [
        ["Reason", "Images", "Accepted", "Rejected"],
        ["blurred", "1", "0", "1"],
        ["none", "1", "1", "0"],
    ]
    assert [each.name for each in panel.plot.chart.series] == ["accepted", "rejected"]
    assert panel.plot.chart.groups == ("blurred", "none")


def test_that_the_report_of_a_set_tells_provenance_verdicts_and_shows_samples(
    qtbot: QtBot, window: MainWindow, panel: CountsPanel, written: Callable[[], str]
) -> None:
    judge(window, 0, VerdictKind.ACCEPTED)
    judge(window, 3, VerdictKind.REJECTED, "blurred")
    panel.report_button.click()
    qtbot.waitUntil(lambda: bool(written()), timeout=TIMEOUT_MS)
    text, known = written(), window.workspace.require_project().sets.get(SET)
    assert known.manifest_sha256 in text
    assert "images of split train" in text
    assert "18 undecided, 1 accepted, 1 rejected" in text
    assert "Rejected: 1 images" in text
    assert "Image 3" in text
    assert "blurred" in text
    assert "composition.canvas_px = 48" in text
    assert text.count("data:image/jpeg") == 14  # one accepted, one rejected, twelve of the undecided


def test_that_the_report_of_a_study_tells_design_and_result(
    qtbot: QtBot, page: ReviewPage, written: Callable[[], str]
) -> None:
    page.show_studies()
    qtbot.waitUntil(page.studies.report_button.isEnabled, timeout=TIMEOUT_MS)
    page.studies.report_button.click()
    qtbot.waitUntil(lambda: bool(written()), timeout=TIMEOUT_MS)
    assert "reading study eyes" in written()
    assert "Pick the images that look real." in written()
    assert "10 of 20" in written()  # nothing was picked: the synthetic half is right


def test_that_counts_of_a_set_that_cannot_be_read_are_not_those_of_before(
    qtbot: QtBot, panel: CountsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(project: Project, name: str) -> NoReturn:
        raise UserError("The set is damaged.", "Write it again.")

    assert panel.plot.isVisible()
    with monkeypatch.context() as patched:
        patched.setattr(counts_panel, "list_image_facts", fail)
        panel.refresh()
        qtbot.waitUntil(lambda: panel.has_failed, timeout=TIMEOUT_MS)
    assert panel.words.text() == " ".join(UNREADABLE)
    assert not panel.table.keys
    assert not panel.plot.isVisible()
    assert panel.has_set
    panel.refresh()
    qtbot.waitUntil(lambda: panel.plot.isVisible() and bool(panel.table.keys), timeout=TIMEOUT_MS)
