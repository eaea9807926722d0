"""Exported detectors: the same boxes and scores without torch, for any size; a card that says how to use it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.engine.data.fields import read_fov
from synthstudio.engine.detection import detect, load_detector
from synthstudio.engine.jobs import export_onnx, train_detector
from synthstudio.engine.networks.detector import choose_candidates, suppress_doublets
from synthstudio.engine.onnx_detector import (
    OnnxDetector,
    build_detector_onnx,
    candidates_with_torch,
    compare_candidates,
)
from synthstudio.engine.onnx_files import CARD_KEY
from synthstudio.project import Project
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_detector import DetectorName, TrainDetectorSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.random_models import detector_of


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("name", "unit"), [("small-yolo", 8), ("fcos-small", 16)])
def test_that_the_file_answers_like_the_network_for_images_of_any_size(
    tmp_path: Path, name: DetectorName, unit: int
) -> None:
    detector = detector_of(name)
    exported = OnnxDetector(build_detector_onnx(detector, tmp_path / "scratch.onnx"))
    assert not (tmp_path / "scratch.onnx").exists()
    rng = np.random.default_rng(0)
    for rows, columns, n in ((1, 1, 1), (1, 2, 2), (3, 2, 1)):
        images = rng.integers(0, 256, (n, rows * 64, columns * 64 + unit, 3)).astype(np.uint8)
        found, expected = exported.predict(images), candidates_with_torch(detector, images)
        assert found[0].shape == expected[0].shape
        difference, box_difference = compare_candidates(found, expected)
        assert difference < 1e-4
        assert box_difference < 0.1


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path_factory.mktemp("onnx"))
    settings = {
        "source": "real-boxes",
        "network": {"name": "fcos-small"},
        "optimization": {"steps": 40, "batch_size": 8, "evaluate_every": 40, "workers": 0, "learning_rate": 4e-3},
        "composition": {"canvas_px": 96},
    }
    context = RecordingContext(project, "train-detector")
    train_detector.run(TrainDetectorSettings.model_validate(settings), context)
    context.finish()
    return project


def test_that_the_job_writes_a_checked_file_and_a_card_that_says_how_to_use_it(
    project: Project, tmp_path: Path
) -> None:
    out = tmp_path / "detector.onnx"
    result = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert result.difference < 1e-4
    assert result.map_difference is None
    assert result.box_difference_px is not None
    assert result.box_difference_px < 0.1
    card = json.loads(Path(result.card).read_text(encoding="utf-8"))
    assert [each["name"] for each in card["model"]["classes"]] == ["disc", "square"]
    assert any("overlap by more than 0.45" in each for each in card["interface"]["outputs"])
    inside = {each.key: each.value for each in onnx.load(out).metadata_props}
    assert json.loads(inside[CARD_KEY]) == card["model"]
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == ["boxes", "scores"]
    # What the card says is enough to find what the program itself finds.
    image = read_fov(project.fovs.list()[0])
    boxes, scores = session.run(["boxes", "scores"], {"images": image[None]})
    candidates = choose_candidates(torch.from_numpy(boxes[0]), torch.from_numpy(scores[0]))
    found = suppress_doublets(*candidates, overlap=card["model"]["overlap"], height=96, width=96)
    expected = detect(load_detector(project.run_folder(RunId(result.run)), torch.device("cpu")), image)
    assert len(found.scores) == len(expected.scores)
    assert np.allclose(found.boxes, expected.boxes, atol=0.1)


def test_that_boxes_that_lie_elsewhere_are_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_onnx, "compare_candidates", lambda _found, _expected: (0.0, 3.0))
    out = tmp_path / "detector.onnx"
    with pytest.raises(UserError, match="differ from those of the trained one by 3 px"):
        export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert not out.exists()
