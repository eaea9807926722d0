"""Studies, models and measurements that cannot be read: told in the window, nothing of before, well the next time."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.client.study_reading import ProjectReading
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import changes
from synthstudio.gui import errors
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.generate.diffusion import models_panel
from synthstudio.gui.pages.generate.diffusion.models_panel import ModelsPanel
from synthstudio.gui.pages.generate.gan import measure_panel
from synthstudio.gui.pages.generate.gan.measure_panel import MeasurePanel
from synthstudio.gui.pages.quality import QualityPage, checks_panel
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.review.studies import studies_panel
from synthstudio.gui.pages.review.studies.studies_panel import NO_RESULT, StudiesPanel
from synthstudio.gui.reading_panel import UNREADABLE
from synthstudio.project import Project
from synthstudio.project.reviews import Sets
from tests.support.measurements import add_measurement, add_set
from tests.support.reading_studies import ONE, PICK, answer_all, build_fixed_study, build_study_project
from tests.support.weight_files import ldm_shapes, write_hollow_weights
from tests.support.windows import TIMEOUT_MS, open_window

GENERATE, REVIEW, QUALITY = 1, 2, 4
LOST = Path("/data/study/project.sqlite")
FAILURES = {
    "told": (UserError("The drive is off.", "Switch it on."), "The drive is off.\nSwitch it on."),
    "file": (
        PermissionError(errno.EACCES, "Permission denied", str(LOST)),
        f"No permission to use {LOST}.\nAsk for access to it, or choose another place.",
    ),
    "database": (
        sqlite3.OperationalError("no such column: x"),
        "Something went wrong in SynthStudio itself (OperationalError). Your annotations are saved.\n"
        f"The crash report is in {errors.log_path()}.",
    ),
}
"""What is raised, and the whole of what the window then says."""


@dataclass(frozen=True)
class Failure:
    """An error that is raised, and the whole of what the window then says."""

    error: Exception
    words: str
    log: pytest.LogCaptureFixture

    def check_told(self, window: MainWindow) -> None:
        """One sentence and the next step in the window; the traceback in the log, where nobody worded the error."""
        assert window.message_bar.text == self.words
        logged = [record.exc_info[1] for record in self.log.records if record.exc_info]
        assert all(error is self.error for error in logged)
        assert bool(logged) is not isinstance(self.error, UserError)


@pytest.fixture(params=FAILURES)
def failure(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Failure:
    return Failure(*FAILURES[request.param], caplog)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("synthstudio.project.models._memory_path", lambda: tmp_path / "hashes.json")
    project = build_study_project(tmp_path / "study")
    build_fixed_study(project, "picked", PICK)
    build_fixed_study(project, "rated", ONE)
    project.models.add(write_hollow_weights(tmp_path / "sd15.safetensors", ldm_shapes()))
    add_set(project, "painted")
    add_measurement(project, "painted")
    project.close()
    with open_window(qtbot, tmp_path / "private", project.folder) as opened:
        yield opened


@pytest.fixture
def studies(qtbot: QtBot, window: MainWindow) -> StudiesPanel:
    window.show_page(REVIEW)
    page = window.page(REVIEW)
    assert isinstance(page, ReviewPage)
    page.show_studies()
    qtbot.waitUntil(lambda: len(page.studies.table.keys) == 2, timeout=TIMEOUT_MS)
    return page.studies


@pytest.fixture
def models(qtbot: QtBot, window: MainWindow) -> ModelsPanel:
    page = generate_page(window)
    page.choose("Diffusion")
    page.diffusion.show_tab("Models")
    panel = page.diffusion.panel("Models")
    assert isinstance(panel, ModelsPanel)
    qtbot.waitUntil(lambda: panel.table.keys == ["sd15"], timeout=TIMEOUT_MS)
    return panel


@pytest.fixture
def measure(qtbot: QtBot, window: MainWindow) -> MeasurePanel:
    page = generate_page(window)
    page.choose("GAN")
    page.gan.show_tab("Measure")
    panel = page.gan.measure
    qtbot.waitUntil(lambda: len(panel.gallery.pairs) == 2, timeout=TIMEOUT_MS)
    return panel


def generate_page(window: MainWindow) -> GeneratePage:
    window.show_page(GENERATE)
    page = window.page(GENERATE)
    assert isinstance(page, GeneratePage)
    return page


def raising(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def come_back(window: MainWindow, place: int) -> None:
    window.show_page(0)
    window.show_page(place)


def test_that_studies_that_cannot_be_read_are_no_longer_offered(
    qtbot: QtBot,
    window: MainWindow,
    studies: StudiesPanel,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert studies.can_answer
    with monkeypatch.context() as patched:
        patched.setattr(studies_panel, "read_studies", raising(failure.error))
        patched.setattr(Sets, "list", raising(failure.error))  # asked in this thread, when actions are enabled
        window.workspace.announce(changes("studies"))
        qtbot.waitUntil(lambda: studies.has_failed, timeout=TIMEOUT_MS)
        assert studies.stack.currentWidget() is studies.empty
        assert (studies.empty.title.text(), studies.empty.text.text()) == UNREADABLE
        assert not studies.empty.button.isVisible()
        assert studies.chosen is None
        assert not any((studies.can_answer, studies.can_report, studies.can_build))
        failure.check_told(window)
    come_back(window, REVIEW)
    qtbot.waitUntil(lambda: len(studies.table.keys) == 2, timeout=TIMEOUT_MS)
    assert studies.stack.currentWidget() is not studies.empty
    assert studies.chosen is not None
    assert studies.can_answer
    assert studies.can_build


def test_that_a_result_that_cannot_be_read_is_missed_beside_its_study(
    qtbot: QtBot,
    window: MainWindow,
    studies: StudiesPanel,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = window.workspace.require_project()
    answer_all(ProjectReading(project, "picked", "ann"), picked=set())
    with monkeypatch.context() as patched:
        patched.setattr(studies_panel, "read_study_result", raising(failure.error))
        window.workspace.announce(project.studies.close("picked"))
        studies.table.selectRow(studies.table.keys.index("picked"))
        qtbot.waitUntil(lambda: NO_RESULT in studies.words.text(), timeout=TIMEOUT_MS)
        assert not studies.results.isVisible()
        failure.check_told(window)
    for name in ("rated", "picked"):
        studies.table.selectRow(studies.table.keys.index(name))
        assert NO_RESULT not in studies.words.text()
    qtbot.waitUntil(studies.results.isVisible, timeout=TIMEOUT_MS)


def test_that_a_study_that_cannot_be_read_from_leads_back_to_the_list(
    qtbot: QtBot, window: MainWindow, studies: StudiesPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, words = FAILURES["told"]
    with monkeypatch.context() as patched:
        patched.setattr(ProjectReading, "completed_pages", raising(error))
        studies.read_as("ann")
    assert not studies.is_reading
    assert studies.reading.page is None
    assert window.message_bar.text == words
    studies.read_as("ann")
    qtbot.waitUntil(lambda: studies.reading.is_asking, timeout=TIMEOUT_MS)


def test_that_models_that_cannot_be_read_are_neither_shown_nor_missed(
    qtbot: QtBot,
    window: MainWindow,
    models: ModelsPanel,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(models_panel, "read_shelf", raising(failure.error))
        window.workspace.announce(changes("models"))
        qtbot.waitUntil(lambda: models.has_failed, timeout=TIMEOUT_MS)
    assert models.stack.currentWidget() is models.empty
    assert (models.empty.title.text(), models.empty.text.text()) == UNREADABLE
    assert models.table.keys == []
    assert not models.check.isEnabled()
    assert not models.remove.isEnabled()
    assert not models.details.selected.isVisible()
    assert not models.details.licence_section.isVisible()
    assert not models.details.needs_section.isVisible()  # it would say that no feature has its model
    failure.check_told(window)
    come_back(window, GENERATE)
    qtbot.waitUntil(lambda: models.table.keys == ["sd15"], timeout=TIMEOUT_MS)
    assert models.selected == "sd15"
    assert models.details.needs_section.isVisible()
    assert "✓ Fine-tuning on guide images" in models.details.needs.text()


def test_that_a_folder_of_models_that_may_not_be_read_is_not_taken_for_an_empty_one(
    qtbot: QtBot, window: MainWindow, models: ModelsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = window.workspace.require_project().folder / "models"
    listed = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", refuse)
        models.refresh()
        qtbot.waitUntil(lambda: models.has_failed, timeout=TIMEOUT_MS)
    assert models.empty.title.text() == UNREADABLE[0]
    assert window.message_bar.text.startswith(f"No permission to use {folder}.")


def test_that_measurements_that_cannot_be_read_leave_no_figure_chart_or_pair(
    qtbot: QtBot,
    window: MainWindow,
    measure: MeasurePanel,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = measure.side.target
    target.setFocus()
    qtbot.keyClick(target, Qt.Key.Key_End)
    chosen = target.currentData()
    assert chosen
    with monkeypatch.context() as patched:
        patched.setattr(measure_panel, "read_measurements", raising(failure.error))
        window.workspace.announce(changes("runs"))
        qtbot.waitUntil(lambda: measure.has_failed, timeout=TIMEOUT_MS)
    assert measure.stack.currentWidget() is measure.empty
    assert (measure.empty.title.text(), measure.empty.text.text()) == UNREADABLE
    assert measure.table.keys == []
    assert measure.current is None
    assert measure.plot.chart.groups == ()
    assert measure.gallery.pairs == ()
    assert not measure.notes.text()
    assert target.currentData() == chosen  # or the GAN would be measured in its place
    failure.check_told(window)
    come_back(window, GENERATE)
    qtbot.waitUntil(lambda: len(measure.gallery.pairs) == 2, timeout=TIMEOUT_MS)
    assert measure.plot.chart.groups == ("No. 1",)
    assert target.currentData() == chosen


def test_that_a_set_to_be_checked_stays_chosen_where_the_checks_cannot_be_read(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.show_page(QUALITY)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    page.tabs.setCurrentWidget(page.checks)
    target = page.checks.side.target
    qtbot.waitUntil(lambda: target.count() == 3, timeout=TIMEOUT_MS)
    qtbot.keyClick(target, Qt.Key.Key_End)
    chosen = target.currentData()
    assert chosen
    with monkeypatch.context() as patched:
        patched.setattr(checks_panel, "read_quality", raising(FAILURES["told"][0]))
        window.workspace.announce(changes("runs"))
        qtbot.waitUntil(lambda: page.checks.has_failed, timeout=TIMEOUT_MS)
    assert target.currentData() == chosen


def test_that_sets_that_were_never_read_are_not_called_missing(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = generate_page(window)
    page.choose("GAN")
    with monkeypatch.context() as patched:
        patched.setattr(measure_panel, "read_measurements", raising(FAILURES["told"][0]))
        page.gan.show_tab("Measure")
        measure = page.gan.measure
        qtbot.waitUntil(lambda: measure.has_failed, timeout=TIMEOUT_MS)
    assert measure.side.why.text() == "The sets of the project could not be read."
    assert not measure.side.start.isEnabled()
    come_back(window, GENERATE)
    qtbot.waitUntil(measure.side.start.isEnabled, timeout=TIMEOUT_MS)
    assert not measure.side.why.isVisible()
    assert measure.side.target.currentData() == "painted"  # without a GAN it is the newest set


def test_that_pairs_that_cannot_be_read_are_not_those_of_another_measurement(
    qtbot: QtBot,
    window: MainWindow,
    measure: MeasurePanel,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project: Project = window.workspace.require_project()
    with monkeypatch.context() as patched:
        patched.setattr(measure_panel, "read_nearest", raising(failure.error))
        add_measurement(project, "painted", fid=5.0)
        window.workspace.announce(changes("runs"))
        qtbot.waitUntil(lambda: measure.gallery.pairs == (), timeout=TIMEOUT_MS)
    assert measure.current is not None
    assert measure.current.number == 2
    said = measure.gallery.grid._placeholder
    if isinstance(failure.error, UserError):
        assert said == str(failure.error)
    else:
        assert said == measure_panel.NO_PAIRS_READ
        failure.check_told(window)
    measure.refresh()
    qtbot.waitUntil(lambda: len(measure.gallery.pairs) == 2, timeout=TIMEOUT_MS)
