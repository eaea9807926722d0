"""Gradient methods against pytorch-grad-cam, and tiles against one pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM
from pytorch_grad_cam.base_cam import BaseCAM
from torch import Tensor, nn

from synthstudio.domain.errors import UserError
from synthstudio.engine import cam_tiles
from synthstudio.engine.cam_methods import GradientMethod
from synthstudio.engine.cam_seeds import relative_gradient
from synthstudio.engine.cam_tiles import TiledGradients
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.networks.registry import build_network, build_pool

SIDE = 64
STRENGTH = 3e4
REFERENCES: dict[GradientMethod, type[BaseCAM]] = {
    "grad-cam": GradCAM,
    "grad-cam++": GradCAMPlusPlus,
    "layer-cam": LayerCAM,
}
METHODS = tuple(REFERENCES)


class _MapOnly(nn.Module):
    def __init__(self, network: ClassMapNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)[0]  # type: ignore[no-any-return]


class _Logit:
    def __init__(self, class_index: int) -> None:
        self.class_index = class_index

    def __call__(self, output: Tensor) -> Tensor:
        return output[self.class_index]


def _network(name: str = "small-cam", *, stride: int = 8, pooling: str = "lse", n_classes: int = 3) -> ClassMapNetwork:
    """A network whose batch norm has seen something, with a head so strong that the squares of its gradients lie far
    above the 1e-6 that the reference adds to them; a soft pooling keeps the answers of all places alive."""
    torch.set_num_threads(1)
    network = build_network(name, n_classes, stride=stride, pooling=pooling, sharpness=5.0 / STRENGTH, seed=5)
    generator = torch.Generator().manual_seed(1)
    network.train()
    with torch.no_grad():
        network(torch.randn((4, 3, SIDE, SIDE), generator=generator))
        for each in network.modules():
            if isinstance(each, nn.Conv2d) and each.kernel_size == (1, 1) and each.bias is None:
                each.weight *= STRENGTH
    return network.eval()


def _image(height: int = SIDE, width: int = SIDE, seed: int = 3) -> Tensor:
    return torch.randn((3, height, width), generator=torch.Generator().manual_seed(seed))


def _explain(
    network: ClassMapNetwork,
    image: Tensor,
    method: GradientMethod,
    *,
    layer: str = "",
    window_px: int = SIDE,
    tile_px: int = 4096,
) -> NDArray[np.float32]:
    found = TiledGradients(network, image, method=method, layer=layer, window_px=window_px, tile_px=tile_px)
    return found.run().numpy()


def _reference(
    network: ClassMapNetwork, image: Tensor, method: GradientMethod, layer: str, class_index: int
) -> NDArray[np.float32]:
    """What pytorch-grad-cam makes before it cuts off the negative and stretches to 0-1, times the number of cells."""
    with REFERENCES[method](model=_MapOnly(network), target_layers=[network.get_submodule(layer)]) as reference:
        reference(image[None], targets=[_Logit(class_index)])
        features = reference.activations_and_grads.activations[0].numpy()
        found = reference.activations_and_grads.gradients[0].numpy()
        target = [_Logit(class_index)]
        theirs = reference.get_cam_image(image[None], reference.target_layers[0], target, features, found, False)[0]
    return np.asarray(theirs if method == "grad-cam++" else theirs * theirs.size, np.float32)


@pytest.mark.parametrize("pooling", ["gap", "lse", "max"])
@pytest.mark.parametrize("layer", ["features", "features.11"])
@pytest.mark.parametrize("method", METHODS)
def test_that_maps_equal_those_of_pytorch_grad_cam(method: GradientMethod, layer: str, pooling: str) -> None:
    network, image = _network(pooling=pooling), _image()
    ours = _explain(network, image, method, layer=layer)
    for class_index, own in enumerate(ours):
        theirs = _reference(network, image, method, layer, class_index)
        assert own / np.abs(theirs).max() == pytest.approx(theirs / np.abs(theirs).max(), abs=1e-5)


@pytest.mark.parametrize("method", ["grad-cam++", "layer-cam"])
def test_that_maps_of_a_network_with_branches_equal_those_of_pytorch_grad_cam(method: GradientMethod) -> None:
    network, image = _network("vgg16-branches", n_classes=1), _image()
    layer = network.feature_layer
    theirs = _reference(network, image, method, layer, 0)
    (own,) = _explain(network, image, method)
    assert own / np.abs(theirs).max() == pytest.approx(theirs / np.abs(theirs).max(), abs=1e-5)


@pytest.mark.parametrize("pooling", ["gap", "lse", "max"])
def test_that_grad_cam_at_the_head_is_the_class_map_itself(pooling: str) -> None:
    network, image = _network(pooling=pooling), _image()
    with torch.no_grad():
        maps = network.class_maps(image[None])[0].numpy()
    assert _explain(network, image, "grad-cam") == pytest.approx(maps, rel=1e-4, abs=1e-4 * float(np.abs(maps).max()))


@pytest.mark.parametrize("layer", ["", "features.8"])
@pytest.mark.parametrize("method", METHODS)
def test_that_tiles_equal_one_pass(method: GradientMethod, layer: str) -> None:
    network, image = _network(), _image(200, 270)
    whole = _explain(network, image, method, layer=layer)
    tiled = _explain(network, image, method, layer=layer, tile_px=64)
    assert whole.shape == ((3, 25, 34) if not layer else (3, 50, 68))
    assert tiled / np.abs(whole).max() == pytest.approx(whole / np.abs(whole).max(), abs=1e-5)


def test_that_no_more_is_read_at_once_than_a_tile_and_what_surrounds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    network, image = _network(), _image(60, 700)
    read: list[int] = []
    pooled = network.pooled_maps
    monkeypatch.setattr(network, "pooled_maps", lambda images: read.append(images.shape[3]) or pooled(images))
    maps = _explain(network, image, "grad-cam", tile_px=64)
    assert maps.shape == (3, 8, 88)
    assert max(read) == 64 + 2 * network.halo_px < 700


def test_that_features_that_were_too_many_to_keep_are_computed_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    network, image = _network(), _image(80, 100)
    kept = _explain(network, image, "grad-cam++", tile_px=64)
    monkeypatch.setattr(cam_tiles, "KEPT_BYTES", 0)
    assert _explain(network, image, "grad-cam++", tile_px=64) == pytest.approx(kept, rel=1e-5)


def test_that_tiles_of_a_network_with_branches_equal_one_pass() -> None:
    network, image = _network("vgg16-branches", n_classes=1), _image(32, 416)
    whole = _explain(network, image, "layer-cam")
    tiled = _explain(network, image, "layer-cam", tile_px=64)
    assert tiled / np.abs(whole).max() == pytest.approx(whole / np.abs(whole).max(), abs=1e-4)


def test_that_the_answer_of_a_large_image_is_taken_window_by_window() -> None:
    """With average pooling each cell counts the same; with the maximum each window has its own hottest cell."""
    maps = torch.zeros((1, 12, 30))
    maps[0, 6, 3], maps[0, 6, 26] = 9.0, 1.0
    even, presence = relative_gradient(maps, build_pool("gap", sharpness=5.0), window=8)
    assert torch.allclose(even, torch.full_like(even, 0.5), atol=0.05)  # each window says "present" with 1 / 2
    assert presence[0] == pytest.approx(0.5, abs=0.05)
    hottest, _ = relative_gradient(maps, build_pool("max", sharpness=5.0), window=8)
    assert hottest[0, 6, 3] == hottest[0].max() == pytest.approx(64, rel=1e-3)
    assert hottest[0, 6, 26] == pytest.approx(64 * torch.tensor(1.0).sigmoid().item(), rel=1e-3)
    whole, one = relative_gradient(maps, build_pool("max", sharpness=5.0), window=100)
    assert whole[0, 6, 26] == 0
    assert whole[0, 6, 3] == maps[0].numel()
    assert one[0] == 1


def test_that_windows_without_the_class_stay_dark() -> None:
    """A gradient is as strong where there is nothing as where there is something; the answer of the window is not."""
    maps = torch.full((1, 8, 40), -12.0)
    maps[0, 4, 4] = 12.0
    found, _ = relative_gradient(maps, build_pool("max", sharpness=5.0), window=8)
    assert found[0, 4, 4] > 60
    assert found[0, :, 16:].abs().max() < 1e-3


def test_that_a_layer_that_does_not_exist_or_fit_is_named_with_its_neighbours() -> None:
    network, image = _network(), _image()
    with pytest.raises(UserError, match=r"no layer \"featuers\.3\"") as caught:
        _explain(network, image, "grad-cam", layer="featuers.3")
    assert "features.3" in caught.value.hint
    with pytest.raises(UserError, match=r"does not lead to the answer|takes no part"):
        _explain(network, image, "grad-cam", layer="pool")


def test_that_a_network_learns_on_after_it_was_explained() -> None:
    network = _network()
    _explain(network, _image(), "layer-cam")
    assert all(each.requires_grad for each in network.parameters())
    assert not network.get_submodule("features")._forward_hooks
