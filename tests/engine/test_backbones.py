"""Networks that other people designed: their layers, where their cells lie, and their pretrained weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import mobilenet_v3_large, vit_b_16

from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.networks.backbone_cam import BackboneCam
from synthstudio.engine.networks.base import AveragePool, ClassMapNetwork, GridNetwork
from synthstudio.engine.networks.centered import CenteredFeatures, Geometry, measure_geometry
from synthstudio.engine.networks.mobilenet_v3 import hold_stride
from synthstudio.engine.networks.pretrained import NO_WEIGHTS, load_backbone
from synthstudio.engine.networks.registry import build_network
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.engine.networks.timm_backbone import TimmStage
from synthstudio.engine.networks.vit import VitCam
from synthstudio.engine.networks.windows import window_starts, windowed_grid

LOCAL = [("timm:resnet18", 8), ("timm:resnet10t", 4), ("timm:convnext_atto", 8), ("timm:regnetx_002", 16)]
WINDOWED = [("mobilenet-v3", 8), ("vit-b16", 8), ("timm:tf_efficientnet_b0", 8)]


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _settled(name: str, stride: int, *, side: int = 64) -> ClassMapNetwork:
    """A network in eval mode whose batch norms have seen something, so that they are no identity."""
    network = build_network(name, 3, stride=stride, side=side, seed=1)
    with torch.no_grad():
        network(_noise(4, 3, side, side))
    return network.eval()


@pytest.mark.parametrize(("name", "stride"), LOCAL)
def test_that_tiles_of_a_timm_backbone_equal_one_pass(name: str, stride: int) -> None:
    network = _settled(name, stride)
    assert network.is_local
    image = _noise(3, 300, 2 * network.halo_px + 260, seed=2)
    whole = tiled_grid(network, image, tile_px=4096)
    assert whole.shape == (3, -(-300 // stride), -(-image.shape[2] // stride))
    spread = float(whole.max() - whole.min())
    assert torch.allclose(tiled_grid(network, image, tile_px=112), whole, atol=1e-5 * max(1.0, spread), rtol=0)


@pytest.mark.parametrize(("name", "stride"), WINDOWED)
def test_that_a_network_whose_cells_see_everything_reads_windows_of_its_training(name: str, stride: int) -> None:
    network = _settled(name, stride)
    assert not network.is_local
    assert network.window_px == 64
    image = _noise(3, 64, 64, seed=3)
    with torch.no_grad():
        logits, maps = network(image[None])
    assert logits.shape == (1, 3)
    assert maps.shape == (1, 3, 64 // stride, 64 // stride)
    assert torch.allclose(tiled_grid(network, image), maps[0], atol=1e-5)
    whole = tiled_grid(network, _noise(3, 100, 90), tile_px=64)
    assert whole.shape == (3, -(-100 // stride), -(-90 // stride))
    assert torch.isfinite(whole).all()


class _Brightness(GridNetwork):
    """Answers with the mean of all that it sees, everywhere: the worst seams that there can be."""

    stride, alignment, halo_px, window_px = 4, 8, 0, 64

    def grid(self, images: torch.Tensor) -> torch.Tensor:
        shape = (len(images), 1, images.shape[2] // 4, images.shape[3] // 4)
        return images.mean(dim=(1, 2, 3)).reshape(-1, 1, 1, 1).expand(shape)


def test_that_windows_fade_into_one_another_without_a_seam() -> None:
    image = torch.zeros((3, 104, 264))
    image[:, :, 132:] = 1.0
    found = windowed_grid(_Brightness(), image)
    assert found.shape == (1, 26, 66)
    # Neighbouring windows differ by a half at most, and 8 cells lie between their middles.
    assert float((found[0, :, 1:] - found[0, :, :-1]).abs().max()) <= 1.01 * 0.5 / 8
    assert float(found[0, :, 0].max()) == 0.0
    assert float(found[0, :, -1].min()) == pytest.approx(1.0)


def test_that_windows_cover_an_axis_and_end_with_it() -> None:
    assert window_starts(64, window=64, alignment=16) == [0]
    assert window_starts(80, window=64, alignment=16) == [0, 16]
    assert window_starts(208, window=64, alignment=16) == [0, 32, 64, 96, 128, 144]
    assert window_starts(48, window=16, alignment=16) == [0, 16, 32]


@pytest.mark.parametrize(
    ("name", "stride", "offset"),
    [
        ("resnet18", 8, 0.0),
        ("resnet10t", 8, 1.0),
        ("convnext_atto", 16, 7.5),
        ("tf_efficientnet_b0", 8, 7.0),
        ("mobilenetv3_small_050", 4, 0.0),
    ],
)
def test_that_the_middle_of_a_cell_is_measured(name: str, stride: int, offset: float) -> None:
    reductions = timm.create_model(name, features_only=True).feature_info.reduction()
    geometry = measure_geometry(TimmStage(name, reductions.index(stride)), stride=stride)
    assert geometry.offset_px == offset
    assert geometry.idle == ()


class _Strided(nn.Module):
    """Three strided convolutions of ones, so that nothing but the geometry is seen."""

    def __init__(self, kernel: int, padding: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(3, 3, kernel, 2, padding) for _ in range(3)))
        for layer in self.layers:
            nn.init.ones_(layer.weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers(images)
        return result


@pytest.mark.parametrize(("kernel", "padding"), [(3, 1), (5, 2), (4, 1), (2, 0)])
def test_that_a_cell_is_centred_on_its_pixels_to_half_a_pixel(kernel: int, padding: int) -> None:
    backbone = _Strided(kernel, padding)
    geometry = measure_geometry(backbone, stride=8)
    assert geometry.reach_px is not None
    centred = CenteredFeatures(backbone, geometry)
    image = torch.ones((1, 3, 128, 128), requires_grad=True)
    features = centred(image)
    assert features.shape[2:] == (16, 16)
    features[0, 0, 8, 8].backward()
    assert image.grad is not None
    weight = image.grad[0, 0].sum(dim=0)
    middle = float((weight * (torch.arange(128) + 0.5)).sum() / weight.sum())
    assert abs(middle - 68) <= 0.5
    touched = torch.nonzero(weight)[:, 0]
    reach = geometry.reach_px + geometry.stride
    assert 64 - reach <= int(touched.min())
    assert int(touched.max()) < 72 + reach


def test_that_spread_kernels_answer_as_the_strided_ones_did() -> None:
    strided, held = (mobilenet_v3_large(weights=None).features.eval() for _ in range(2))
    held.load_state_dict(strided.state_dict())
    hold_stride(held, 8)
    for each in (strided, held):
        for module in each.modules():
            if type(module).__name__ == "SqueezeExcitation":  # it averages over the image: the places differ
                module.forward = nn.Identity()  # type: ignore[method-assign]
    image = _noise(1, 3, 128, 128)
    with torch.no_grad():
        few, many = strided(image), held(image)
    assert (few.shape[2:], many.shape[2:]) == ((4, 4), (16, 16))
    assert torch.allclose(many[:, :, ::4, ::4], few, atol=1e-6)


def test_that_mobilenet_has_the_layers_of_the_published_one() -> None:
    published = mobilenet_v3_large(weights=None).features
    network = build_network("mobilenet-v3", 27, stride=16)
    assert isinstance(network, BackboneCam)
    assert sum(each.numel() for each in network.features.parameters()) == sum(
        each.numel() for each in published.parameters()
    )
    assert network.head.weight.shape == (27, 960, 1, 1)
    assert network.head.bias is None
    geometry = measure_geometry(network.features.get_submodule("backbone"), stride=16)
    assert geometry == Geometry(16, 0.0, None)


@pytest.fixture(scope="module")
def transformer() -> VitCam:
    """One for all tests of this module: it has 86 million weights. They change them, but hold for any."""
    network = build_network("vit-b16", 2, stride=16, side=224, pooling="gap", attention_dropout=0.5, seed=1)
    assert isinstance(network, VitCam)
    return network


def test_that_the_transformer_answers_as_torchvisions_does(transformer: VitCam) -> None:
    published = vit_b_16(weights=None).eval()
    with torch.no_grad():
        published.encoder.pos_embedding.normal_(std=0.5, generator=torch.Generator().manual_seed(3))
        published.class_token.normal_(std=0.5, generator=torch.Generator().manual_seed(4))
    network = transformer.eval()
    fit = load_backbone(network, published.state_dict(), source="vit")
    assert (fit.n_taken, fit.n_left) == (150, 2)
    image = _noise(1, 3, 224, 224)
    with torch.no_grad():
        patches = published.conv_proj(image).flatten(2).transpose(1, 2)
        tokens = published.encoder(torch.cat([published.class_token, patches], dim=1))
        features = network.features(image)
        maps, attentions = network.maps_with_attention(image)
        expected = network.class_maps(image)
    assert torch.allclose(features.flatten(2).transpose(1, 2), tokens[:, 1:], atol=1e-4)
    assert torch.allclose(maps, expected, atol=1e-4)
    assert [tuple(each.shape) for each in attentions] == [(1, 12, 197, 197)] * 12
    assert torch.allclose(attentions[5].sum(dim=3), torch.ones((1, 12, 197)), atol=1e-5)


def test_that_the_dropout_of_attention_is_at_work_in_training_alone(transformer: VitCam) -> None:
    network = transformer
    assert all(each.dropout == 0.5 for each in network.modules() if isinstance(each, nn.MultiheadAttention))
    image = _noise(1, 3, 32, 32)
    with torch.no_grad():
        first, second = network.train()(image)[0], network(image)[0]
        network.eval()
        assert not torch.equal(first, second)
        assert torch.equal(network(image)[0], network(image)[0])
    network.train()
    state = {name: each.clone() for name, each in network.state_dict().items()}
    before = torch.random.get_rng_state()
    with torch.no_grad():
        third = network(image)[0]
        assert not torch.equal(third, second)
        torch.manual_seed(9)
        network.load_state_dict(state)
        assert torch.equal(network(image)[0], third)  # as after a resume
        torch.random.set_rng_state(before)
        network(image)
    assert torch.equal(torch.random.get_rng_state(), before)
    network(image)[0].sum().backward()
    assert all(each.grad is not None for each in network.parameters())


def _of_timm(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names of torchvision's transformer as timm has them, for a network of 384 px; written out by hand."""
    named: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        new = name.replace("encoder.layers.encoder_layer_", "blocks.")
        for ours, theirs in (
            ("ln_1", "norm1"),
            ("ln_2", "norm2"),
            ("self_attention.in_proj_", "attn.qkv."),
            ("self_attention.out_proj", "attn.proj"),
            ("mlp.0", "mlp.fc1"),
            ("mlp.3", "mlp.fc2"),
            ("conv_proj", "patch_embed.proj"),
            ("encoder.ln.", "norm."),
            ("class_token", "cls_token"),
            ("encoder.pos_embedding", "pos_embed"),
        ):
            new = new.replace(ours, theirs)
        named[new] = tensor
    return named


