"""The CAM tab: methods, contours, boxes, two maps beside each other, wrong answers and files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.explanation.records import ExplainedClass, FovExplanation, write_explanation
from synthstudio.core.imaging import read_image
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, changes
from synthstudio.gui.pages.train import TrainPage, cam_files
from synthstudio.gui.pages.train.cam_controls import THIS_RUN
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.results import ExplainedFov, ExplainResult, TrainResult
from synthstudio.settings.explain import CamMethod, ExplainSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import SIDE, build_engine_project
from tests.support.evaluations import add_evaluation
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS

RUN = RunId("20260101-000000-train-classifier-0001")


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("finished"), preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    folder = project.folder
    project.close()
    made.open_project(folder)
    yield made
    made.shut_down()


def store_training(workspace: Workspace) -> None:
    project = workspace.require_project()
    settings = TrainClassifierSettings()
    project.runs.add(RUN, kind=settings.kind, title="", settings_json=settings.model_dump_json())
    project.run_folder(RUN).mkdir(parents=True)
    result = TrainResult(run=RUN, status="finished", seconds=1.0, best={"f1/macro": 0.8})
    project.runs.set_ended(RUN, RunStatus.FINISHED, summary_json=result.model_dump_json())


def store_cam(workspace: Workspace, method: CamMethod = "cam") -> None:
    """A map of `disc` on the first field that is hot in the 48 px of its top left corner."""
    project = workspace.require_project()
    fov = project.fovs.list()[0]
    run_id = RunId(f"20260101-000002-explain-{len(project.runs.list()):04d}")
    cams = np.full((1, 12, 12), -1.0, np.float32)
    cams[0, :6, :6] = 4.0
    known = ExplainedClass(
        name="disc",
        size_px=18.0,
        threshold=1.0,
        cam_low=0.0,
        cam_high=4.0,
        peaks=((24.0, 24.0, 3.5),),
        overlay="1-disc.png",
        random_correlation=0.0625,
    )
    record = FovExplanation(
        run=RUN,
        fov_id=fov.id,
        fov_name=fov.name,
        width=fov.width,
        height=fov.height,
        stride_px=8.0,
        classes=(known,),
        method=method,
    )
    write_explanation(project.run_folder(run_id) / "explain" / str(fov.id), record, cams)
    explained = ExplainedFov(fov=fov.id, name=fov.name, folder=f"explain/{fov.id}")
    result = ExplainResult(run=RUN, method=method, fovs=(explained,), seconds=1.0)
    settings = ExplainSettings(run=RUN, fovs=(fov.name,), method=method)
    project.runs.add(run_id, kind="explain", title="", settings_json=settings.model_dump_json())
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def store_answers(workspace: Workspace) -> None:
    """Two wrong answers about `disc`: one a little on the first field, one badly on the second."""
    fovs = workspace.require_project().fovs.list()
    add_evaluation(
        workspace.require_project(),
        RUN,
        CropPredictions(
            class_names=("disc", "square"),
            fov_ids=np.array([fovs[0].id, fovs[1].id, fovs[1].id]),
            sample_ids=np.array([1, 2, 2]),
            boxes=np.array([[0, 0, 48, 48], [48, 48, 48, 48], [0, 0, 48, 48]]),
            truth=np.array([[True, True], [False, True], [True, True]]),
            scores=np.array([[0.4, 0.9], [0.95, 0.9], [0.9, 0.9]], np.float32),
            thresholds=np.array([0.5, 0.5]),
        ),
    )


def show_cam_tab(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    page = TrainPage(workspace)
    qtbot.addWidget(page)
    page.resize(1100, 700)
    page.show()
    workspace.announce(changes("runs"))
    qtbot.waitUntil(lambda: page.runs.list.count() == 1, timeout=TIMEOUT_MS)
    page.tabs.setCurrentWidget(page.cam)
    return page


def wait_for_map(qtbot: QtBot, page: TrainPage) -> None:
    qtbot.waitUntil(lambda: page.cam.main.picture is not None, timeout=TIMEOUT_MS)


def test_that_contours_and_boxes_lie_where_the_map_crosses_the_threshold(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_cam(workspace)
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    pane, controls = page.cam.main, page.cam.controls
    controls.threshold.setValue(50)
    for box in (controls.contours, controls.boxes):
        qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert controls.contours.isChecked()
    qtbot.waitUntil(
        lambda: pane.picture is not None and len(pane.picture.contours) > 0 and len(pane.picture.boxes) == 1,
        timeout=TIMEOUT_MS,
    )
    assert pane.picture is not None
    # Half of the scale, 2, lies at 2 / 5 of the way from the last hot cell's middle (44 px, value 4) to the next (-1).
    assert pane.picture.contours.max() == pytest.approx(44 + 8 * 2 / 5, abs=1.0)
    assert pane.picture.boxes[0].box.x1 == pytest.approx(47, abs=1.5)
    view = pane.view
    place = view.image_to_widget(pane.picture.boxes[0].box.x1, 20).toPoint()
    with_lines = view.grab().toImage()
    controls.boxes.setChecked(False)
    controls.contours.setChecked(False)
    qtbot.waitUntil(lambda: pane.picture is not None and not pane.picture.boxes, timeout=TIMEOUT_MS)
    near = [(place.x() + dx, place.y() + dy) for dx in range(-3, 4) for dy in range(-6, 7)]
    without = view.grab().toImage()
    assert any(with_lines.pixelColor(x, y) != without.pixelColor(x, y) for x, y in near)


def test_that_the_map_says_how_far_it_is_from_that_of_random_weights(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_cam(workspace)
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    assert "Correlation with random weights: 0.06." in page.cam.main.words.text()


def test_that_two_methods_of_one_run_stand_beside_each_other(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_cam(workspace)
    store_cam(workspace, "layer-cam")
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    controls = page.cam.controls
    assert not controls.beside_method.isVisible()
    controls.beside.setCurrentIndex(controls.beside.findData(THIS_RUN))
    assert controls.beside_method.isVisible()
    controls.beside_method.setCurrentIndex(controls.beside_method.findData("layer-cam"))
    qtbot.waitUntil(lambda: page.cam.beside.picture is not None, timeout=TIMEOUT_MS)
    assert page.cam.main.title.text().endswith("· CAM")
    assert page.cam.beside.title.text().endswith("· LayerCAM")
    page.cam.main.view.zoom_by(3.0)
    assert page.cam.beside.view.view_state == page.cam.main.view.view_state


def test_that_a_method_without_a_map_is_computed_on_request(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_cam(workspace)
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    page.cam.controls.method.setCurrentIndex(page.cam.controls.method.findData("grad-cam++"))
    qtbot.waitUntil(page.cam.main.compute.isVisible, timeout=TIMEOUT_MS)
    assert page.cam.controls.method.findData("attention") == -1  # this run's network has none
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=TIMEOUT_MS):
        page.cam.main.compute.click()
    run = workspace.require_project().runs.list(kind="explain")[-1]
    assert ExplainSettings.model_validate_json(run.settings_json).method == "grad-cam++"


def test_that_wrong_answers_are_stepped_through_the_most_wrong_first(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_answers(workspace)
    page = show_cam_tab(qtbot, workspace)
    fovs = workspace.require_project().fovs.list()
    controls = page.cam.controls
    qtbot.waitUntil(controls.next_wrong.isEnabled, timeout=TIMEOUT_MS)
    controls.next_wrong.click()
    qtbot.waitUntil(lambda: workspace.current_fov_id == fovs[1].id, timeout=TIMEOUT_MS)
    assert controls.wrong_words.text().startswith("False alarm (test): probability 0.95, present from 0.50 on. 1 of 2.")
    view = page.cam.main.view
    qtbot.waitUntil(lambda: view.view_state.center_x == 72.0 and view.view_state.center_y == 72.0, timeout=TIMEOUT_MS)
    controls.next_wrong.click()
    qtbot.waitUntil(lambda: workspace.current_fov_id == fovs[0].id, timeout=TIMEOUT_MS)
    assert controls.wrong_words.text().startswith("Missed")
    controls.previous_wrong.click()
    qtbot.waitUntil(lambda: workspace.current_fov_id == fovs[1].id, timeout=TIMEOUT_MS)
    controls.classes.setCurrentIndex(controls.classes.findText("square"))
    assert controls.wrong_words.text() == ""
    controls.next_wrong.click()
    qtbot.waitUntil(
        lambda: controls.wrong_words.text() == "No wrong answer about square on 3 crops.", timeout=TIMEOUT_MS
    )


def test_that_the_views_context_menu_offers_to_save_what_is_shown(qtbot: QtBot, workspace: Workspace) -> None:
    store_training(workspace)
    store_cam(workspace)
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    menu = page.cam.controls.export_menu
    qtbot.mouseClick(page.cam.main.view, Qt.MouseButton.RightButton)
    qtbot.waitUntil(menu.isVisible, timeout=TIMEOUT_MS)
    assert len(menu.actions()) == 3
    assert all(action.isEnabled() for action in menu.actions())
    menu.close()


def test_that_picture_array_and_boxes_are_saved(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_training(workspace)
    store_cam(workspace)
    page = show_cam_tab(qtbot, workspace)
    wait_for_map(qtbot, page)
    asked: list[str] = []

    def choose(_parent: object, suggested: str, _filters: str, chosen: Callable[[Path], None]) -> None:
        asked.append(Path(suggested).name)
        chosen(tmp_path / Path(suggested).name)

    monkeypatch.setattr(cam_files, "choose_file", choose)
    actions = {spec.id: spec for spec in page.cam.actions()}
    page.cam.controls.threshold.setValue(50)
    for name in ("overlay", "map", "boxes"):
        spec = actions[f"train.cam_save_{name}"]
        assert spec.enabled_when()
        spec.callback()
    assert asked == ["00-disc-cam.png", "00-disc-cam.npy", "00-disc-cam.csv"]
    qtbot.waitUntil(
        lambda: all((tmp_path / name).exists() for name in (*asked, "00-disc-cam.json")), timeout=TIMEOUT_MS
    )
    qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
    fov = workspace.require_project().fovs.list()[0]
    plain, saved = read_image(Path(fov.path)), read_image(tmp_path / asked[0])
    assert saved.shape == (SIDE, SIDE, 3)
    assert (saved[:40, :40] != plain[:40, :40]).any()
    assert (saved[60:, 60:] == plain[60:, 60:]).all()
    assert np.load(tmp_path / asked[1]).shape == (12, 12)
    facts = json.loads((tmp_path / "00-disc-cam.json").read_text())
    assert (facts["class"], facts["scale"], facts["stride_px"], facts["threshold"]) == ("disc", [0.0, 4.0], 8.0, 2.0)
    assert len(facts["boxes"]) == 1
    assert (tmp_path / asked[2]).read_text().splitlines()[1].startswith("00.png,disc,0.00,0.00,")
