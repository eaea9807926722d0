from pathlib import Path

import pytest
import torch
from pytorch_grad_cam import GradCAM
from torch import Tensor, nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import load_checkpoint, restore_network, save_checkpoint
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.networks.pretrained import Fit, load_backbone
from synthstudio.engine.networks.registry import build_network, build_pool, choose_stride
from synthstudio.engine.networks.small_cam import SmallCam
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.engine.networks.vgg16_branches import Vgg16Branches

SMALL = [("small-cam", 4), ("small-cam", 8), ("small-cam", 16)]
ALL = [*SMALL, ("vgg16-branches", 8)]


def _settled(name: str, stride: int, pooling: str = "lse") -> ClassMapNetwork:
    """A network in eval mode whose batch norms have seen something, so that they are no identity."""
    network = build_network(name, 3, stride=stride, pooling=pooling, seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        network(torch.randn((4, 3, 64, 64), generator=generator))
    return network.eval()


@pytest.mark.parametrize(("name", "stride"), ALL)
def test_that_a_network_gives_one_logit_and_one_map_per_class(name: str, stride: int) -> None:
    logits, maps = _settled(name, stride)(torch.zeros((2, 3, 64, 96)))
    assert logits.shape == (2, 3)
    assert maps.shape == (2, 3, 64 // stride, 96 // stride)


@pytest.mark.parametrize(("name", "stride"), ALL)
def test_that_tiles_equal_one_pass_over_the_whole_image(name: str, stride: int) -> None:
    network = _settled(name, stride)
    height, width = (413, 500) if name == "small-cam" else (300, 340)
    image = torch.randn((3, height, width), generator=torch.Generator().manual_seed(2))
    whole = tiled_grid(network, image, tile_px=4096)
    tiled = tiled_grid(network, image, tile_px=112)
    assert whole.shape == (3, -(-height // stride), -(-width // stride))
    assert torch.allclose(tiled, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_that_a_cell_is_centred_on_its_pixels(stride: int) -> None:
    network = _settled("small-cam", stride)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0)  # nothing is cut off by a ReLU: the maps see the whole kernel
    image = torch.zeros((1, 3, 256, 256), requires_grad=True)
    network.class_maps(image + 1.0)[0, 0, 128 // stride, 128 // stride].backward()
    assert image.grad is not None
    seen = image.grad[0, 0].abs()
    positions = torch.arange(256) + 0.5
    middle = float((seen.sum(dim=0) * positions).sum() / seen.sum())
    assert middle == pytest.approx(128 + stride / 2, abs=1e-3)


@pytest.mark.parametrize(("name", "stride"), SMALL)
def test_that_nothing_beyond_the_halo_touches_a_cell(name: str, stride: int) -> None:
    network = _settled(name, stride)
    image = torch.zeros((1, 3, 256, 256), requires_grad=True)
    network.class_maps(image)[0, 0, 128 // stride, 128 // stride].backward()
    assert image.grad is not None
    rows = torch.nonzero(image.grad[0].abs().sum(dim=(0, 2)))[:, 0]
    assert int(rows.min()) >= 128 - network.halo_px
    assert int(rows.max()) < 128 + stride + network.halo_px


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


def test_that_the_map_equals_that_of_pytorch_grad_cam() -> None:
    network = _settled("small-cam", 8, pooling="gap")
    assert isinstance(network, SmallCam)
    image = torch.randn((1, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    maps = network.class_maps(image)[0].detach().numpy()
    with GradCAM(model=_MapOnly(network), target_layers=[network.features[-1]]) as reference:
        for class_index in range(3):
            reference(image, targets=[_Logit(class_index)])
            activations = reference.activations_and_grads.activations[0].numpy()
            gradients = reference.activations_and_grads.gradients[0].numpy()
            theirs = reference.get_cam_image(
                image, reference.target_layers[0], [_Logit(class_index)], activations, gradients, False
            )[0]
            # The gradient of an average over n cells is the weight over n.
            assert theirs * maps[class_index].size == pytest.approx(maps[class_index], abs=1e-5)


def test_that_sharp_pooling_lies_between_average_and_maximum() -> None:
    maps = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    average, top = build_pool("gap", sharpness=5)(maps), build_pool("max", sharpness=5)(maps)
    lse = build_pool("lse", sharpness=5)(maps)
    assert ((average < lse) & (lse < top)).all()
    assert torch.allclose(build_pool("lse", sharpness=1e-3)(maps), average, atol=1e-2)
    assert torch.allclose(lse, (torch.exp(5 * maps).mean(dim=(2, 3))).log() / 5, atol=1e-5)


def test_that_the_logits_of_the_branches_are_averaged() -> None:
    network = _settled("vgg16-branches", 8, pooling="gap")
    assert isinstance(network, Vgg16Branches)
    image = torch.randn((1, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    branches = network.branch_maps(image)
    assert [each.shape[-1] for each in branches] == [16, 8, 4]
    expected = torch.stack([each.mean(dim=(2, 3)) for each in branches]).mean(dim=0)
    assert torch.allclose(network(image)[0], expected, atol=1e-6)


def test_that_the_backbone_has_the_thirteen_convolutions_of_vgg16() -> None:
    network = build_network("vgg16-branches", 2)
    channels = [
        each.out_channels for each in network.modules() if isinstance(each, nn.Conv2d) and each.kernel_size == (3, 3)
    ]
    assert channels == [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def test_that_the_same_seed_builds_the_same_network_and_leaves_the_global_one_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = build_network("small-cam", 2, seed=4), build_network("small-cam", 2, seed=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_that_a_saved_network_gives_the_same_output(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    network, other = _settled("small-cam", 8), build_network("small-cam", 3, seed=9).eval()
    save_checkpoint(path, {"network": network.state_dict()}, {"step": 3})
    checkpoint = load_checkpoint(path)
    restore_network(other, checkpoint.part("network"), source=str(path))
    image = torch.randn((1, 3, 32, 32))
    assert torch.equal(network(image)[1], other(image)[1])
    assert checkpoint.facts == {"step": 3}
    with pytest.raises(UserError, match="do not fit"):
        restore_network(build_network("small-cam", 2), checkpoint.part("network"), source="net.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        load_checkpoint(path)


def test_that_pretrained_weights_go_into_the_backbone_alone() -> None:
    source, network = build_network("vgg16-branches", 5, seed=1), build_network("vgg16-branches", 2, seed=2)
    weights = {k: v for k, v in source.state_dict().items() if k.startswith("features.")}
    weights["classifier.0.weight"] = torch.zeros(1)
    head = network.state_dict()["heads.0.weight"].clone()
    assert load_backbone(network, weights, source="vgg") == Fit(len(weights) - 1, 1)
    assert torch.equal(network.state_dict()["features.0.weight"], weights["features.0.weight"])
    assert torch.equal(network.state_dict()["heads.0.weight"], head)
    with pytest.raises(UserError, match="do not fit"):
        load_backbone(network, {"classifier.0.weight": torch.zeros(1)}, source="other")


def test_that_small_objects_get_a_finer_map() -> None:
    assert choose_stride("8", smallest_px=10) == 8
    assert choose_stride("auto", smallest_px=60) == 8
    assert choose_stride("auto", smallest_px=12) == 4


def test_that_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="small-cam"):
        build_network("resnet", 2)
    with pytest.raises(UserError, match="lse"):
        build_network("small-cam", 2, pooling="median")


def test_that_a_checkpoint_has_the_same_bytes_each_time_and_no_changed_byte_passes(tmp_path: Path) -> None:
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    parts = {"network": {"weight": torch.arange(5.0), "count": torch.tensor(3)}}
    for each in (path, other):
        save_checkpoint(each, parts, {"step": 3, "name": "Erythrozyt \u00e9"})
    good = path.read_bytes()
    assert good == other.read_bytes()
    key = good.index(b'"sha256"')
    for place in range(len(good)):
        if key < place <= key + 6:
            continue  # without its hash a file is one of an earlier version
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(UserError, match=r"damaged|not a checkpoint"):
            load_checkpoint(path)