def _names_of_timm(name: str) -> set[str]:
    with torch.device("meta"):
        return set(timm.create_model(name).state_dict())


def test_that_timms_transformer_for_another_size_fits_too(transformer: VitCam) -> None:
    network = transformer
    source = {
        name.removeprefix("features."): each + 1.0
        for name, each in network.state_dict().items()
        if name.startswith("features.") and not name.endswith(NO_WEIGHTS)
    }
    assert set(_of_timm(source)) <= _names_of_timm("vit_base_patch16_384")
    given = _of_timm(source)
    given["pos_embed"] = _noise(1, 1 + 24 * 24, 768)
    assert load_backbone(network, given, source="timm").n_taken == 150
    places = network.state_dict()["features.encoder.pos_embedding"]
    assert places.shape == (1, 197, 768)
    assert torch.equal(places[:, 0], given["pos_embed"][:, 0])
    key = "encoder.layers.encoder_layer_3.self_attention.in_proj_weight"
    assert torch.equal(network.state_dict()[f"features.{key}"], source[key])


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto", "mobilenetv3_small_050"])
def test_that_weights_of_a_whole_timm_network_fit_its_stage(name: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    whole = timm.create_model(name, pretrained=False)
    save_file(whole.state_dict(), tmp_path / "w.safetensors")
    network = build_network(f"timm:{name}", 2, stride=8, seed=1)
    fit = load_backbone(network, load_weights(tmp_path / "w.safetensors"), source="w")
    own = {key: value for key, value in network.state_dict().items() if key.startswith("features.")}
    assert fit.n_taken == len(own)
    assert fit.n_left > 0
    image = _noise(1, 3, 64, 64)
    with torch.no_grad():
        reductions = timm.create_model(name, features_only=True).feature_info.reduction()
        at = len(reductions) - 1 - reductions[::-1].index(8)
        expected = whole.eval().forward_intermediates(image, intermediates_only=True)
        found = network.eval().get_submodule("features.backbone")(image)
    assert at < len(reductions)
    assert any(found.shape == each.shape and torch.allclose(found, each, atol=1e-5) for each in expected)


def test_that_weights_that_fit_in_part_only_are_refused_with_the_number() -> None:
    network = build_network("mobilenet-v3", 2, seed=1)
    weights = dict(mobilenet_v3_large(weights=None).state_dict())
    before = {name: each.clone() for name, each in network.state_dict().items()}
    weights["features.16.0.weight"] = torch.zeros((960, 80, 1, 1))
    with pytest.raises(
        UserError, match=r"261 of 262 tensors of its backbone fit; backbone\.16\.0\.weight has the shape"
    ):
        load_backbone(network, weights, source="mine.safetensors")
    del weights["features.16.0.weight"]
    with pytest.raises(UserError, match=r"mine\.safetensors.*is missing"):
        load_backbone(network, weights, source="mine.safetensors")
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())


