"""Classifiers that give one label to an image: from training to evaluation and export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, read_predictions
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.inference import load_classifier, predict_presence
from synthstudio.engine.jobs import evaluate, export_onnx, train_classifier
from synthstudio.engine.losses import label_loss
from synthstudio.engine.networks.answers import probabilities
from synthstudio.engine.networks.registry import build_network
from synthstudio.project import Project
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.export_onnx import ExportOnnxSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project

SIDE = 32


def _settings(
    source: str = "synthetic", *, side: int = SIDE, crowd: int = 1, balance: str = "none"
) -> TrainClassifierSettings:
    return TrainClassifierSettings.model_validate(
        {
            "source": source,
            "loss": {"task": "single-label", "balance": balance},
            "optimization": {"steps": 40, "batch_size": 16, "evaluate_every": 20, "workers": 0, "warmup_steps": 5},
            "composition": {"canvas_px": side, "n_objects_min": crowd, "n_objects_max": crowd},
            "patches": {"auto_scale": False},
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    torch.set_num_threads(1)
    return build_engine_project(tmp_path)


def test_that_one_half_is_where_a_class_becomes_the_answer() -> None:
    logits = 3 * torch.randn((200, 4), generator=torch.Generator().manual_seed(0)).double()
    found = probabilities(logits, "single-label")
    assert ((found >= 0.5).sum(dim=1) == 1).all()
    assert torch.equal(found.argmax(dim=1), logits.argmax(dim=1))
    shares = torch.softmax(logits, dim=1)
    for column in range(4):
        others = torch.cat([shares[:, :column], shares[:, column + 1 :]], dim=1).amax(dim=1)
        assert torch.allclose(found[:, column], shares[:, column] / (shares[:, column] + others))
    assert torch.allclose(probabilities(logits[:, :2], "single-label"), torch.softmax(logits[:, :2], dim=1))
    assert torch.equal(probabilities(logits, "multi-label"), torch.sigmoid(logits))


def test_that_images_without_a_label_change_nothing_in_the_loss() -> None:
    network = build_network("small-cam", 3, seed=1).eval()
    loss = label_loss(network, Normalization((128.0,) * 3, (60.0,) * 3), torch.device("cpu"))
    images = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 1]])
    assert torch.allclose(loss(images, labels), loss(images[[0, 3]], labels[[0, 3]]))
    nothing = loss(images[1:3], labels[1:3])
    nothing.backward()  # type: ignore[no-untyped-call] # torch has no annotation for it
    assert float(nothing.detach()) == 0.0
    assert all(each.grad is not None for each in network.parameters())


def test_that_a_classifier_with_one_label_is_trained_scored_and_exported(project: Project, tmp_path: Path) -> None:
    context = RecordingContext(project, "train-classifier")
    train_classifier.run(_settings(balance="weights"), context)
    context.finish()
    assert len(context.metrics("f1/macro")) == 2
    card = read_model_card(context.run_dir)
    assert card.task == "single-label"
    assert [each.threshold for each in card.classes] == [0.5, 0.5]

    evaluation = RecordingContext(project, "evaluate")
    result = evaluate.run(EvaluateSettings(run=context.run_id), evaluation)
    found = read_predictions(evaluation.run_dir / PREDICTIONS_NAME)
    assert (found.truth.sum(axis=1) == 1).all()
    assert (found.answers.sum(axis=1) == 1).all()
    assert any("are left out: the classifier gives one label" in each for each in result.notes)
    assert result.classification is not None
    right = float((found.answers == found.truth).all(axis=1).mean())
    assert result.classification.exact == pytest.approx(right)
    # Two classes: what one has missed, the other has falsely.
    assert result.classification.accuracy == pytest.approx(right)

    out = tmp_path / "one.onnx"
    exported = export_onnx.run(ExportOnnxSettings(out=str(out)), RecordingContext(project, "export-onnx"))
    assert exported.difference < 1e-4
    assert "against the strongest other class" in Path(exported.card).read_text(encoding="utf-8")
    classifier = load_classifier(context.run_dir, torch.device("cpu"))
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.uint8)
    scores = predict_presence(
        classifier.network, pixels, classifier.normalization, classifier.device, task=classifier.card.task
    )
    assert scores.sum(axis=1) == pytest.approx(np.ones(5))


def test_that_crowded_training_images_are_counted_and_refused_where_none_is_left(project: Project) -> None:
    context = RecordingContext(project, "train-classifier")
    result = train_classifier.run(_settings("real-crops"), context)
    assert any("training images show no class or several" in each for each in result.warnings)
    with pytest.raises(UserError, match="None of the 4 validation images"):
        train_classifier.run(_settings(side=96, crowd=12), RecordingContext(project, "train-classifier"))
