"""Trainings of networks that other people designed, from settings to a model that is loaded, explained and exported."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.inference import load_classifier, predict_cams
from synthstudio.engine.jobs import export_onnx, train_classifier
from synthstudio.project import Project
from synthstudio.protocol.messages import StageChanged
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project


def _settings(network: dict[str, object], **others: object) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "network": network,
            "optimization": {
                "steps": 4,
                "batch_size": 4,
                "evaluate_every": 2,
                "workers": 0,
                "optimizer": "rmsprop",
                "learning_rate": 1e-4,
            },
            "composition": {"canvas_px": 64, "n_objects_max": 5},
            "patches": {"auto_scale": False},
            **others,
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path)


def test_that_a_mobilenet_is_trained_resumed_explained_and_exported(project: Project, tmp_path: Path) -> None:
    settings = _settings({"name": "mobilenet-v3", "stride": "16"}, loss={"balance": "weights"})
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(settings, context)
    context.finish()
    classifier = load_classifier(context.run_dir, torch.device("cpu"))
    assert (classifier.card.network, classifier.network.window_px) == ("mobilenet-v3", 64)
    image = np.random.default_rng(0).integers(0, 256, (100, 150, 3)).astype(np.uint8)
    assert predict_cams(classifier, image).shape == (2, 7, 10)
    out = tmp_path / "m.onnx"
    exported = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert exported.difference < 1e-4
    assert "windows of 64 px" in Path(exported.card).read_text(encoding="utf-8")

    broken = RecordingContext(project, "train-classifier")
    broken.stop_at = (3, 4)
    with pytest.raises(Cancelled):
        train_classifier.run(settings, broken)
    train_classifier.run(settings, RecordingContext(project, "train-classifier", run_dir=broken.run_dir))
    first, second = (
        load_checkpoint(each.run_dir / "checkpoints" / "last.safetensors").tensors for each in (context, broken)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_that_a_timm_backbone_begins_with_pretrained_weights_and_the_card_says_so(
    project: Project, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    save_file(timm.create_model("resnet10t", pretrained=False).state_dict(), tmp_path / "resnet10t.safetensors")
    weights = project.models.add(tmp_path / "resnet10t.safetensors", name="small-resnet").name
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(_settings({"name": "timm:resnet10t", "stride": "8", "weights": weights}), context)
    card = read_model_card(context.run_dir)
    assert card.network == "timm:resnet10t"
    told = re.fullmatch(
        r"(\d+) pretrained tensors from resnet10t\.safetensors, (\d+) left out \(SHA-256 [0-9a-f]{16}\)",
        card.pretrained,
    )
    assert told
    assert int(told[1]) > 30
    stages = [event.text for event in context.events if isinstance(event, StageChanged)]
    assert f"Begins with {card.pretrained}" in stages
    (tmp_path / "resnet10t.safetensors").unlink()  # the model stands by itself
    assert load_classifier(context.run_dir, torch.device("cpu")).network.halo_px > 0


def test_that_weights_of_another_network_stop_the_training_before_it_begins(project: Project, tmp_path: Path) -> None:
    save_file(timm.create_model("resnet10t", pretrained=False).state_dict(), tmp_path / "w.safetensors")
    context = RecordingContext(project, "train-classifier")
    network = {"name": "timm:resnet18", "stride": "8", "weights": str(tmp_path / "w.safetensors")}
    with pytest.raises(UserError, match=r"do not fit this network: \d+ of \d+ tensors"):
        train_classifier.run(_settings(network), context)
    assert not context.metrics("loss/train")


def test_that_a_size_that_the_branches_cannot_share_is_refused(project: Project) -> None:
    settings = _settings({"name": "vgg16-branches"}, composition={"canvas_px": 72, "n_objects_max": 5})
    with pytest.raises(UserError, match="multiple of 16") as caught:
        train_classifier.run(settings, RecordingContext(project, "train-classifier"))
    assert "80 px" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "is_known"),
    [("timm:resnet50", True), ("vit-b16", True), ("timm:", False), ("timm:hf-hub:a/b", False), ("vit-b32", False)],
)
def test_that_only_a_name_that_can_be_looked_up_is_a_setting(name: str, is_known: bool) -> None:
    if is_known:
        assert _settings({"name": name}).network.name == name
    else:
        with pytest.raises(ValueError, match="there is no network"):
            _settings({"name": name})