def test_that_an_unknown_backbone_is_answered_with_those_near_to_it() -> None:
    with pytest.raises(UserError) as caught:
        build_network("timm:resnet5", 2)
    assert "resnet5" in caught.value.message
    assert "timm:resnet50" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "stride", "words"),
    [
        ("timm:vit_tiny_patch16_224", 8, "cells of 16 px"),
        ("timm:vit_tiny_patch16_224", 16, "images of any size"),
        ("timm:inception_v3", 8, "images of any size"),
        ("timm:swin_tiny_patch4_window7_224", 4, "images of any size"),
    ],
)
def test_that_a_backbone_that_cannot_give_class_maps_is_refused(name: str, stride: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build_network(name, 2, stride=stride)


def test_that_the_head_alone_sees_a_cell_at_a_time() -> None:
    network = _settled("timm:resnet10t", 8)
    assert isinstance(network, BackboneCam)
    assert isinstance(network.pool, nn.Module)
    network.pool = AveragePool()
    image = _noise(1, 3, 64, 64)
    with torch.no_grad():
        features = network.get_submodule(network.feature_layer)(image)
        logits, maps = network(image)
    assert torch.allclose(torch.einsum("nkhw,ck->nchw", features, network.head.weight[:, :, 0, 0]), maps, atol=1e-5)
    assert torch.allclose(maps.mean(dim=(2, 3)), logits, atol=1e-6)


def test_that_the_statistics_of_mobilenet_follow_a_short_training() -> None:
    network = build_network("mobilenet-v3", 2, stride=16)
    momenta = {each.momentum for each in network.modules() if isinstance(each, nn.BatchNorm2d)}
    # After 120 steps a hundredth would leave 30 % of the variance that it began with: hundreds of times its own.
    assert momenta == {0.1}
