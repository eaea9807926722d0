"""Images from prompts in the window: what is asked for, the images as they come, and what of each prompt is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Split, Verdict, VerdictKind, changes
from synthstudio.gui.drawing import DrawingWish, Drawn
from synthstudio.gui.pages.generate.diffusion.place_dialog import PlaceDialog
from synthstudio.gui.pages.generate.diffusion.prompts_panel import PromptsPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.prompt_images import list_prompt_images
from synthstudio.settings.base import JobSettings
from synthstudio.settings.generate import GenerateSettings
from tests.support.prompt_sets import add_prompt_set, add_tuned_card, noise
from tests.support.region_projects import make_region_project
from tests.support.windows import TIMEOUT_MS

CAPTIONS = ("photo of zxq rash, early, red", "photo of zxq rash, late, brown")


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    project = make_region_project(tmp_path / "study")
    add_tuned_card(project, class_name="rash", captions=CAPTIONS, steps=(500, 1000))
    project.close()
    opened = Workspace(preferences_file=tmp_path / "preferences.toml")
    opened.open_project(tmp_path / "study")
    yield opened
    opened.shut_down()


@pytest.fixture
def project(workspace: Workspace) -> Project:
    return workspace.require_project()


@pytest.fixture
def run_id(project: Project) -> RunId:
    return project.runs.list(kind="train-diffusion")[0].id


def _open(qtbot: QtBot, workspace: Workspace, *, with_run: bool = True) -> PromptsPanel:
    panel = PromptsPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(1200, 760)
    if with_run:
        panel.set_run(workspace.require_project().runs.list(kind="train-diffusion")[0])
    panel.show()
    qtbot.waitUntil(lambda: panel.book is not None, timeout=TIMEOUT_MS)
    return panel


class Submitted:
    """Stands for the queue of jobs."""

    def __init__(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: list[JobSettings] = []
        monkeypatch.setattr(workspace, "submit", self._submit)

    def _submit(self, settings: JobSettings, *, title: str = "") -> RunId:
        self.jobs.append(settings)
        return RunId(f"run-{len(self.jobs)}")


def _judge(project: Project, kinds: dict[int, VerdictKind]) -> None:
    for index, kind in kinds.items():
        project.verdicts.put(Verdict(SetName("made"), index, kind, "", "physician", ""))


def test_that_the_table_counts_what_of_each_prompt_is_kept(
    qtbot: QtBot, workspace: Workspace, project: Project, run_id: RunId
) -> None:
    add_prompt_set(project, "made", run=run_id, class_name="rash", prompts=CAPTIONS, variants=3)
    _judge(project, {0: VerdictKind.ACCEPTED, 2: VerdictKind.ACCEPTED, 1: VerdictKind.REJECTED, 3: VerdictKind.UNSURE})
    panel = _open(qtbot, workspace)
    assert panel.table.texts()[1:] == [[CAPTIONS[0], "3", "2", "0", "1"], [CAPTIONS[1], "3", "0", "1", "2"]]
    assert panel.summary.text() == "6 images of 2 prompts: 2 kept, 1 rejected, 3 open"
    assert panel.grid.keys == tuple(range(6))
    _judge(project, {5: VerdictKind.REJECTED})
    workspace.announce(changes("verdicts"))
    qtbot.waitUntil(lambda: panel.table.texts()[2] == [CAPTIONS[1], "3", "0", "2", "1"], timeout=TIMEOUT_MS)


def test_that_a_chosen_prompt_shows_its_images_alone(
    qtbot: QtBot, workspace: Workspace, project: Project, run_id: RunId
) -> None:
    add_prompt_set(project, "made", run=run_id, class_name="rash", prompts=CAPTIONS, variants=3)
    panel = _open(qtbot, workspace)
    cell = panel.table.visualRect(panel.table.rows_model.index(1, 0)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, cell)
    assert panel.grid.keys == (1, 3, 5)
    qtbot.waitUntil(lambda: set(panel.grid.loaded) >= {1, 3, 5}, timeout=TIMEOUT_MS)


def test_that_images_are_seen_as_they_come(
    qtbot: QtBot, workspace: Workspace, project: Project, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Submitted(workspace, monkeypatch)
    panel = _open(qtbot, workspace)
    assert "No set" in panel.notice.title.text()
    panel.side.form.show_value("set_name", "made")
    panel.side.form.show_value("prompts.variants", 3)
    panel.side.form.show_value("checkpoint", 500)
    QTest.mouseClick(panel.side.write, Qt.MouseButton.LeftButton)
    (settings,) = queue.jobs
    assert isinstance(settings, GenerateSettings)
    assert (settings.generator, settings.run, settings.checkpoint) == ("diffusion", run_id, 500)
    assert settings.prompts.prompts == CAPTIONS, "without prompts the captions of the guide images are asked for"
    add_prompt_set(project, "made", run=run_id, class_name="rash", prompts=CAPTIONS, variants=3, stop_after=3)
    workspace.gpu_worker.event_received.emit("run-1", None)
    qtbot.waitUntil(lambda: panel.grid.keys == (2, 1, 0), timeout=TIMEOUT_MS)
    assert [row[1] for row in panel.table.texts()[1:]] == ["2 of 3", "1 of 3"]
    assert not panel.review.isEnabled(), "a set is judged when it is complete"
    add_prompt_set(project, "made", run=run_id, class_name="rash", prompts=CAPTIONS, variants=3)
    workspace.gpu_worker.job_ended.emit("run-1", None)
    qtbot.waitUntil(lambda: panel.grid.keys == tuple(range(6)), timeout=TIMEOUT_MS)
    assert panel.review.isEnabled()


def test_that_a_line_that_is_just_being_written_is_left_for_later(project: Project, run_id: RunId) -> None:
    add_prompt_set(project, "made", run=run_id, class_name="rash", prompts=CAPTIONS, stop_after=2)
    manifest = project.folder / "sets" / ".made.partial" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-5])
    found = list_prompt_images(project, "made")
    assert ([each.index for each in found.images], found.is_complete) == ([0], False)


def test_that_a_name_that_is_taken_is_refused_before_the_job(
    qtbot: QtBot, workspace: Workspace, project: Project, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_prompt_set(project, "prompts", run=run_id, class_name="rash", prompts=CAPTIONS)
    queue = Submitted(workspace, monkeypatch)
    said: list[Exception] = []
    monkeypatch.setattr(
        "synthstudio.gui.pages.generate.diffusion.prompts_panel.report", lambda error, parent: said.append(error)
    )
    panel = _open(qtbot, workspace)
    panel.write()
    assert not queue.jobs
    assert "already a set prompts" in str(said[0])


def test_that_without_a_model_the_way_to_one_is_shown(qtbot: QtBot, workspace: Workspace) -> None:
    panel = _open(qtbot, workspace, with_run=False)
    assert "no model" in panel.notice.title.text()
    assert not panel.side.write.isEnabled()
    with qtbot.waitSignal(panel.page_requested, timeout=TIMEOUT_MS, check_params_cb=lambda need: need == "Models"):
        QTest.mouseClick(panel.notice.button, Qt.MouseButton.LeftButton)


def test_that_a_checkpoint_of_the_list_is_asked_for(qtbot: QtBot, workspace: Workspace) -> None:
    panel = _open(qtbot, workspace)
    panel.set_checkpoint(500)
    assert panel._settings().checkpoint == 500


def test_that_a_box_drawn_in_a_field_becomes_a_place_to_paint(
    qtbot: QtBot, workspace: Workspace, project: Project
) -> None:
    panel = _open(qtbot, workspace)
    QTest.mouseClick(panel.side.place, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(PlaceDialog)
    assert isinstance(dialog, PlaceDialog)
    names = [dialog.fovs.itemText(row) for row in range(dialog.fovs.count())]
    locked = {fov.name for fov in project.fovs.list(split=Split.TEST)}
    assert len(names) == len(project.fovs.list()) - len(locked), "the test split is not offered"
    qtbot.waitUntil(lambda: dialog.view.image_box.width > 0, timeout=TIMEOUT_MS)
    view = dialog.view
    start, end = (view.image_to_widget(*corner).toPoint() for corner in ((20, 30), (80, 90)))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    box = dialog.box
    assert box is not None
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((20, 30, 80, 90), abs=2)
    QTest.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    settings = panel.side.form.find_settings()
    assert settings is not None
    assert settings.prompts.mode == "inpaint"
    assert settings.prompts.places == (
        f"{project.fovs.list()[0].name} @ {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g}",
    )


def test_that_one_image_is_tried_at_once_and_other_settings_begin_with_the_same_noise(
    qtbot: QtBot, workspace: Workspace, run_id: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[DrawingWish] = []

    def draw(asked: list[DrawingWish], *, done: Callable[[Drawn], object], **_others: object) -> None:
        wishes.extend(asked)
        done(Drawn(asked[0], noise(asked[0].index), 1.5))

    monkeypatch.setattr(workspace.drawing, "draw", draw)
    panel = _open(qtbot, workspace)
    assert panel.trial.isHidden()
    panel.side.form.show_value("checkpoint", 500)
    for count, index in enumerate((0, 2), start=1):  # two prompts: image 2 is the next one of the first prompt
        QTest.mouseClick(panel.side.try_one, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda count=count: len(panel.trial.shown) == count, timeout=TIMEOUT_MS)  # type: ignore[misc]
        assert wishes[-1].index == index
    panel.side.form.show_value("prompts.guidance", 2.0)
    QTest.mouseClick(panel.side.try_one, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(panel.trial.shown) == 3, timeout=TIMEOUT_MS)
    last = wishes[-1]
    assert (last.index, last.run_id, last.checkpoint, last.model) == (0, run_id, 500, "")
    assert isinstance(last.request, PromptRequest)
    assert (last.request.prompt, last.request.side, last.request.guidance) == (CAPTIONS[0], 64, 2.0)
    assert panel.trial.isVisible()
    QTest.mouseClick(panel.trial.clear, Qt.MouseButton.LeftButton)
    assert panel.trial.isHidden()
