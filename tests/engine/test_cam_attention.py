"""The attention method on networks whose attention is known, and windows for networks that see all of their input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.domain.errors import UserError
from synthstudio.engine.cam_attention import attention_maps, require_attention
from synthstudio.engine.cam_maps import MapMaker, with_random_weights
from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.networks.base import AveragePool
from synthstudio.engine.networks.registry import build_network

SIDE = 4


class _Watcher(nn.Module):
    """Every patch looks at patch `source` alone, with so much weight; evidence is what it finds there and itself."""

    def __init__(self, source: int, weight: float) -> None:
        super().__init__()
        self.pool = AveragePool()
        self._source, self._weight = source, weight

    def maps_with_attention(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        n = SIDE * SIDE
        content = torch.cat([torch.zeros((len(images), 1)), images.mean(dim=1).flatten(1)], dim=1)  # (N, T)
        attention = torch.zeros((n + 1, n + 1))
        attention[:, 1 + self._source] = self._weight
        attention = attention.expand(len(images), 1, -1, -1).clone().requires_grad_()
        found = content + (attention[:, 0] @ content[:, :, None])[:, :, 0]
        return found[:, 1:].reshape(-1, 1, SIDE, SIDE), [attention]


def _image(hot: dict[int, float]) -> Tensor:
    image = torch.zeros((1, 3, SIDE * SIDE))
    for place, value in hot.items():
        image[0, :, place] = value
    return image.reshape(1, 3, SIDE, SIDE)


def test_that_evidence_is_followed_to_where_attention_found_it() -> None:
    (cam,) = attention_maps(_Watcher(source=5, weight=2.0), _image({5: 1.0}))[0]
    plain, _ = _Watcher(source=5, weight=2.0).maps_with_attention(_image({5: 1.0}))
    assert int(plain.argmax()) == 5
    assert plain.min() > 0  # the class map alone shows every patch
    assert int(cam.argmax()) == 5
    assert cam.flatten()[5] > 10 * cam.flatten()[6]
    assert cam.sum() == pytest.approx(float(plain.detach().sum()), rel=1e-4)


def test_that_without_use_of_attention_the_map_is_the_positive_evidence_itself() -> None:
    (cam,) = attention_maps(_Watcher(source=0, weight=0.0), _image({3: 2.0, 7: -1.0}))[0]
    assert cam.flatten()[3] == pytest.approx(2.0)
    assert cam.flatten()[7] == 0
    assert cam.sum() == pytest.approx(2.0)


def test_that_without_evidence_the_map_is_empty() -> None:
    assert attention_maps(_Watcher(source=2, weight=1.0), _image({2: -1.0}))[0].abs().max() == 0


def test_that_a_network_without_attention_is_refused() -> None:
    with pytest.raises(UserError, match="for networks with attention"):
        require_attention(build_network("small-cam", 2))


def _classifier(name: str, *, n_classes: int = 2, side: int = 64) -> TrainedClassifier:
    torch.set_num_threads(1)
    network = build_network(name, n_classes, seed=3, side=side).eval()
    card = ModelCard.model_construct(
        network=name,
        stride=network.stride,
        classes=tuple(ModelClass(name=f"class {number}", size_px=20.0) for number in range(n_classes)),
        scale=1.0,
        um_per_px=0.0,
        side=side,
        mean=(128.0, 128.0, 128.0),
        std=(64.0, 64.0, 64.0),
    )
    return TrainedClassifier(network, card, torch.device("cpu"))


@pytest.mark.parametrize("method", ["grad-cam", "layer-cam"])
def test_that_a_network_that_sees_its_whole_input_is_explained_in_windows(method: str) -> None:
    classifier = _classifier("mobilenet-v3")
    assert not classifier.network.is_local
    image = np.random.default_rng(0).integers(0, 255, (100, 130, 3)).astype(np.uint8)
    maker = MapMaker(classifier, method)  # type: ignore[arg-type]  # the words of the parametrisation
    cams, stride = maker.make(image)
    assert cams.shape == (2, -(-100 // stride), -(-130 // stride))
    assert np.isfinite(cams).all()
    small, _ = maker.make(image[:64, :64])
    assert small.shape == (2, 64 // stride, 64 // stride)


def test_that_a_vision_transformer_is_explained_by_its_attention() -> None:
    classifier = _classifier("vit-b16", n_classes=1, side=32)
    image = np.random.default_rng(0).integers(0, 255, (40, 70, 3)).astype(np.uint8)
    cams, stride = MapMaker(classifier, "attention").make(image)
    own, _ = MapMaker(classifier, "cam").make(image)
    assert cams.shape == own.shape == (1, -(-40 // stride), -(-70 // stride))
    assert np.isfinite(cams).all()
    assert cams.min() >= 0
    weighed, _ = MapMaker(classifier, "grad-cam").make(image)
    assert weighed.shape == own.shape


def test_that_random_weights_differ_and_depend_on_the_seed_alone() -> None:
    classifier = _classifier("small-cam")
    one, same, other = (with_random_weights(classifier, seed=seed) for seed in (1, 1, 2))
    weights = [each.network.get_parameter("features.0.weight") for each in (classifier, one, same, other)]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[1], weights[3])
    assert dataclasses.replace(one, network=classifier.network) == classifier
