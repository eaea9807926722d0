"""A field with what a detector found: boxes, thresholds that act at once, mistakes, the way to the annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from synthstudio.core.evaluation.detected import DetectedClass, FovDetections, ScoredBox, write_fov_detections
from synthstudio.core.evaluation.detection_errors import ErrorKind
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import AnnotationState, RunStatus, Split, changes
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.pages.train.detection_panel import DetectionPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.results import DetectedFov, DetectResult, TrainDetectorResult
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import build_engine_project
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS

RUN = RunId("20260101-000000-train-detector-0001")
NOWHERE: ScoredBox = (2.0, 2.0, 8.0, 8.0, 0.9)


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(engine_command=scripted_engine("hung"), preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=3)
    settings = TrainDetectorSettings(source="mix")
    project.runs.add(RUN, kind=settings.kind, title="Detector", settings_json=settings.model_dump_json())
    project.run_folder(RUN).mkdir(parents=True)
    result = TrainDetectorResult(run=RUN, status="finished", seconds=1.0, best={"f1/macro": 0.8})
    project.runs.set_ended(RUN, RunStatus.FINISHED, summary_json=result.model_dump_json())
    folder = project.folder
    project.close()
    made.open_project(folder)
    yield made
    made.shut_down()


def store_detections(workspace: Workspace, alter: Callable[[FovDetections], FovDetections]) -> None:
    """A detect run on the test split: every annotated box with a score of .8, as `alter` changes it."""
    project = workspace.require_project()
    run_id = new_run_id("detect")
    project.runs.add(run_id, kind="detect", title="", settings_json=DetectSettings(run=RUN).model_dump_json())
    stored = []
    for fov in project.fovs.list(split=Split.TEST):
        marks = project.annotations.list(fov.id)
        classes = tuple(
            DetectedClass(
                name=item.name,
                size_px=16.0,
                threshold=0.5,
                boxes=tuple(
                    (each.box.x0, each.box.y0, each.box.x1, each.box.y1, 0.8)
                    for each in marks
                    if each.class_id == item.id and each.box is not None
                ),
            )
            for item in project.classes.list()
        )
        perfect = FovDetections(
            run=RUN, fov_id=fov.id, fov_name=fov.name, width=fov.width, height=fov.height, classes=classes
        )
        path = project.run_folder(run_id) / "detect" / f"{fov.id}.json"
        write_fov_detections(path, alter(perfect))
        stored.append(DetectedFov(fov=fov.id, name=fov.name, file=f"detect/{fov.id}.json", counts={}))
    result = DetectResult(run=RUN, fovs=tuple(stored), seconds=1.0)
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def with_boxes(found: FovDetections, label: int, boxes: tuple[ScoredBox, ...]) -> FovDetections:
    classes = list(found.classes)
    classes[label] = classes[label].model_copy(update={"boxes": boxes})
    return found.model_copy(update={"classes": tuple(classes)})


def test_fovs(workspace: Workspace) -> list[FovId]:
    return [fov.id for fov in workspace.require_project().fovs.list(split=Split.TEST)]


test_fovs.__test__ = False  # type: ignore[attr-defined]  # it lists the fields of the test split


def spoil_last(workspace: Workspace) -> Callable[[FovDetections], FovDetections]:
    """On the last field the first class has a false alarm, and one of its objects is found at .3 only."""
    last = test_fovs(workspace)[-1]

    def alter(found: FovDetections) -> FovDetections:
        if found.fov_id != last:
            return found
        unsure = tuple((*box[:4], 0.3) for box in found.classes[0].boxes[:1])
        return with_boxes(found, 0, (*found.classes[0].boxes[1:], NOWHERE, *unsure))

    return alter


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> TrainPage:
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.tabs.setCurrentWidget(made.detectors)
    return made


def open_field(qtbot: QtBot, workspace: Workspace, page: TrainPage, fov_id: FovId) -> DetectionPanel:
    workspace.set_current_fov(fov_id)
    workspace.announce(changes("runs"))
    panel = page.detectors.panel
    qtbot.waitUntil(lambda: panel.chosen is not None, timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.views.button("field"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.field.view.pyramid is not None, timeout=TIMEOUT_MS)
    return panel.field


def judged(qtbot: QtBot, field: DetectionPanel, n_errors: int) -> None:
    qtbot.waitUntil(lambda: field.judged is not None and len(field.judged.errors) == n_errors, timeout=TIMEOUT_MS)


def test_that_a_field_that_was_not_searched_can_be(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    fov_id = test_fovs(workspace)[0]
    field = open_field(qtbot, workspace, page, fov_id)
    qtbot.waitUntil(field.detect.isVisible, timeout=TIMEOUT_MS)
    assert "not searched this field" in field.words.text()
    assert page.detectors.form.stack.currentWidget() is field.controls
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=TIMEOUT_MS) as queued:
        qtbot.mouseClick(field.detect, Qt.MouseButton.LeftButton)
    project = workspace.require_project()
    settings = DetectSettings.model_validate_json(project.runs.get(queued.args[0]).settings_json)
    assert (settings.run, settings.fovs) == (RUN, (project.fovs.get(fov_id).name,))
    assert not field.detect.isEnabled()
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=TIMEOUT_MS) as queued:
        qtbot.mouseClick(field.detect_all, Qt.MouseButton.LeftButton)
    settings = DetectSettings.model_validate_json(project.runs.get(queued.args[0]).settings_json)
    assert (settings.split, settings.fovs) == (Split.TEST, ())


def test_that_a_threshold_acts_at_once_on_boxes_and_mistakes(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detections(workspace, spoil_last(workspace))
    field = open_field(qtbot, workspace, page, test_fovs(workspace)[-1])
    judged(qtbot, field, 2)
    assert field.judged is not None
    assert {each.kind for each in field.judged.errors} == {ErrorKind.MISSED, ErrorKind.FALSE_ALARM}
    assert "1 missed · 1 false alarm" in field.words.text()
    texts = [tag.text for tag in field.view.tags]
    assert "missed" in texts
    assert "0.90 false alarm" in texts
    row = field.controls.rows[0]
    assert row.threshold == 0.5
    n_shown = len(field.view.tags)
    row.slider.setValue(25)
    assert row.number.value() == 0.25
    judged(qtbot, field, 1)
    assert "missed" not in [tag.text for tag in field.view.tags]
    row.number.setValue(0.95)
    judged(qtbot, field, int((field.searched.labels == 0).sum()) if field.searched is not None else -1)
    assert "0 found" in row.words.text()
    qtbot.mouseClick(field.controls.reset, Qt.MouseButton.LeftButton)
    judged(qtbot, field, 2)
    assert row.threshold == 0.5
    assert len(field.view.tags) == n_shown
    field.controls.only_wrong.setChecked(True)
    assert sorted(tag.text for tag in field.view.tags) == ["0.90 false alarm", "missed"]


def test_that_the_next_mistake_is_found_on_another_field(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    store_detections(workspace, spoil_last(workspace))
    fovs = test_fovs(workspace)
    field = open_field(qtbot, workspace, page, fovs[0])
    judged(qtbot, field, 0)
    assert "nothing is wrong" in field.words.text()
    qtbot.mouseClick(field.controls.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: field.error is not None, timeout=TIMEOUT_MS)
    assert workspace.current_fov_id == fovs[-1]
    assert field.controls.mistake.text() == "1 of 2: False alarm: disc (0.90)"
    qtbot.mouseClick(field.controls.next, Qt.MouseButton.LeftButton)
    assert field.controls.mistake.text() == "2 of 2: Missed: disc"
    qtbot.mouseClick(field.controls.previous, Qt.MouseButton.LeftButton)
    assert field.error is not None
    assert field.error.kind is ErrorKind.FALSE_ALARM


def test_that_without_mistakes_the_search_for_one_ends(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    store_detections(workspace, lambda found: found)
    field = open_field(qtbot, workspace, page, test_fovs(workspace)[0])
    judged(qtbot, field, 0)
    field.step_error(1)
    qtbot.waitUntil(lambda: "Nothing is wrong" in field.controls.mistake.text(), timeout=TIMEOUT_MS)


def test_that_a_double_click_leads_to_the_annotation_or_the_place(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detections(workspace, spoil_last(workspace))
    field = open_field(qtbot, workspace, page, test_fovs(workspace)[-1])
    judged(qtbot, field, 2)
    mark = workspace.require_project().annotations.list(test_fovs(workspace)[-1])[0]
    place = field.view.image_to_widget(mark.x, mark.y).toPoint()
    with qtbot.waitSignal(page.detectors.page_requested, timeout=TIMEOUT_MS) as asked:
        qtbot.mouseDClick(field.view, Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == ["annotations"]
    assert workspace.wanted_annotation_id == mark.id
    alarm = field.view.image_to_widget(5.0, 5.0).toPoint()
    with qtbot.waitSignal(page.detectors.page_requested, timeout=TIMEOUT_MS):
        qtbot.mouseDClick(field.view, Qt.MouseButton.LeftButton, pos=alarm)
    assert workspace.wanted_region is not None
    assert workspace.wanted_region[1].x0 == NOWHERE[0]


def test_that_false_alarms_are_not_told_where_objects_may_be_unmarked(
    qtbot: QtBot, workspace: Workspace, page: TrainPage
) -> None:
    store_detections(workspace, spoil_last(workspace))
    fov_id = test_fovs(workspace)[-1]
    workspace.require_project().fovs.set_state(fov_id, AnnotationState.PARTIAL)
    field = open_field(qtbot, workspace, page, fov_id)
    judged(qtbot, field, 1)
    assert "false alarms are not told" in field.words.text()


def test_that_dragging_moves_the_field_under_the_hand(qtbot: QtBot, workspace: Workspace, page: TrainPage) -> None:
    store_detections(workspace, lambda found: found)
    field = open_field(qtbot, workspace, page, test_fovs(workspace)[0])
    judged(qtbot, field, 0)
    before, middle = field.view.view_state, field.view.rect().center()
    qtbot.mousePress(field.view, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(field.view, middle + QPoint(30, 12))
    qtbot.mouseRelease(field.view, Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 12))
    moved = np.array(
        [before.center_x - field.view.view_state.center_x, before.center_y - field.view.view_state.center_y]
    )
    assert np.allclose(moved * before.scale, (30, 12), atol=1.5)


def test_that_the_detector_is_exported(qtbot: QtBot, workspace: Workspace, page: TrainPage, tmp_path: Path) -> None:
    workspace.announce(changes("runs"))
    panel = page.detectors.panel
    qtbot.waitUntil(panel.export.isVisible, timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.export, Qt.MouseButton.LeftButton)
    dialog = page.detectors.findChild(QFileDialog)
    assert dialog is not None
    with qtbot.waitSignal(workspace.gpu_worker.job_queued, timeout=TIMEOUT_MS) as queued:
        dialog.fileSelected.emit(str(tmp_path / "x.onnx"))
    dialog.reject()
    settings = ExportOnnxSettings.model_validate_json(
        workspace.require_project().runs.get(queued.args[0]).settings_json
    )
    assert (settings.run, settings.out) == (RUN, str(tmp_path / "x.onnx"))
