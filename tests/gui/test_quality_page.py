"""Checking the data in the real window: started, findings with their pictures, the way to mend them, the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.client.recording import Recorder
from synthstudio.core.review.findings import FoundImage, FoundPlace, found
from synthstudio.domain.ids import AnnotationId, RunId
from synthstudio.domain.records import Annotation, AnnotationSource, Box, Split
from synthstudio.engine.jobs import quality
from synthstudio.gui import report_writing
from synthstudio.gui.errors import Notice
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.gui.pages.quality.check_facts import find_pictures
from synthstudio.gui.pages.quality.checks_panel import ChecksPanel
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.messages import JobFinished
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.quality import QualitySettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window

ANNOTATE, REVIEW, QUALITY = 0, 2, 4


def check(project: Project) -> None:
    """Run the job in this process and record its result, as the host does."""
    context = RecordingContext(project, "quality")
    result = quality.run(QualitySettings(), context)
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))


def plant_faults(project: Project) -> None:
    """Mark an object twice, and write a set from an image that then goes to the test split."""
    fov = project.fovs.list(split=Split.TRAIN)[0]
    first = next(mark for mark in project.annotations.list(fov.id) if mark.box is not None)
    assert first.box is not None
    again = Annotation(0, fov.id, first.class_id, 0.0, 0.0, source=AnnotationSource.MANUAL)  # type: ignore[arg-type]
    project.annotations.add(
        [again.with_box(Box(*(each + 0.5 for each in (first.box.x0, first.box.y0, first.box.x1, first.box.y1))))]
    )
    add_set(project, ComposeSettings(set_name="leaking", count=4, composition=CompositionSettings(canvas_px=96)))
    project.samples.set_split([fov.sample_id], Split.TEST)


def test_that_an_object_without_a_mark_is_framed_where_a_model_has_found_it(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=0)
    try:
        fov, first, place = project.fovs.list()[0], project.classes.list()[0], Box(20, 30, 50, 55)
        told = found(
            "label-missing",
            "There may be one.",
            images=[FoundImage.of(fov)],
            places=[FoundPlace.of_box(place)],
            class_name=first.name,
        )
        pictures = find_pictures(project, told)
    finally:
        project.close()
    (item,) = pictures.items
    assert (item.fov_id, item.outline, item.part.center, item.color) == (fov.id, place, place.center, first.color)
    assert not pictures.marks


def test_that_images_of_two_sets_in_one_finding_are_told_apart(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=0)
    composition = CompositionSettings(canvas_px=96)
    try:
        for seed, name in enumerate(("one", "two")):
            add_set(project, ComposeSettings(set_name=name, count=2, seed=seed, composition=composition))
        fov = project.fovs.list()[0]
        listed = {name: list_set_images(project, name)[0][0] for name in ("one", "two")}
        told = found(
            "near-duplicate",
            "They look alike.",
            images=[FoundImage.of(fov), *(FoundImage.of(made, set_name=name) for name, made in listed.items())],
        )
        pictures = find_pictures(project, told)
    finally:
        project.close()
    assert pictures.fovs is not None
    assert [pictures.fovs[item.fov_id].path for item in pictures.items] == [
        fov.path,
        listed["one"].path,
        listed["two"].path,
    ]
    assert listed["one"].id == listed["two"].id == fov.id
    assert pictures.sets == {item.fov_id: name for item, name in zip(pictures.items[1:], listed, strict=True)}
    assert all(item.fov_id < 0 for item in pictures.items[1:])


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    project = build_engine_project(tmp_path, n_train=3, n_val=1, n_test=1)
    plant_faults(project)
    check(project)
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        yield opened


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> ChecksPanel:
    window.show_page(QUALITY)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    qtbot.waitUntil(lambda: page.checks.chosen is not None, timeout=TIMEOUT_MS)
    return page.checks


def choose(qtbot: QtBot, panel: ChecksPanel, check_name: str) -> None:
    panel.checks.selectRow(panel.checks.keys.index(check_name))
    qtbot.waitUntil(lambda: panel.finding is not None and panel.finding.check == check_name, timeout=TIMEOUT_MS)


def test_that_findings_are_listed_by_check_the_gravest_first(qtbot: QtBot, panel: ChecksPanel) -> None:
    assert "Not sound" in panel.words.text()
    found = [row for row in panel.checks.texts()[1:] if row[1] not in ("–", "")]
    assert found[0][0] == "All findings"
    assert {"Object marked twice", "Synthetic images made from test images"} <= {row[0] for row in found}
    severities = [row[0] for row in panel.findings.texts()[1:]]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert len(severities) == int(found[0][1])


def test_that_a_mark_that_is_there_twice_is_framed_and_shown_where_it_can_be_deleted(
    qtbot: QtBot, window: MainWindow, panel: ChecksPanel
) -> None:
    choose(qtbot, panel, "duplicate-annotation")
    qtbot.waitUntil(lambda: len(panel.grid.loaded) == 2, timeout=TIMEOUT_MS)
    assert "Delete all marks of the object but one." in panel.bar.reason.text()
    finding = panel.finding
    assert finding is not None
    panel.findings.setFocus()
    QTest.keyClick(panel.findings, Qt.Key.Key_Return)
    assert window.workspace.current_fov_id == finding.images[0].fov
    editor = annotate_page(window)
    qtbot.waitUntil(lambda: bool(editor.view.selection), timeout=TIMEOUT_MS)
    assert set(editor.view.selection) <= set(finding.annotations)


def test_that_an_object_of_a_wrong_class_gets_the_right_one_by_one_key_and_undo_takes_it_back(
    qtbot: QtBot, tmp_path: Path
) -> None:
    project = build_engine_project(tmp_path, n_train=12, n_val=2, n_test=2)
    disc, square = project.classes.list()
    marks = [mark for own in project.annotations.by_fov().values() for mark in own if mark.class_id == disc.id][:2]
    project.annotations.update([replace(mark, class_id=square.id) for mark in marks])
    check(project)
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as window:
        window.show_page(QUALITY)
        page = window.page(QUALITY)
        assert isinstance(page, QualityPage)
        panel = page.checks
        qtbot.waitUntil(lambda: panel.chosen is not None, timeout=TIMEOUT_MS)
        choose(qtbot, panel, "label-suspect")
        qtbot.waitUntil(lambda: panel.bar.can_relabel, timeout=TIMEOUT_MS)
        assert panel.bar.relabel_button.text() == "Change to disc"
        first = panel.finding
        assert first is not None
        panel.findings.setFocus()
        QTest.keyClick(panel.findings, Qt.Key.Key_C)
        stored = window.workspace.require_project().annotations
        mark_id = AnnotationId(first.annotations[0])
        assert stored.get(mark_id).class_id == disc.id
        assert panel.finding is not first  # the next one is looked at
        window.workspace.undo_stack.undo()
        assert stored.get(mark_id).class_id == square.id
        window.workspace.undo_stack.redo()
        panel.findings.selectRow(0)
        qtbot.waitUntil(lambda: panel.bar.relabel_button.text() == "Is disc now", timeout=TIMEOUT_MS)
        assert not panel.bar.can_relabel
        panel.bar.gallery_button.click()
        qtbot.waitUntil(lambda: page.gallery.isVisible() and len(page.gallery.grid.keys) == 2, timeout=TIMEOUT_MS)


def test_that_a_set_made_from_test_images_is_gone_to_in_review(
    qtbot: QtBot, window: MainWindow, panel: ChecksPanel
) -> None:
    choose(qtbot, panel, "set-from-test")
    assert panel.bar.show_button.isEnabled()
    panel.bar.show_button.click()
    qtbot.waitUntil(lambda: window.page(REVIEW).isVisible(), timeout=TIMEOUT_MS)


def test_that_the_report_names_and_shows_what_was_found(
    qtbot: QtBot, panel: ChecksPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "report.html", list[Notice]()

    def save(_parent: object, _suggested: str, _filters: str, chosen: Callable[[Path], None]) -> None:
        chosen(path)

    monkeypatch.setattr(report_writing, "choose_file", save)
    monkeypatch.setattr(report_writing, "post", lambda notice, **_: told.append(notice))
    panel.report_button.click()
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    text = path.read_text(encoding="utf-8")
    assert "The data are not sound" in text
    assert "Object marked twice" in text
    assert "data:image/jpeg" in text


def test_that_a_check_is_started_with_what_the_form_says(qtbot: QtBot, window: MainWindow, panel: ChecksPanel) -> None:
    panel.side.target.setCurrentIndex(panel.side.target.findData("leaking"))
    n_runs = len(window.workspace.require_project().runs.list(kind="quality"))
    qtbot.mouseClick(panel.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.chosen is not None and panel.chosen.result.set == "leaking", timeout=3 * TIMEOUT_MS)
    assert len(window.workspace.require_project().runs.list(kind="quality")) == n_runs + 1


def test_that_names_of_checks_are_read_in_full_where_there_is_room(
    qtbot: QtBot, window: MainWindow, panel: ChecksPanel
) -> None:
    window.resize(1920, 1080)
    qtbot.waitUntil(lambda: panel.checks.sizeHintForColumn(0) <= panel.checks.columnWidth(0), timeout=TIMEOUT_MS)
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: panel.findings.width() >= 1.8 * panel.checks.width(), timeout=TIMEOUT_MS)
    panel.tables.moveSplitter(200, 1)
    by_hand = panel.checks.width()
    panel.refresh()
    panel.resize(panel.width() + 10, panel.height())
    qtbot.waitUntil(lambda: window.workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert panel.checks.width() == by_hand
