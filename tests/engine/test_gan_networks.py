"""The GAN's networks: shapes, what each setting changes in them, and that two ways to double a side are equal."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import nn
from torch.nn.utils import parametrize

from synthstudio.domain.errors import UserError
from synthstudio.engine.networks.folded_resize import FoldedResizeConv
from synthstudio.engine.networks.gan import (
    ResizeConv,
    UNetGenerator,
    build_discriminator,
    build_generator,
    fold_weights,
)
from synthstudio.settings.train_gan import GanNetworkSettings

SMALL = GanNetworkSettings(base_channels=8)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def random_images(n: int, side: int, *, seed: int = 0) -> torch.Tensor:
    return torch.rand((n, 3, side, side), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1.0


def modules_of(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [each for each in network.modules() if isinstance(each, kind)]


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
def test_that_a_generator_makes_an_image_of_each_map_s_size(side: int, upsampling: str) -> None:
    settings = GanNetworkSettings.model_validate({"base_channels": 8, "upsampling": upsampling})
    generator = build_generator(settings, side=side, seed=0)
    images = generator(random_images(2, side))
    assert images.shape == (2, 3, side, side)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1.0
    assert images.std() > 0.01


def test_that_a_generator_goes_down_to_one_px_and_norms_neither_its_ends_nor_its_middle() -> None:
    generator = build_generator(SMALL, side=64, seed=0)
    assert len(generator.down) == len(generator.up) == 6
    bare = [not modules_of(step, nn.InstanceNorm2d) for step in (*generator.down, *generator.up)]
    assert bare == [True, False, False, False, False, True, False, False, False, False, False, True]
    assert not modules_of(generator, nn.Dropout)


def test_that_the_published_networks_have_the_published_size() -> None:
    def count(network: nn.Module) -> int:
        return sum(each.numel() for each in network.parameters())

    resize = UNetGenerator(side=256, base_channels=64, upsampling="resize", noise=0)
    transposed = UNetGenerator(side=256, base_channels=64, upsampling="transposed", noise=0)
    assert count(transposed) == 54_414_531  # that of pix2pix's unet_256
    assert count(resize) == 39_158_339
    assert count(build_discriminator(GanNetworkSettings(base_channels=64), side=256, seed=0)) == 2_768_705


def test_that_the_upsampling_switch_takes_every_transposed_convolution_out() -> None:
    resize = build_generator(SMALL, side=64, seed=0)
    transposed = build_generator(GanNetworkSettings(base_channels=8, upsampling="transposed"), side=64, seed=0)
    assert len(modules_of(resize, ResizeConv)) == len(modules_of(transposed, nn.ConvTranspose2d)) == 6
    assert not modules_of(resize, nn.ConvTranspose2d)
    assert not modules_of(transposed, ResizeConv)


@pytest.mark.parametrize("size", [(1, 1), (4, 8), (16, 16), (33, 20)])
def test_that_a_resize_and_convolution_is_computed_as_published_at_every_size(size: tuple[int, int]) -> None:
    torch.manual_seed(3)
    module = ResizeConv(6, 5, bias=True)
    features = torch.randn((2, 6, *size), requires_grad=True)
    published = F.conv2d(
        F.interpolate(features, scale_factor=2.0, mode="nearest"), module.conv.weight, module.conv.bias, padding=1
    )
    weights = torch.randn(published.shape)
    expected = torch.autograd.grad((published * weights).sum(), [features, *module.parameters()])
    made = module(features)
    assert torch.allclose(made, published, atol=1e-5)
    for found, wanted in zip(
        torch.autograd.grad((made * weights).sum(), [features, *module.parameters()]), expected, strict=True
    ):
        assert torch.allclose(found, wanted, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (4, 8), (33, 20)])
@pytest.mark.parametrize("bias", [False, True])
def test_that_nine_products_make_what_a_resize_and_convolution_does(size: tuple[int, int], bias: bool) -> None:
    torch.manual_seed(4)
    conv = nn.Conv2d(6, 5, 3, padding=1, bias=bias)
    features = torch.randn((2, 6, *size))
    with torch.inference_mode():
        published = conv(F.interpolate(features, scale_factor=2.0, mode="nearest"))
        assert torch.allclose(FoldedResizeConv(conv)(features), published, atol=1e-5)


def test_that_folded_weights_are_sums_of_those_that_meet_copies_of_one_px() -> None:
    weights = torch.arange(9.0).reshape(1, 1, 3, 3)
    # Each px of the input is four px of the resized image; along one axis the sums are c, b + c, a + b and a.
    assert fold_weights(weights)[0, 0].tolist() == [
        [8.0, 7.0 + 8.0, 6.0 + 7.0, 6.0],
        [5.0 + 8.0, 4.0 + 5.0 + 7.0 + 8.0, 3.0 + 4.0 + 6.0 + 7.0, 3.0 + 6.0],
        [2.0 + 5.0, 1.0 + 2.0 + 4.0 + 5.0, 0.0 + 1.0 + 3.0 + 4.0, 0.0 + 3.0],
        [2.0, 1.0 + 2.0, 0.0 + 1.0, 0.0],
    ]


def test_that_noise_changes_the_image_and_its_absence_never_does() -> None:
    noisy = build_generator(GanNetworkSettings(base_channels=8, noise=4), side=64, seed=0)
    maps = random_images(1, 64)
    first, second = torch.randn((2, 1, 4), generator=torch.Generator().manual_seed(1))
    assert torch.equal(noisy(maps, first), noisy(maps, first))
    assert (noisy(maps, first) - noisy(maps, second)).abs().max() > 1e-3
    silent = build_generator(SMALL, side=64, seed=0)
    assert torch.equal(silent(maps), silent(maps))
    with pytest.raises(ValueError, match="0 numbers"):
        silent(maps, first)
    with pytest.raises(ValueError, match="4 numbers"):
        noisy(maps)


def test_that_an_image_does_not_depend_on_what_is_made_along_with_it() -> None:
    generator = build_generator(SMALL, side=64, seed=0)
    maps = random_images(3, 64)
    with torch.inference_mode():
        together = generator(maps)
        for number in range(3):
            assert torch.allclose(generator(maps[number : number + 1])[0], together[number], atol=1e-5)


def test_that_networks_answer_after_their_training_as_in_it() -> None:
    generator = build_generator(SMALL, side=64, seed=0)
    maps = random_images(1, 64)
    with torch.inference_mode():
        assert torch.equal(generator.train()(maps), generator.eval()(maps))


def test_that_the_tone_reaches_the_middle_of_a_map_without_regions() -> None:
    # Instance norms take a constant away; the first level, which has none, hands it on to the last.
    generator = build_generator(SMALL, side=64, seed=0)
    maps = torch.full((2, 3, 64, 64), -1.0)
    maps[1, 0] = 0.6
    with torch.inference_mode():
        images = generator(maps)
    assert (images[0] - images[1])[:, 24:40, 24:40].abs().mean() > 1e-3


def test_that_a_discriminator_judges_patches_and_sees_both_map_and_image() -> None:
    discriminator = build_discriminator(SMALL, side=64, seed=0)
    maps, images = random_images(2, 64), random_images(2, 64, seed=1)
    answer = discriminator(maps, images)
    assert answer.logits.shape == (2, 1, 6, 6)
    assert answer.features.shape == (2, 64, 7, 7)
    assert torch.allclose(discriminator.head(answer.features), answer.logits)
    assert not torch.allclose(discriminator(maps.flip(0), images).logits, answer.logits)
    assert not torch.allclose(discriminator(maps, images.flip(0)).logits, answer.logits)


def test_that_a_patch_of_three_layers_has_seventy_px() -> None:
    discriminator = build_discriminator(SMALL, side=128, seed=0)
    for module in modules_of(discriminator, nn.InstanceNorm2d):  # it looks at the whole image
        module.forward = lambda features: features  # type: ignore[method-assign]
    images = random_images(1, 128).requires_grad_()
    discriminator(random_images(1, 128), images).logits[0, 0, 7, 7].backward()
    assert images.grad is not None
    seen = images.grad[0].abs().sum(dim=0) > 0
    assert int(seen.any(dim=0).sum()) == int(seen.any(dim=1).sum()) == 70


def test_that_spectral_norm_is_registered_and_keeps_singular_values_at_one() -> None:
    plain = build_discriminator(SMALL, side=64, seed=0)
    assert not any(parametrize.is_parametrized(each) for each in plain.modules())
    normed = build_discriminator(GanNetworkSettings(base_channels=8, spectral_norm=True), side=64, seed=0)
    convolutions = modules_of(normed, nn.Conv2d)
    assert len(convolutions) == 5
    assert all(parametrize.is_parametrized(each, "weight") for each in convolutions)
    for _ in range(20):  # each pass refines the estimate
        normed(random_images(1, 64), random_images(1, 64, seed=1))
    for each in convolutions:
        weight = each.weight
        assert isinstance(weight, torch.Tensor)
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_that_every_number_of_layers_that_fits_is_built(layers: int) -> None:
    settings = GanNetworkSettings(base_channels=8, discriminator_layers=layers)
    answer = build_discriminator(settings, side=64, seed=0)(random_images(1, 64), random_images(1, 64))
    assert answer.logits.shape[-1] == (64 >> layers) - 2


def test_that_patches_that_do_not_fit_into_an_image_are_refused() -> None:
    with pytest.raises(UserError, match="64 px") as refused:
        build_discriminator(GanNetworkSettings(discriminator_layers=5), side=64, seed=0)
    assert "at most 4" in str(refused.value.hint)
    build_discriminator(GanNetworkSettings(base_channels=8, discriminator_layers=5), side=128, seed=0)


def test_that_weights_depend_on_the_seed_alone_and_leave_the_global_one_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = build_generator(SMALL, side=64, seed=1), build_discriminator(SMALL, side=64, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    second = build_generator(SMALL, side=64, seed=1), build_discriminator(SMALL, side=64, seed=1)
    other = build_generator(SMALL, side=64, seed=2)
    for one, two in zip(first, second, strict=True):
        for name, tensor in one.state_dict().items():
            assert torch.equal(tensor, two.state_dict()[name])
    name = "down.1.0.weight"
    assert not torch.equal(first[0].state_dict()[name], other.state_dict()[name])
