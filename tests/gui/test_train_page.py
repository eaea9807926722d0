"""The Train workspace with a scripted engine, stored results and real maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from synthstudio.core.explanation.records import ExplainedClass, FovExplanation, write_explanation
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Metric, RunStatus, changes
from synthstudio.gui import errors
from synthstudio.gui.forms.controls import ChoiceControl
from synthstudio.gui.pages.train import TrainPage, training_jobs
from synthstudio.gui.pages.train import page as train_page_module
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.messages import JobFinished, MetricLogged
from synthstudio.protocol.results import (
    CenterScore,
    Classification,
    ClassLocalization,
    ClassScore,
    EvaluateResult,
    ExplainedFov,
    ExplainResult,
    ExportOnnxResult,
    Localization,
    TrainResult,
)
from synthstudio.settings.compose import ComposeSettings, PatchSettings
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.explain import ExplainSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine
from tests.support.sets import add_set

WAIT_MS = 20_000
RUN = RunId("20260101-000000-train-classifier-0001")


def open_workspace(tmp_path: Path, part: str) -> Workspace:
    workspace = Workspace(engine_command=scripted_engine(part), preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    workspace.open_project(folder)
    return workspace


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = open_workspace(tmp_path, "finished")
    yield made
    made.shut_down()


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    return show_page(qtbot, workspace)


def show_page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    return made


def store_training(workspace: Workspace, run_id: RunId = RUN) -> None:
    project = workspace.require_project()
    settings = TrainClassifierSettings()
    project.runs.add(run_id, kind=settings.kind, title="", settings_json=settings.model_dump_json())
    project.run_folder(run_id).mkdir(parents=True)
    best: dict[str, float | None] = {"f1/macro": 0.8125}
    result = TrainResult(run=run_id, status="finished", seconds=1.0, best=best)
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())
    project.runs.add_metrics([Metric(run_id, step, "f1/disc", step / 100) for step in (10, 20, 30)])


def store_evaluation(workspace: Workspace, *, macro: float = 0.7) -> None:
    project = workspace.require_project()
    center = CenterScore(precision=0.5, recall=0.25, f1=None)
    place = ClassLocalization(
        pointing_accuracy=0.9, chance=0.125, center=center, energy_in_box=0.6, n_images=4, ci95=(0.8, 1.0)
    )
    score = ClassScore(precision=0.75, recall=None, f1=0.875, support=7, prevalence_f1=0.375, ci95=(0.5, 0.9))
    result = EvaluateResult(
        run=RUN,
        split="test",
        n_images=4,
        n_groups=4,
        classification=Classification(per_class={"disc": score}, macro_f1=macro, accuracy=None, auc=None),
        localization=Localization(
            pointing_accuracy=0.9, chance=0.125, center=center, energy_in_box=0.6, per_class={"disc": place}
        ),
        notes=("Intervals are unreliable.",),
        seconds=1.0,
    )
    run_id = RunId("20260101-000001-evaluate-0001")
    settings = EvaluateSettings(run=RUN)
    project.runs.add(run_id, kind="evaluate", title="", settings_json=settings.model_dump_json())
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def store_cam(workspace: Workspace) -> None:
    """A map of the class `disc` on the first field that is hot in its top left quarter and nowhere else."""
    project = workspace.require_project()
    fov = project.fovs.list()[0]
    run_id = RunId("20260101-000002-explain-0001")
    folder = project.run_folder(run_id) / "explain" / str(fov.id)
    cams = np.full((1, 12, 12), -1.0, np.float32)
    cams[0, :6, :6] = 4.0
    known = ExplainedClass(
        name="disc",
        size_px=18.0,
        threshold=1.0,
        cam_low=0.0,
        cam_high=4.0,
        peaks=((24.0, 24.0, 3.5), (80.0, 80.0, 0.5)),
        overlay="1-disc.png",
    )
    record = FovExplanation(
        run=RUN, fov_id=fov.id, fov_name=fov.name, width=fov.width, height=fov.height, stride_px=8.0, classes=(known,)
    )
    write_explanation(folder, record, cams)
    result = ExplainResult(
        run=RUN, fovs=(ExplainedFov(fov=fov.id, name=fov.name, folder=f"explain/{fov.id}"),), seconds=1.0
    )
    settings = ExplainSettings(run=RUN, fovs=(fov.name,))
    project.runs.add(run_id, kind="explain", title="", settings_json=settings.model_dump_json())
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def wait_for_runs(qtbot: QtBot, page: TrainPage, count: int) -> None:
    qtbot.waitUntil(lambda: page.runs.list.count() == count, timeout=WAIT_MS)


def test_that_without_a_run_the_page_says_how_to_make_one(qtbot: QtBot, page: TrainPage) -> None:
    qtbot.waitUntil(lambda: "Train" in page.curves.empty.text.text(), timeout=WAIT_MS)
    assert page.curves.stack.currentWidget() is page.curves.empty
    assert page.train.isEnabled()
    assert page.header.evaluate.isHidden()


def test_that_train_queues_the_job_with_the_settings_of_the_form(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    page.form.show_value("optimization.steps", 12)
    with qtbot.waitSignal(workspace.gpu_worker.job_ended, timeout=WAIT_MS):
        page.train.click()
    (run,) = workspace.require_project().runs.list()
    assert TrainClassifierSettings.model_validate_json(run.settings_json) == page.form.settings()
    qtbot.waitUntil(lambda: page.runs.chosen == run.id, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: (chosen := page.chosen) is not None and chosen.score == 0.75, timeout=WAIT_MS)


def test_that_a_training_on_a_stored_set_wants_one_of_the_projects_sets(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    add_set(workspace.require_project(), ComposeSettings(set_name="mine", count=1, patches=PatchSettings(scale=1.0)))
    workspace.records_changed.emit(changes("sets"))
    sources, sets = (page.form.row((name,)).control for name in ("source", "set_name"))
    assert isinstance(sources, ChoiceControl)
    assert isinstance(sets, ChoiceControl)
    qtbot.waitUntil(lambda: sets.combo.count() == 2, timeout=WAIT_MS)
    qtbot.keyClicks(sources.combo, "s")  # from "synthetic" on
    assert sources.value() == "stored-set"
    assert not page.train.isEnabled()
    qtbot.keyClicks(sets.combo, "m")
    assert page.train.isEnabled()
    found = page.form.settings()
    assert isinstance(found, TrainClassifierSettings)
    assert (found.source, found.set_name) == ("stored-set", "mine")


def test_that_values_logged_while_it_runs_are_drawn(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    store_training(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    qtbot.waitUntil(lambda: "f1" in page.curves.plots, timeout=WAIT_MS)
    workspace.gpu_worker.event_received.emit(RUN, MetricLogged(name="f1/disc", step=40, value=0.4))
    workspace.gpu_worker.event_received.emit(RUN, MetricLogged(name="loss/train", step=40, value=1.5))
    qtbot.waitUntil(lambda: set(page.curves.plots) == {"f1", "loss"}, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.curves.plots["f1"].curves[0].steps.tolist() == [10, 20, 30, 40], timeout=WAIT_MS)
    (curve,) = page.curves.plots["f1"].curves
    found = workspace.require_project().classes.find("disc")
    assert found is not None
    assert curve.color == found.color
    assert page.curves.plots["f1"].values_text(25) == "step 25 · disc 0.200"
    assert page.curves.plots["f1"].to_csv().splitlines()[-1] == b"40,0.4"
    assert page.curves.plots["f1"].to_svg().lstrip().startswith(b"<?xml")


def test_that_a_failed_run_says_why_and_can_be_resumed_from_its_checkpoint(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path, "crashed")
    try:
        page = show_page(qtbot, workspace)
        with qtbot.waitSignal(workspace.gpu_worker.job_ended, timeout=WAIT_MS):
            page.train.click()
        qtbot.waitUntil(lambda: not page.header.trouble.isHidden(), timeout=WAIT_MS)
        run = workspace.require_project().runs.list()[0]
        assert run.message in page.header.trouble.text()
        qtbot.waitUntil(lambda: not page.header.resume.isHidden(), timeout=WAIT_MS)
        with qtbot.waitSignal(workspace.gpu_worker.job_ended, timeout=WAIT_MS):
            page.header.resume.click()
        assert len(workspace.require_project().runs.list()) == 1
    finally:
        workspace.shut_down()


def test_that_scores_stand_beside_chance_and_undefined_ones_are_not_zero(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_training(workspace)
    store_evaluation(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    page.tabs.setCurrentWidget(page.results)
    scores = page.results.scores
    qtbot.waitUntil(lambda: scores.presence.rowCount() == 2, timeout=WAIT_MS)
    assert scores.presence.texts()[1][:8] == ["disc", "0.875", "0.50–0.90", "0.750", "n/a", "n/a", "0.375", "7"]
    places = scores.places.texts()
    assert places[1][1:4] == ["0.900", "0.80–1.00", "0.125"]
    assert places[1][6] == "n/a"
    assert "unreliable" in scores.notes.text()
    assert page.results.table.texts()[1][2] == "0.700"
    assert page.results.table.to_csv().count(b"\n") == 2


def test_that_the_map_is_seen_where_the_network_looked_and_nowhere_else(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_training(workspace)
    store_cam(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    page.cam.controls.marks.setChecked(False)
    page.cam.controls.peaks.setChecked(False)
    page.tabs.setCurrentWidget(page.cam)
    view = page.cam.main.view
    qtbot.waitUntil(lambda: page.cam.main.has_cam and view._overlay is not None, timeout=WAIT_MS)
    hot, cold = view.image_to_widget(20, 20).toPoint(), view.image_to_widget(76, 76).toPoint()
    with_map = view.grab().toImage()
    page.cam.controls.opacity.setValue(0)
    without = view.grab().toImage()
    assert with_map.pixelColor(hot) != without.pixelColor(hot)
    assert with_map.pixelColor(cold) == without.pixelColor(cold)
    assert "1 predicted centre;" in page.cam.main.words.text()


def test_that_a_class_the_run_did_not_know_is_said_to_be_unknown(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_training(workspace)
    store_cam(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    page.tabs.setCurrentWidget(page.cam)
    qtbot.waitUntil(lambda: page.cam.main.has_cam, timeout=WAIT_MS)
    page.cam.controls.classes.setCurrentIndex(1)
    assert page.cam.main.words.text() == "This run does not know the class square."


def test_that_a_field_without_a_map_offers_to_compute_it(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    store_training(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    page.tabs.setCurrentWidget(page.cam)
    qtbot.waitUntil(page.cam.main.compute.isVisible, timeout=WAIT_MS)
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=WAIT_MS):
        page.cam.main.compute.click()
    project = workspace.require_project()
    (run,) = project.runs.list(kind="explain")
    settings = ExplainSettings.model_validate_json(run.settings_json)
    assert (settings.run, settings.fovs) == (RUN, (project.fovs.list()[0].name,))


def test_that_two_runs_beside_each_other_show_the_same_region(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    other = RunId("20260102-000000-train-classifier-0002")
    store_training(workspace)
    store_training(workspace, other)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 2)
    page.tabs.setCurrentWidget(page.cam)
    page.cam.controls.beside.setCurrentIndex(page.cam.controls.beside.findData(RUN))
    qtbot.waitUntil(lambda: page.cam.beside.isVisible() and page.cam.beside.view.pyramid is not None, timeout=WAIT_MS)
    page.cam.main.view.zoom_by(3.0)
    assert page.cam.beside.view.view_state == page.cam.main.view.view_state


def test_that_the_model_is_exported_to_the_file_that_was_chosen(
    qtbot: QtBot, workspace: Workspace, page: TrainPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_training(workspace)
    workspace.announce(changes("runs"))
    wait_for_runs(qtbot, page, 1)
    asked: list[str] = []

    def choose(_parent: object, suggested: str, _filters: str, chosen: Callable[[Path], None]) -> None:
        asked.append(suggested)
        chosen(tmp_path / "model.onnx")

    monkeypatch.setattr(training_jobs, "choose_file", choose)
    assert page.header.export.isVisible()
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=WAIT_MS) as queued:
        page.header.export.click()
    assert asked[0].endswith(".onnx")
    run = workspace.require_project().runs.get(queued.args[0])
    settings = ExportOnnxSettings.model_validate_json(run.settings_json)
    assert settings.out == str(tmp_path / "model.onnx")
    assert settings.run == page.runs.chosen
    posted: list[errors.Notice] = []
    monkeypatch.setattr(train_page_module, "post", lambda notice, **_: posted.append(notice))
    result = ExportOnnxResult(
        run="r", path="/x/model.onnx", card="", n_bytes=1, difference=2e-7, map_difference=0, provider="", seconds=1
    )
    workspace.gpu_worker.job_ended.emit(run.id, JobFinished(result=result))
    assert "/x/model.onnx" in posted[0].message
    assert "2e-07" in posted[0].hint
