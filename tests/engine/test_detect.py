"""Detections on whole fields: what is found is stored at full resolution, for the fields that were asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.evaluation.detected import FovDetections, read_fov_detections
from synthstudio.core.evaluation.detection import match_class
from synthstudio.core.geometry import boxes_to_array
from synthstudio.core.training.detector_card import read_detector_card
from synthstudio.domain.errors import Cancelled, NotFound, UserError
from synthstudio.domain.records import Split
from synthstudio.engine.jobs import detect, train_detector
from synthstudio.project import Project
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.train_detector import TrainDetectorSettings
from tests.support.engine_project import RecordingContext, build_engine_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path_factory.mktemp("detect"))
    settings = {
        "source": "real-boxes",
        "network": {"name": "fcos-small"},
        "optimization": {"steps": 60, "batch_size": 8, "evaluate_every": 60, "workers": 0, "learning_rate": 4e-3},
        "composition": {"canvas_px": 96},
        # Half the size: what is stored has to be brought back to full resolution.
        "patches": {"auto_scale": False, "scale": 0.75},
    }
    context = RecordingContext(project, "train-detector")
    train_detector.run(TrainDetectorSettings.model_validate(settings), context)
    context.finish()
    return project


def test_that_boxes_of_a_split_are_stored_at_full_resolution(project: Project) -> None:
    context = RecordingContext(project, "detect")
    result = detect.run(DetectSettings(), context)
    fovs = project.fovs.list(split=Split.TEST)
    assert [each.fov for each in result.fovs] == [fov.id for fov in fovs]
    found = [read_fov_detections(context.run_dir / each.file) for each in result.fovs]
    by_fov = project.annotations.by_fov()
    names = {each.id: each.name for each in project.classes.list()}
    hits = total = 0
    for each, told in zip(found, result.fovs, strict=True):
        assert (each.run, each.width, each.height) == (result.run, 96, 96)
        assert told.counts == {item.name: item.n_counting for item in each.classes}
        for label, item in enumerate(each.classes):
            assert item.boxes == tuple(sorted(item.boxes, key=lambda box: -box[4]))
            assert all(0 <= x0 < x1 <= 96 and 0 <= y0 < y1 <= 96 for x0, y0, x1, y1, _ in item.boxes)
            marks = [mark for mark in by_fov[each.fov_id] if names[mark.class_id] == item.name]  # type: ignore[index]
            true = boxes_to_array([mark.box for mark in marks if mark.box is not None])
            matches = match_class([each.detections()], [(true, np.full(len(true), label))], label)
            hits += int(matches.hits[0][: len(true)].sum())
            total += len(true)
    # At the size of the training they would lie elsewhere, and overlap the objects by far less than half.
    assert hits > 0.6 * total


def test_that_only_named_fields_are_searched_and_unknown_ones_refused(project: Project) -> None:
    fov = project.fovs.list(split=Split.TRAIN)[0]
    result = detect.run(DetectSettings(fovs=(fov.name,)), RecordingContext(project, "detect"))
    assert [each.name for each in result.fovs] == [fov.name]
    with pytest.raises(NotFound, match="no image nowhere"):
        detect.run(DetectSettings(fovs=("nowhere.png",)), RecordingContext(project, "detect"))


def test_that_a_cancelled_search_leaves_whole_files_only(project: Project) -> None:
    context = RecordingContext(project, "detect")
    context.stop_at = (500, 1000)  # before the third field of four
    with pytest.raises(Cancelled):
        detect.run(DetectSettings(), context)
    written = list((context.run_dir / "detect").iterdir())
    assert len(written) == 2
    assert all(isinstance(read_fov_detections(path), FovDetections) for path in written)


def test_that_without_a_detector_the_way_to_one_is_told(tmp_path: Path) -> None:
    empty = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1)
    with pytest.raises(UserError, match="No detector has been trained"):
        detect.run(DetectSettings(), RecordingContext(empty, "detect"))


def test_that_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text('{"run": 3', encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        read_fov_detections(path)


def test_that_the_card_knows_the_thresholds_that_count(project: Project) -> None:
    context = RecordingContext(project, "detect")
    result = detect.run(DetectSettings(min_score=0.02), context)
    card = read_detector_card(project.run_folder(result.run))  # type: ignore[arg-type]
    stored = read_fov_detections(context.run_dir / result.fovs[0].file)
    assert [each.threshold for each in stored.classes] == [each.threshold for each in card.classes]
