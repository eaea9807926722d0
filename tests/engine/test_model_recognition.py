"""Weights of torchvision and timm are named by their tensors' names and shapes, as the engine's own networks are."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
import torchvision

from synthstudio.core.models.recognition import recognise_model
from synthstudio.domain.models import ModelKind
from tests.support.tiny_diffusion import write_tiny_diffusion, write_tiny_upscaler
from tests.support.weight_files import write_hollow_weights


def _shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(each.shape) for name, each in network.state_dict().items()}


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet34", "resnet50", "wide_resnet50_2", "densenet121", "vgg16", "vgg16_bn", "vit_b_16"]
)
def test_that_networks_of_torchvision_are_named(tmp_path: Path, name: str) -> None:
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
    found = recognise_model(write_hollow_weights(tmp_path / "weights.safetensors", _shapes(network)))
    assert (found.what.kind, found.what.architecture) == (ModelKind.BACKBONE, name)


@pytest.mark.parametrize("name", ["mobilenet_v3_large", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny"])
def test_that_small_networks_of_torchvision_are_named(tmp_path: Path, name: str) -> None:
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
    found = recognise_model(write_hollow_weights(tmp_path / "weights.safetensors", _shapes(network)))
    assert found.what.architecture == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet50", "resnet50"),
        ("vit_base_patch16_224", "vit_base_patch16_224"),
        ("vit_small_patch14_dinov2", "vit_small_patch14_518"),
        ("convnext_tiny", "convnext_tiny"),
        ("mobilenetv3_large_100", "mobilenetv3"),
        ("efficientnet_b0", "efficientnet"),
        ("regnety_002", "a network for images"),
    ],
)
def test_that_networks_of_timm_are_named(tmp_path: Path, name: str, expected: str) -> None:
    with torch.device("meta"):
        network = timm.create_model(name, pretrained=False)
    found = recognise_model(write_hollow_weights(tmp_path / "weights.safetensors", _shapes(network)))
    assert (found.what.kind, found.what.architecture) == (ModelKind.BACKBONE, expected)


@pytest.mark.parametrize(("n_classes", "words"), [(1008, "as of published FIDs"), (1000, "not comparable")])
def test_that_the_inception_network_of_published_fids_is_told_from_torchvisions(
    tmp_path: Path, n_classes: int, words: str
) -> None:
    shapes = {"Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1), "fc.weight": (n_classes, 2048)}
    found = recognise_model(write_hollow_weights(tmp_path / "inception.safetensors", shapes))
    assert found.what.kind is ModelKind.FEATURES
    assert words in dict(found.what.facts)["Figures"]


def test_that_what_diffusers_itself_writes_is_recognised(tmp_path: Path) -> None:
    plain = recognise_model(write_tiny_diffusion(tmp_path / "plain", prediction="v_prediction"))
    assert plain.what.kind is ModelKind.STABLE_DIFFUSION
    assert dict(plain.what.facts)["Images"] == "64 px"
    assert dict(plain.what.facts)["Predicts"] == "v_prediction"
    upscaler = recognise_model(write_tiny_upscaler(tmp_path / "upscaler"))
    assert upscaler.what.kind is ModelKind.DIFFUSION_UPSCALER
