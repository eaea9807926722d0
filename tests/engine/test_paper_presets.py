"""The presets of the three papers: what they build is looked at from inside, and takes a step at full size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import ObjectClass, Role
from synthstudio.domain.scale import WorkingScale
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.data.material import Material
from synthstudio.engine.loops import build_optimizer, learning_rate
from synthstudio.engine.losses import build_loss
from synthstudio.engine.networks.base import AveragePool, ClassMapNetwork
from synthstudio.engine.networks.yolo import Yolo
from synthstudio.engine.training import build_training_network
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_classifier import TrainClassifierSettings
from synthstudio.settings.train_detector import TrainDetectorSettings

CPU = torch.device("cpu")


def _preset(name: str) -> TrainClassifierSettings:
    settings = read_recipe(resource_path("recipes") / f"train-classifier-paper-{name}.toml")
    assert isinstance(settings, TrainClassifierSettings)
    return settings


def _network(settings: TrainClassifierSettings, n_classes: int) -> ClassMapNetwork:
    material = Material(
        train=[],
        validation=[],
        is_exhaustive=True,
        classes=[
            ObjectClass(ClassId(number), f"c{number}", "#808080", "", Role.OBJECT, None, 40.0)
            for number in range(n_classes)
        ],
        artifacts=[],
        sizes_px=[40.0] * n_classes,
        scale=WorkingScale.choose(factor=1.0, um_per_px=0.0),
    )
    side = settings.composition.canvas_px
    return build_training_network(settings.network, material, side=side, seed=0, device=CPU)


def _n_weights(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def _take_step(network: ClassMapNetwork, settings: TrainClassifierSettings, *, n_classes: int) -> None:
    """One step on an image of noise at full size: a loss as guessing has it, and all weights move."""
    side = settings.composition.canvas_px
    images = torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros((1, n_classes))
    labels[:, 0] = 1.0
    shares = np.full(n_classes, 1 / n_classes)
    loss = build_loss(settings.loss, network, Normalization((127.5,) * 3, (74.0,) * 3), CPU, shares=shares)
    optimizer = build_optimizer(network, settings.optimization)
    before = [each.detach().clone() for each in network.parameters()]
    found = loss(images, labels)
    found.backward()  # type: ignore[no-untyped-call] # torch has no annotation for it
    optimizer.step()
    assert 0.0 < float(found.detach()) < 10.0
    assert all(not torch.equal(each, old) for each, old in zip(network.parameters(), before, strict=True))


@pytest.mark.slow
def test_that_the_preset_of_kushwaha_2020_is_vgg16_with_branches() -> None:
    settings = _preset("kushwaha-2020")
    network = _network(settings, 5)
    convolutions = [each for each in network.modules() if isinstance(each, nn.Conv2d) and each.kernel_size == (3, 3)]
    assert [each.out_channels for each in convolutions] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    # Those of VGG16's features, 14 714 688, two for each channel's batch norm, and 5 x (256 + 512 + 512) of the maps.
    assert _n_weights(network) == 14_714_688 + 2 * 4224 + 5 * 1280
    assert isinstance(network.pool, AveragePool)
    assert settings.composition.canvas_px == 384
    assert settings.optimization.steps * settings.optimization.batch_size == 10_000
    optimizer = build_optimizer(network, settings.optimization)
    assert type(optimizer) is torch.optim.AdamW
    assert {group["lr"] for group in optimizer.param_groups} == {1e-4}
    assert {group["betas"] for group in optimizer.param_groups} == {(0.9, 0.999)}
    _take_step(network, settings, n_classes=5)


@pytest.mark.slow
def test_that_the_preset_of_ghorbani_2019_is_mobilenet_for_crops_of_256_px() -> None:
    settings = _preset("ghorbani-2019")
    network = _network(settings, 27)
    assert _n_weights(network) == 2_971_952 + 27 * 960
    assert network.stride == 16
    assert settings.composition.canvas_px == 256
    assert settings.loss.task == "single-label"
    optimizer = build_optimizer(network, settings.optimization)
    assert type(optimizer) is torch.optim.RMSprop
    assert [group["weight_decay"] for group in optimizer.param_groups] == [1e-5, 0.0]
    _take_step(network, settings, n_classes=27)


@pytest.mark.slow
def test_that_the_preset_of_kularathne_2024_is_vit_b16_with_dropout_of_attention() -> None:
    settings = _preset("kularathne-2024")
    network = _network(settings, 2)
    # ViT-B/16 has 86 567 656 weights, 1000 x 769 of them in the head that is left out.
    assert _n_weights(network) == 86_567_656 - 769_000 + 2 * 768
    attentions = [each for each in network.modules() if isinstance(each, nn.MultiheadAttention)]
    assert [(each.embed_dim, each.num_heads, each.dropout) for each in attentions] == [(768, 12, 0.1)] * 12
    assert (network.stride, network.window_px) == (16, 224)
    optimization = settings.optimization
    optimizer = build_optimizer(network, optimization)
    assert type(optimizer) is torch.optim.RMSprop
    assert {learning_rate(step, optimization) for step in (0, 1200, 2399)} == {1e-4}
    # 150 epochs of 500 kept synthetic and 500 real images in batches of 64, the last of which is not full.
    assert (optimization.steps, optimization.batch_size) == (150 * 16, 64)
    assert (settings.real_share, settings.composition.canvas_px) == (0.5, 224)
    _take_step(network, settings, n_classes=2)


@pytest.mark.slow
def test_that_the_detector_of_kushwaha_2020_is_yolo_v2_at_416_px() -> None:
    settings = read_recipe(resource_path("recipes") / "train-detector-paper-kushwaha-2020.toml")
    assert isinstance(settings, TrainDetectorSettings)
    assert settings.network.name == "yolo-v2"
    side = settings.composition.canvas_px
    assert (side, settings.composition.canvas) == (416, "black")
    anchors = np.linspace(20.0, 120.0, settings.network.n_anchors)[:, None] * np.ones(2)
    network = Yolo(settings.network.name, 5, anchors, seed=0)
    optimizer = build_optimizer(network, settings.optimization)
    assert {group["lr"] for group in optimizer.param_groups} == {5e-4}
    before = [each.detach().clone() for each in network.parameters()]
    answers = network(torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(0)))
    marks = torch.tensor([[[1.0, 100.0, 120.0, 180.0, 190.0], [4.0, 300.0, 20.0, 390.0, 130.0]]])
    loss = network.loss(answers, marks, height=side, width=side)
    loss.backward()  # type: ignore[no-untyped-call] # torch has no annotation for it
    optimizer.step()
    assert torch.isfinite(loss)
    assert all(not torch.equal(each, old) for each, old in zip(network.parameters(), before, strict=True))
