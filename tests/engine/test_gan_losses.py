"""The four terms of the GAN's loss: their values, and that a weight of 0 leaves nothing of a term behind."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import nn

from synthstudio.engine.gan_augmentation import draw_augmentation
from synthstudio.engine.gan_losses import (
    GanLosses,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    gan_losses,
    generator_losses,
    image_loss,
    region_loss,
    region_mask,
    take_gradients,
    variety_loss,
)
from synthstudio.engine.networks.gan import (
    DiscriminatorAnswer,
    PatchDiscriminator,
    UNetGenerator,
    build_discriminator,
    build_generator,
)
from synthstudio.settings.train_gan import AdversarialForm, GanLossSettings, GanNetworkSettings

SIDE = 32
NETWORK = GanNetworkSettings(base_channels=8, discriminator_layers=2)
FORMS: tuple[AdversarialForm, ...] = get_args(AdversarialForm)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def some_maps(n: int = 2) -> torch.Tensor:
    maps = torch.full((n, 3, SIDE, SIDE), -1.0)
    maps[:, 0] = 0.2
    maps[0, 1, 4:12, 6:10] = 0.5
    maps[1:, 2, 10:30, 2:20] = 1.0 / 127.5 - 1.0  # the least value that is not nothing
    return maps


def some_images(n: int = 2, *, seed: int = 0) -> torch.Tensor:
    return torch.rand((n, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1.0


def networks() -> tuple[UNetGenerator, PatchDiscriminator]:
    return build_generator(NETWORK, side=SIDE, seed=0), build_discriminator(NETWORK, side=SIDE, seed=1)


def losses_with(settings: GanLossSettings, *, generator: UNetGenerator, discriminator: PatchDiscriminator) -> GanLosses:
    return gan_losses(generator, discriminator, settings, maps=some_maps(), real=some_images())


def gradients_with(settings: GanLossSettings) -> tuple[list[torch.Tensor], GanLosses]:
    generator, discriminator = networks()
    losses = losses_with(settings, generator=generator, discriminator=discriminator)
    take_gradients(losses, generator, discriminator)
    return [each.grad.clone() for each in generator.parameters() if each.grad is not None], losses


def operations_of(loss: torch.Tensor) -> list[str]:
    """Names of all that a loss was computed by, back to the weights."""
    found, waiting, seen = [], [loss.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.append(node.name())
        waiting += [before for before, _ in node.next_functions]
    return found


def test_that_the_mask_is_where_either_channel_of_the_condition_holds_anything() -> None:
    mask = region_mask(some_maps())
    assert mask.shape == (2, 1, SIDE, SIDE)
    assert mask.sum(dim=(1, 2, 3)).tolist() == [8 * 4, 20 * 18]
    assert mask[0, 0, 4:12, 6:10].min() == 1.0


def test_that_a_small_region_counts_as_much_as_a_large_one() -> None:
    maps, real = some_maps(), torch.zeros((2, 3, SIDE, SIDE))
    made = (region_mask(maps) * 0.3).expand_as(maps)
    assert region_loss(made, real, maps).item() == pytest.approx(0.3)
    made = torch.where(region_mask(maps) > 0, 0.0, 0.9).expand_as(maps)
    assert region_loss(made, real, maps).item() == 0.0
    assert image_loss(made, real).item() > 0.3


def test_that_maps_without_regions_neither_cost_nor_dilute() -> None:
    maps = some_maps()
    maps[1, 1:] = -1.0
    made = (region_mask(maps) * 0.3).expand_as(maps)
    assert region_loss(made, torch.zeros_like(made), maps).item() == pytest.approx(0.3)
    maps[0, 1:] = -1.0
    assert region_loss(some_images(), some_images(seed=1), maps).item() == 0.0


def test_that_each_form_of_the_game_has_its_published_values() -> None:
    real, made = torch.tensor([[2.0]]), torch.tensor([[-0.5]])
    logistic = (math.log1p(math.exp(-2.0)) + math.log1p(math.exp(-0.5))) / 2
    assert discriminator_loss(real, made, "min-max").item() == pytest.approx(logistic, abs=1e-6)
    assert adversarial_loss(made, "min-max").item() == pytest.approx(math.log1p(math.exp(0.5)), abs=1e-6)
    assert discriminator_loss(real, made, "least-squares").item() == pytest.approx((1.0 + 0.25) / 2)
    assert adversarial_loss(made, "least-squares").item() == pytest.approx(1.5**2)
    assert discriminator_loss(real, made, "hinge").item() == pytest.approx((0.0 + 0.5) / 2)
    assert adversarial_loss(made, "hinge").item() == pytest.approx(0.5)


@pytest.mark.parametrize("form", FORMS)
def test_that_the_generator_is_pushed_towards_what_the_discriminator_takes_for_real(form: AdversarialForm) -> None:
    logits = torch.tensor([-3.0, 0.2], requires_grad=True)
    adversarial_loss(logits, form).backward()
    assert logits.grad is not None
    assert (logits.grad < 0).all()


def test_that_feature_matching_moves_the_made_images_alone() -> None:
    made = torch.full((1, 2, 3, 3), 2.0, requires_grad=True)
    real = torch.full((1, 2, 3, 3), 5.0, requires_grad=True)
    loss = feature_loss(made, real)
    loss.backward()
    assert loss.item() == pytest.approx(9.0)
    assert made.grad is not None
    assert real.grad is None


def test_that_the_total_is_the_weighted_sum_and_the_terms_are_told_without_weights() -> None:
    settings = GanLossSettings(image=7.0, region=3.0, adversarial=2.0, features=5.0)
    generator, discriminator = networks()
    losses = losses_with(settings, generator=generator, discriminator=discriminator)
    assert set(losses.terms) == {"image", "region", "adversarial", "features", "discriminator"}
    terms = {name: value.item() for name, value in losses.terms.items()}
    expected = 7 * terms["image"] + 3 * terms["region"] + 2 * terms["adversarial"] + 5 * terms["features"]
    assert losses.generator.item() == pytest.approx(expected, rel=1e-5)
    assert not any(value.requires_grad for value in losses.terms.values())
    with torch.no_grad():
        made = generator(some_maps())
    assert terms["image"] == pytest.approx((made - some_images()).abs().mean().item(), rel=1e-5)
    assert torch.allclose(losses.made, made, atol=1e-6)


@pytest.mark.parametrize("term", ["image", "region", "adversarial", "features"])
def test_that_a_weight_of_nothing_leaves_the_gradient_of_the_others_and_no_term(term: str) -> None:
    weights = {"image": 10.0, "region": 10.0, "adversarial": 1.0, "features": 4.0}
    full, told = gradients_with(GanLossSettings(**weights))
    without, losses = gradients_with(GanLossSettings(**{**weights, term: 0.0}))
    alone, _ = gradients_with(GanLossSettings(**{**dict.fromkeys(weights, 0.0), term: weights[term]}))
    assert term in told.terms
    assert term not in losses.terms
    assert max((one - two).abs().max().item() for one, two in zip(full, without, strict=True)) > 1e-6
    for whole, rest, own in zip(full, without, alone, strict=True):
        assert torch.allclose(whole, rest + own, atol=1e-4, rtol=1e-3)


def test_that_a_term_without_weight_is_not_in_the_graph() -> None:
    def operations(**changed: float) -> list[str]:
        weights = {"image": 1.0, "region": 1.0, "adversarial": 1.0, "features": 1.0, **changed}
        generator, discriminator = networks()
        losses = losses_with(GanLossSettings(**weights), generator=generator, discriminator=discriminator)
        return operations_of(losses.generator)

    assert "SoftplusBackward0" in operations()
    assert "SoftplusBackward0" not in operations(adversarial=0.0)
    assert "MseLossBackward0" in operations()
    assert "MseLossBackward0" not in operations(features=0.0)
    assert operations().count("AbsBackward0") == 2
    assert operations(image=0.0).count("AbsBackward0") == 1
    assert operations(region=0.0).count("AbsBackward0") == 1
    assert operations(image=0.0, region=0.0).count("AbsBackward0") == 0


def test_that_images_of_one_map_lack_variety_until_they_differ_by_the_goal() -> None:
    made = some_images()
    assert variety_loss(made, made, goal=12.75).item() == pytest.approx(0.1)
    assert variety_loss(made, made + 0.04, goal=12.75).item() == pytest.approx(0.06, abs=1e-5)
    assert variety_loss(made, made + 0.2, goal=12.75).item() == 0.0


def test_that_variety_is_asked_for_only_where_there_is_noise_and_a_goal() -> None:
    noise = torch.randn((2, 4), generator=torch.Generator().manual_seed(0))
    noisy = build_generator(NETWORK.model_copy(update={"noise": 4}), side=SIDE, seed=0)
    silent, discriminator = networks()

    def terms(generator: UNetGenerator, given: torch.Tensor | None, *, goal: float) -> dict[str, torch.Tensor]:
        settings = GanLossSettings(variety=goal)
        return gan_losses(generator, discriminator, settings, maps=some_maps(), real=some_images(), noise=given).terms

    assert "variety" in terms(noisy, noise, goal=8.0)
    assert "variety" not in terms(noisy, noise, goal=0.0)
    assert "variety" not in terms(silent, None, goal=8.0)


def test_that_noise_keeps_its_say_where_variety_is_asked_for() -> None:
    def differences(goal: float) -> float:
        generator = build_generator(NETWORK.model_copy(update={"noise": 4}), side=SIDE, seed=0)
        _, discriminator = networks()
        maps, optimizer = some_maps(), torch.optim.Adam(generator.parameters(), 1e-3, (0.5, 0.999))
        numbers = torch.Generator().manual_seed(0)
        for _ in range(20):
            noise = torch.randn((2, 4), generator=numbers)
            settings = GanLossSettings(adversarial=0.0, features=0.0, variety=goal)
            optimizer.zero_grad()
            losses = gan_losses(generator, discriminator, settings, maps=maps, real=torch.zeros_like(maps), noise=noise)
            take_gradients(losses, generator, discriminator)
            optimizer.step()
        with torch.inference_mode():
            one, two = (generator(maps, torch.randn((2, 4), generator=numbers)) for _ in range(2))
        return float((one - two).abs().mean()) * 127.5

    assert differences(20.0) > 2 * differences(0.0)


def test_that_nobody_asks_the_discriminator_where_no_term_does(monkeypatch: pytest.MonkeyPatch) -> None:
    generator, discriminator = networks()
    monkeypatch.setattr(discriminator, "forward", lambda *_: pytest.fail("it was asked"))
    settings = GanLossSettings(adversarial=0.0, features=0.0)
    losses = losses_with(settings, generator=generator, discriminator=discriminator)
    take_gradients(losses, generator, discriminator)
    assert losses.discriminator is None
    assert losses.real_share is losses.synthetic_share is None
    assert set(losses.terms) == {"image", "region"}
    assert all(each.grad is not None for each in generator.parameters())
    assert all(each.grad is None for each in discriminator.parameters())


def test_that_terms_say_what_they_lack() -> None:
    maps, real = some_maps(), some_images()
    answer = DiscriminatorAnswer(torch.zeros(1), torch.zeros(1))
    with pytest.raises(ValueError, match="adversarial"):
        generator_losses(GanLossSettings(), maps=maps, real=real, made=real)
    with pytest.raises(ValueError, match="feature"):
        generator_losses(GanLossSettings(), maps=maps, real=real, made=real, judged_made=answer)


@pytest.mark.parametrize("form", FORMS)
def test_that_each_network_gets_the_gradient_of_its_own_loss_alone(form: AdversarialForm) -> None:
    settings = GanLossSettings(form=form)
    maps, real = some_maps(), some_images()
    generator, discriminator = networks()
    take_gradients(losses_with(settings, generator=generator, discriminator=discriminator), generator, discriminator)
    # The plain way: one network after the other, each with passes of its own.
    other_generator, other_discriminator = networks()
    wrong = discriminator_loss(
        other_discriminator(maps, real).logits,
        other_discriminator(maps, other_generator(maps).detach()).logits,
        form,
    )
    wrong.backward()
    for one, two in zip(discriminator.parameters(), other_discriminator.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        assert torch.allclose(one.grad, two.grad, atol=1e-5, rtol=1e-3)
    for each in other_discriminator.parameters():
        each.requires_grad_(False)
    made = other_generator(maps)
    total, _ = generator_losses(
        settings,
        maps=maps,
        real=real,
        made=made,
        judged_made=other_discriminator(maps, made),
        judged_real=other_discriminator(maps, real),
    )
    total.backward()
    for one, two in zip(generator.parameters(), other_generator.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        assert torch.allclose(one.grad, two.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_that_the_shares_say_how_often_the_discriminator_is_right(form: AdversarialForm) -> None:
    class Fixed(nn.Module):
        """Says of real images, which are bright here, what it is told to."""

        def __init__(self, real: float, made: float) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))
            self.said = {True: real, False: made}

        def forward(self, maps: torch.Tensor, images: torch.Tensor) -> DiscriminatorAnswer:
            is_real = bool(images.mean() > 0.5)
            logits = self.scale * self.said[is_real] * torch.ones((2, 1, 3, 3)) + 0.0 * images.mean()
            return DiscriminatorAnswer(logits, images)

    generator, _ = networks()
    for real, made, shares in ((3.0, -3.0, (1.0, 1.0)), (-3.0, 3.0, (0.0, 0.0)), (3.0, 3.0, (1.0, 0.0))):
        judge = Fixed(real, made)
        losses = gan_losses(
            generator,
            judge,  # type: ignore[arg-type]  # it answers as one
            GanLossSettings(form=form),
            maps=some_maps(),
            real=torch.full((2, 3, SIDE, SIDE), 0.9),
        )
        assert losses.real_share is not None
        assert losses.synthetic_share is not None
        assert (losses.real_share.item(), losses.synthetic_share.item()) == shares


def test_that_losses_are_float32_in_bf16_and_gradients_reach_every_weight() -> None:
    generator, discriminator = networks()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = losses_with(GanLossSettings(), generator=generator, discriminator=discriminator)
    assert losses.generator.dtype == torch.float32
    assert losses.discriminator is not None
    assert losses.discriminator.dtype == torch.float32
    assert {each.dtype for each in losses.terms.values()} == {torch.float32}
    take_gradients(losses, generator, discriminator)
    for each in (*generator.parameters(), *discriminator.parameters()):
        assert each.grad is not None
        assert bool(torch.isfinite(each.grad).all())


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_that_a_few_steps_bring_the_images_nearer_to_the_real_ones(spectral_norm: bool) -> None:
    settings = NETWORK.model_copy(update={"spectral_norm": spectral_norm})
    generator = build_generator(settings, side=SIDE, seed=0)
    discriminator = build_discriminator(settings, side=SIDE, seed=1)
    maps = some_maps()
    real = torch.where(region_mask(maps) > 0, torch.tensor([0.8, -0.6, -0.5]).reshape(1, 3, 1, 1), 0.3)
    optimizers = [torch.optim.Adam(each.parameters(), 1e-3, (0.5, 0.999)) for each in (generator, discriminator)]
    first = last = math.nan
    for step in range(15):
        look = draw_augmentation("translation", len(maps), seed=0, step=step)
        losses = gan_losses(generator, discriminator, GanLossSettings(), maps=maps, real=real, augment=look)
        for each in optimizers:
            each.zero_grad()
        take_gradients(losses, generator, discriminator)
        for each in optimizers:
            each.step()
        last = losses.terms["region"].item()
        first = last if step == 0 else first
    assert last < 0.4 * first
