from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from synthstudio.core.training.model_card import read_model_card
from synthstudio.engine.adaptation import adapt_statistics, has_statistics
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.jobs import train_classifier
from synthstudio.engine.networks.registry import build_network
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project

PLAIN = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CPU = torch.device("cpu")


def test_that_statistics_become_those_of_the_new_images_and_weights_stay() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3, momentum=0.1), nn.Conv2d(3, 2, 1))
    weights = {name: value.clone() for name, value in network.named_parameters()}
    pixels = np.random.default_rng(0).integers(0, 255, (130, 8, 8, 3)).astype(np.uint8)
    adapt_statistics(network, pixels, PLAIN, CPU)
    norm = network[0]
    assert norm.running_mean.numpy() == pytest.approx(pixels.mean(axis=(0, 1, 2)), rel=1e-4)
    assert norm.running_var.numpy() == pytest.approx(pixels.var(axis=(0, 1, 2)), rel=2e-3)
    assert norm.momentum == 0.1
    assert not any(each.training for each in network.modules())
    assert all(torch.equal(value, weights[name]) for name, value in network.named_parameters())


def test_that_adapting_twice_changes_nothing_more() -> None:
    network = build_network("small-cam", 2, seed=1)
    assert has_statistics(network)
    pixels = np.random.default_rng(0).integers(0, 255, (70, 32, 32, 3)).astype(np.uint8)
    states = []
    for _ in range(2):
        adapt_statistics(network, pixels, PLAIN, CPU)
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_that_a_training_can_end_with_adapted_statistics(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path, n_train=3, n_val=2, n_test=1)
    facts, tensors = [], []
    for batch_norm in ("training", "adapted"):
        settings = TrainClassifierSettings.model_validate(
            {
                "batch_norm": batch_norm,
                "optimization": {"steps": 4, "batch_size": 4, "evaluate_every": 2, "workers": 0},
                "composition": {"canvas_px": 64, "n_objects_max": 5},
                "patches": {"auto_scale": False},
            }
        )
        context = RecordingContext(project, "train-classifier")
        train_classifier.run(settings, context)
        best = load_checkpoint(context.run_dir / "checkpoints" / "best.safetensors")
        facts.append(best.facts)
        tensors.append(best.part("network"))
        assert read_model_card(context.run_dir).classes
    plain, adapted = tensors
    differing = {name for name in plain if not torch.equal(plain[name], adapted[name])}
    assert differing
    assert all("running_" in name or "num_batches" in name for name in differing)
    assert facts[0] == facts[1]
    assert len(context.metrics("f1/adapted")) == 1
