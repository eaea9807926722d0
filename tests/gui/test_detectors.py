"""Detectors in the Train workspace: stored results are shown, trainings and evaluations are queued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split, changes
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.run_tab import NOTHING_TO_LEARN
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import Progress
from synthstudio.protocol.results import ClassDetection, CountScore, EvaluateDetectorResult, TrainDetectorResult
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine

WAIT_MS = 20_000
RUN = RunId("20260101-000000-train-detector-0001")


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("hung"), preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    made.open_project(folder)
    yield made
    made.shut_down()


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.tabs.setCurrentWidget(made.detectors)
    return made


def store_detector(workspace: Workspace, run_id: RunId = RUN, *, status: RunStatus = RunStatus.FINISHED) -> None:
    project = workspace.require_project()
    settings = TrainDetectorSettings(source="mix")
    project.runs.add(run_id, kind=settings.kind, title="Detector", settings_json=settings.model_dump_json())
    (project.run_folder(run_id) / "checkpoints").mkdir(parents=True)
    best: dict[str, float | None] = {"f1/macro": 0.8125}
    result = TrainDetectorResult(run=run_id, status="finished", seconds=1.0, best=best)
    if status is RunStatus.FINISHED:
        project.runs.set_ended(run_id, status, summary_json=result.model_dump_json())
    else:
        (project.run_folder(run_id) / "checkpoints" / "last.safetensors").write_bytes(b"x")
        project.runs.set_ended(run_id, status, message="The engine was killed.", hint="Resume the run.")


def store_scores(workspace: Workspace) -> None:
    project = workspace.require_project()
    score = ClassDetection(
        precision=0.75,
        recall=None,
        f1=0.875,
        ap50=0.9,
        ap=0.5,
        support=1234,
        count=CountScore(bias=-0.25, limits=(-2.0, 1.5)),
        ci95=(0.5, 0.9),
    )
    result = EvaluateDetectorResult(
        run=RUN,
        split="test",
        n_images=4,
        n_groups=3,
        per_class={"disc": score},
        macro_f1=0.875,
        map50=0.9,
        map=0.5,
        notes=("Intervals are unreliable.",),
        seconds=1.0,
    )
    run_id = RunId("20260101-000001-evaluate-detector-0001")
    settings = EvaluateDetectorSettings(run=RUN)
    project.runs.add(run_id, kind=settings.kind, title="", settings_json=settings.model_dump_json())
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def test_that_without_a_detector_the_way_to_one_is_told(qtbot: QtBot, page: TrainPage) -> None:
    panel = page.detectors.panel
    qtbot.waitUntil(lambda: panel.stack.currentWidget() is panel.empty, timeout=WAIT_MS)
    assert page.detectors.form.isVisible()
    assert page.detectors.form.train.isEnabled()
    assert not page.header.isVisible()


def test_that_nothing_is_trained_before_something_is_annotated(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    project = workspace.require_project()
    marks = {fov.id: project.annotations.list(fov.id) for fov in project.fovs.list()}
    for each in marks.values():
        project.annotations.remove(each)
    workspace.announce(changes("annotations", "classes"))
    qtbot.waitUntil(lambda: not page.train.isEnabled(), timeout=WAIT_MS)
    assert page.train.toolTip() == NOTHING_TO_LEARN
    assert page.curves.empty.text.text() == NOTHING_TO_LEARN
    detectors = page.detectors
    qtbot.waitUntil(lambda: not detectors.form.train.isEnabled(), timeout=WAIT_MS)
    assert detectors.panel.empty.text.text() == NOTHING_TO_LEARN
    fov = next(fov for fov in project.fovs.list(split=Split.TRAIN) if marks[fov.id])
    project.annotations.add(marks[fov.id][:1])
    workspace.announce(changes("annotations"))
    qtbot.waitUntil(page.train.isEnabled, timeout=WAIT_MS)
    qtbot.waitUntil(detectors.form.train.isEnabled, timeout=WAIT_MS)
    assert page.train.toolTip() == ""


def test_that_scores_are_shown_by_class_and_beside_other_detectors(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detector(workspace)
    store_scores(workspace)
    workspace.announce(changes("runs"))
    panel = page.detectors.panel
    qtbot.waitUntil(lambda: panel.classes.rowCount() == 2, timeout=WAIT_MS)
    assert panel.classes.texts()[1] == [
        "disc",
        "0.875",
        "0.50–0.90",
        "0.750",
        "n/a",
        "0.900",
        "0.500",
        "1,234",
        "-0.25 (-2.0 to +1.5)",
    ]
    assert "mix" in panel.comparison.texts()[1][0]
    assert panel.bars.plot is not None
    (series,) = panel.bars.plot.chart.series
    assert panel.bars.plot.chart.groups == ("disc", "Mean")
    assert (series.bars[0].value, series.bars[0].low, series.bars[0].high) == (0.875, 0.5, 0.9)
    panel.bars.figures.button("ap50").click()
    assert panel.bars.plot.chart.series[0].bars[1].value == 0.9
    assert "4 images of 3 samples" in panel.state.text()
    assert "unreliable" in panel.notes.text()
    panel.split.setCurrentIndex(panel.split.findData(Split.VAL.value))
    assert not panel.classes.isVisible()
    assert panel.bars.isHidden()
    assert "Not scored yet on the val split" in panel.state.text()


def test_that_a_training_is_queued_and_its_progress_shown(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    form = page.detectors.form
    form.form.show_value("source", "real-boxes")
    with qtbot.waitSignal(workspace.gpu_worker.job_started, timeout=WAIT_MS) as started:
        form.train.click()
    run = workspace.require_project().runs.get(started.args[0])
    assert run.kind == "train-detector"
    assert TrainDetectorSettings.model_validate_json(run.settings_json).source == "real-boxes"
    panel = page.detectors.panel
    qtbot.waitUntil(panel.progress.isVisible, timeout=WAIT_MS)
    workspace.gpu_worker.event_received.emit(run.id, Progress(done=3, total=10))
    assert (panel.progress.value(), panel.progress.maximum()) == (3, 10)


def test_that_a_detector_is_scored_on_the_split_that_is_chosen(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detector(workspace)
    workspace.announce(changes("runs"))
    panel = page.detectors.panel
    qtbot.waitUntil(lambda: panel.evaluate.isVisible() and panel.evaluate.isEnabled(), timeout=WAIT_MS)
    panel.split.setCurrentIndex(panel.split.findData(Split.VAL.value))
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=WAIT_MS) as queued:
        panel.evaluate.click()
    settings = EvaluateDetectorSettings.model_validate_json(
        workspace.require_project().runs.get(queued.args[0]).settings_json
    )
    assert (settings.run, settings.split) == (RUN, Split.VAL)


def test_that_a_killed_training_says_why_and_can_be_resumed(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detector(workspace, status=RunStatus.FAILED)
    workspace.announce(changes("runs"))
    panel = page.detectors.panel
    qtbot.waitUntil(panel.resume.isVisible, timeout=WAIT_MS)
    assert panel.trouble.text() == "The engine was killed. Resume the run."
    assert not panel.evaluate.isVisible()
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=WAIT_MS) as queued:
        panel.resume.click()
    assert queued.args[0] == RUN


def test_that_the_presets_of_detectors_are_offered(page: TrainPage) -> None:
    combo = page.detectors.form.presets.combo
    titles = [combo.itemText(place) for place in range(combo.count())]
    assert any("YOLOv2" in title for title in titles)
    assert any("Mix" in title for title in titles)
