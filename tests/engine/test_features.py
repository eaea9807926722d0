"""Networks that describe images are told by the tensors of their file."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from synthstudio.core.imaging import sha256_of_file
from synthstudio.domain.errors import UserError
from synthstudio.engine.data.measured_images import ImageFacts
from synthstudio.engine.features import BuiltInFeatures, describe, open_features, resized
from synthstudio.engine.networks.feature_networks import recognise_network

IMAGES = [np.random.default_rng(number).integers(0, 255, (40, 50, 3)).astype(np.uint8) for number in range(3)]


def _save(path: Path, tensors: dict[str, Tensor]) -> str:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return str(path)


def test_that_a_resnet_file_describes_images_as_the_network_does_without_its_last_layer(tmp_path: Path) -> None:
    network = torchvision.models.resnet18(weights=None).eval()
    path = _save(tmp_path / "mine.safetensors", network.state_dict())
    features = open_features(path, "cpu")
    assert features.name == "resnet18 (mine.safetensors)"
    assert features.sha256 == sha256_of_file(Path(path))
    assert not features.is_published
    network.fc = torch.nn.Identity()
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = np.stack([(resized(each, 224) / 255 - mean) / std for each in IMAGES]).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    found = features.extract(IMAGES)
    assert found.shape == (3, 512)
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet34", "vit_small_patch16_224"])
def test_that_a_network_of_timm_is_recognised(name: str) -> None:
    found = recognise_network(timm.create_model(name, pretrained=False).state_dict())
    assert found is not None
    assert found.name == name
    assert found.side == 224


@pytest.mark.parametrize("name", ["mobilenet_v3_small"])
def test_that_a_network_of_torchvision_is_recognised(name: str) -> None:
    found = recognise_network(torchvision.models.get_model(name, weights=None).state_dict())
    assert found is not None
    assert found.name == name
    with torch.no_grad():
        assert found.network(torch.zeros(1, 3, 224, 224)).ndim == 2


def test_that_the_network_of_published_fids_answers_as_that_of_torch_fidelity(tmp_path: Path) -> None:
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    torch.manual_seed(3)
    tensors = _inception_tensors(n_classes=1008)
    path = tmp_path / "inception.pth"
    torch.save(tensors, path)
    theirs = module.FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(path))
    images = torch.randint(0, 255, (2, 3, 299, 299), dtype=torch.uint8)
    ours = recognise_network(tensors)
    assert ours is not None
    assert ours.is_published
    with torch.no_grad():
        expected = theirs(images)[0]
        found = ours.network((images.float() / 255 - ours.mean[0]) / ours.std[0])
    assert float((found - expected).abs().max()) < 1e-3 * float(expected.std())


def test_that_an_ordinary_inception_is_not_called_comparable() -> None:
    found = recognise_network(_inception_tensors(n_classes=1000))
    assert found is not None
    assert not found.is_published


def _inception_tensors(*, n_classes: int) -> dict[str, Tensor]:
    network = torchvision.models.inception_v3(
        weights=None, num_classes=n_classes, aux_logits=False, init_weights=False, transform_input=False
    )
    return dict(network.state_dict())


def test_that_a_file_of_another_network_is_refused_with_the_ones_that_are_known(tmp_path: Path) -> None:
    path = _save(tmp_path / "other.safetensors", {"head": torch.zeros(3)})
    with pytest.raises(UserError, match="no network that is known") as caught:
        open_features(path, "cpu")
    assert "resnet50" in caught.value.hint


def test_that_a_network_with_a_tensor_missing_is_not_taken_for_the_whole() -> None:
    tensors = torchvision.models.resnet18(weights=None).state_dict()
    del tensors["layer4.1.bn2.weight"]
    assert recognise_network(tensors) is None


def test_that_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        open_features(str(tmp_path / "nothing.safetensors"), "cpu")


def test_that_without_a_file_the_built_in_descriptor_serves() -> None:
    features = open_features("", "cpu")
    assert isinstance(features, BuiltInFeatures)
    assert "built-in" in features.name
    assert features.extract(IMAGES).shape[0] == 3


def test_that_images_are_described_as_they_come_without_their_exact_repeats() -> None:
    images = [*IMAGES, IMAGES[1].copy(), *(each[::-1] for each in IMAGES)] * 5
    facts = [ImageFacts(number, frozenset()) for number in range(len(images))]
    found = describe(zip(images, facts, strict=True), BuiltInFeatures())
    assert [each.sample for each in found.images] == [0, 1, 2, 4, 5, 6]
    assert found.n_duplicates == len(images) - 6
    assert np.array_equal(found.features, BuiltInFeatures().extract([images[row] for row in (0, 1, 2, 4, 5, 6)]))
    assert found.pictures.shape == (6, 3072)


def test_that_no_images_are_described_as_none() -> None:
    assert len(describe([], BuiltInFeatures())) == 0


def test_that_the_resizer_averages_when_it_shrinks() -> None:
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = resized(stripes, 60)[:, 5:-5]
    assert np.ptp(inner) < 4
