"""Exported classifiers: the same answers without torch, for any size; nothing is written where they differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from synthstudio.domain.errors import UserError
from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.jobs import export_onnx, train_classifier
from synthstudio.engine.networks.registry import build_pool
from synthstudio.engine.onnx_classifier import (
    AnySizePool,
    OnnxClassifier,
    build_onnx,
    predict_with_torch,
)
from synthstudio.engine.onnx_files import CARD_KEY
from synthstudio.project import Project
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.random_models import classifier_of


@pytest.mark.parametrize("pooling", ["lse", "gap", "max"])
def test_that_exported_pooling_equals_that_of_the_training(pooling: str) -> None:
    pool = build_pool(pooling, sharpness=5.0)
    maps = 20.0 * torch.randn((4, 3, 9, 13), generator=torch.Generator().manual_seed(2))
    assert torch.allclose(AnySizePool(pool)(maps), pool(maps), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "pooling", "stride"),
    [
        ("small-cam", "lse", 8),
        ("small-cam", "gap", 4),
        ("small-cam", "max", 16),
        ("vgg16-branches", "lse", 8),
        ("mobilenet-v3", "lse", 8),
        ("vit-b16", "gap", 8),
        ("timm:resnet10t", "lse", 8),
        ("timm:tf_mobilenetv3_small_075", "gap", 4),
    ],
)
def test_that_the_file_answers_like_the_network_for_images_of_any_size(
    tmp_path: Path, name: str, pooling: str, stride: int
) -> None:
    classifier = classifier_of(name, pooling=pooling, stride=stride)
    data = build_onnx(classifier, tmp_path / "scratch.onnx")
    assert not (tmp_path / "scratch.onnx").exists()
    exported = OnnxClassifier(data)
    assert exported.provider == "CPUExecutionProvider"
    rng = np.random.default_rng(0)
    for shape in ((1, 64, 64, 3), (3, 96, 160, 3)):
        images = rng.integers(0, 256, shape).astype(np.uint8)
        found, maps = exported.predict(images)
        expected, expected_maps = predict_with_torch(classifier, images)
        assert found.shape == (shape[0], 3)
        assert np.abs(found - expected).max() < 1e-4
        assert np.abs(maps - expected_maps).max() < 1e-4 * max(1.0, float(np.ptp(expected_maps)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path_factory.mktemp("onnx"))
    context = RecordingContext(project, "train-classifier")
    settings = TrainClassifierSettings.model_validate(
        {
            "optimization": {"steps": 4, "batch_size": 4, "evaluate_every": 4, "workers": 0},
            "composition": {"canvas_px": 64, "n_objects_max": 5},
        }
    )
    train_classifier.run(settings, context)
    context.finish()
    return project


def test_that_the_job_writes_a_checked_file_and_its_card(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "mödel.onnx"
    result = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert result.path == str(out)
    assert result.n_bytes == out.stat().st_size
    assert result.difference < 1e-4
    assert result.map_difference < 1e-4
    card = json.loads(Path(result.card).read_text(encoding="utf-8"))
    assert [each["name"] for each in card["model"]["classes"]] == ["disc", "square"]
    assert "uint8 RGB" in card["interface"]["input"]
    inside = {each.key: each.value for each in onnx.load(out).metadata_props}
    assert json.loads(inside[CARD_KEY]) == card["model"]
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == ["probabilities", "maps"]


def test_that_a_file_that_answers_otherwise_is_not_kept(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(classifier: TrainedClassifier, scratch: Path) -> bytes:
        with torch.no_grad():
            next(classifier.network.parameters()).mul_(0.5)
        data = build_onnx(classifier, scratch)
        with torch.no_grad():
            next(classifier.network.parameters()).mul_(2.0)
        return data

    monkeypatch.setattr(export_onnx, "build_onnx", otherwise)
    out = tmp_path / "model.onnx"
    with pytest.raises(UserError, match="differs from the trained one"):
        export_onnx.run(ExportOnnxSettings(out=str(out), tolerance=1e-6), RecordingContext(project, "export-onnx"))
    assert not out.exists()


@pytest.mark.parametrize(("name", "words"), [("model.bin", "not a name"), ("gone/model.onnx", "no folder")])
def test_that_an_impossible_file_is_refused_at_once(project: Project, tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        export_onnx.run(ExportOnnxSettings(out=str(tmp_path / name)), RecordingContext(project, "export-onnx"))
