"""What the semantic-map GAN minimises: the four terms of DermGAN, and what its discriminator minimises.

All images, maps and answers are those of `networks/gan.py`; every loss is a float32 scalar, whatever the precision of
the networks. A term whose weight is 0 is not computed at all, so that it leaves no trace in the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, autograd, nn

from synthstudio.engine.networks.gan import DiscriminatorAnswer, PatchDiscriminator, UNetGenerator
from synthstudio.settings.train_gan import AdversarialForm, GanLossSettings

NOTHING = -1.0 + 1.0 / 255.0
"""Below this a channel of a map holds 0, and above at least 1, of 255."""

Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Maps and their images to what the discriminator sees of them; the same change in every call."""
GREY_LEVELS = 127.5
"""For a difference of 1 between images from -1 to 1."""
VARIETY_FACTOR = 1.0
"""Weight of a lack of variety, of those of the image and region terms, each of which pulls all images of one map to
the same real one. Without it, two draws of 16 numbers changed an image by .2 grey levels after 400 steps; with it and
a goal of 8 by 3.6, and with a factor of 3 by 7.4, for which the images then paid with stripes of their own."""


@dataclass(frozen=True, slots=True)
class GanLosses:
    """The losses of one step.

    Attributes:
        generator: Sum of the weighted terms; it leads to the generator's weights.
        discriminator: It leads to the discriminator's weights alone; None where no term asks the discriminator.
        terms: By name and without their weights: "image", "region", "adversarial", "features" as far as they have a
            weight, "variety" where there is noise, and "discriminator".
        real_share: Share of the real patches that were taken for real; None without a discriminator.
        synthetic_share: Share of the synthetic patches that were taken for synthetic.
        made: The images of the step, `(N, 3, S, S)`, detached.
    """

    generator: Tensor
    discriminator: Tensor | None
    terms: dict[str, Tensor]
    real_share: Tensor | None
    synthetic_share: Tensor | None
    made: Tensor


def image_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference."""
    return F.l1_loss(made.float(), real.float())


def region_mask(maps: Tensor) -> Tensor:
    """Where a map has a condition: `(N, 1, S, S)` float32, 0 or 1."""
    return (maps[:, 1:] > NOTHING).any(dim=1, keepdim=True).float()


def region_loss(made: Tensor, real: Tensor, maps: Tensor) -> Tensor:
    """Mean absolute difference inside the regions of each image, so that small ones count as much as large ones.

    The mean is over the images that have a region; 0 where none has.
    """
    mask = region_mask(maps)
    areas = mask.sum(dim=(1, 2, 3))
    sums = ((made.float() - real.float()).abs() * mask).sum(dim=(1, 2, 3))
    n_with = (areas > 0).sum().clamp(min=1)
    return (sums / (areas.clamp(min=1.0) * made.shape[1])).sum() / n_with


def adversarial_loss(logits: Tensor, form: AdversarialForm) -> Tensor:
    """How far the discriminator is from taking these patches, of synthetic images, for real.

    "min-max" is the non-saturating form of the published game (Goodfellow et al. 2014): the generator raises the
    logarithm of what it wants to hear, since that of the opposite has no slope while the discriminator wins.
    """
    logits = logits.float()
    if form == "min-max":
        return F.softplus(-logits).mean()
    if form == "least-squares":
        return (logits - 1.0).square().mean()
    return -logits.mean()


def discriminator_loss(real: Tensor, made: Tensor, form: AdversarialForm) -> Tensor:
    """How wrong the discriminator is about patches of real and of made images: the mean of both, as in pix2pix."""
    real, made = real.float(), made.float()
    if form == "min-max":
        both = F.softplus(-real).mean() + F.softplus(made).mean()
    elif form == "least-squares":
        both = (real - 1.0).square().mean() + made.square().mean()
    else:
        both = F.relu(1.0 - real).mean() + F.relu(1.0 + made).mean()
    return both / 2.0


def feature_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean squared difference of activations; it moves those of the made images alone."""
    return F.mse_loss(made.float(), real.detach().float())


def variety_loss(made: Tensor, other: Tensor, *, goal: float) -> Tensor:
    """How far two images of one map are from differing by `goal` grey levels on average; 0 where they differ more.

    Without it a generator learns to pass over its noise, since the image terms know one answer to each map. The
    bounded form is that of Yang et al. 2019 (diversity-sensitive GAN).
    """
    differences = (made.float() - other.float()).abs().mean(dim=(1, 2, 3))
    return F.relu(goal / GREY_LEVELS - differences).mean()


def generator_losses(
    settings: GanLossSettings,
    *,
    maps: Tensor,
    real: Tensor,
    made: Tensor,
    judged_made: DiscriminatorAnswer | None = None,
    judged_real: DiscriminatorAnswer | None = None,
    other: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of the terms that have a weight, and each of them without it.

    Args:
        settings: The weights.
        maps: Asked for, `(N, 3, S, S)`.
        real: Crops that the maps were drawn from.
        made: What the generator made of the maps.
        judged_made: What the discriminator says of them; needed by the adversarial and the feature term.
        judged_real: The same of the real ones; needed by the feature term.
        other: What the generator made of the same maps with other noise, where it takes any.

    Raises:
        ValueError: A term has a weight and not the answers that it needs.
    """
    terms: dict[str, Tensor] = {}
    if settings.image > 0:
        terms["image"] = image_loss(made, real)
    if settings.region > 0:
        terms["region"] = region_loss(made, real, maps)
    if settings.adversarial > 0:
        if judged_made is None:
            raise ValueError("the adversarial term needs the discriminator's answer")
        terms["adversarial"] = adversarial_loss(judged_made.logits, settings.form)
    if settings.features > 0:
        if judged_made is None or judged_real is None:
            raise ValueError("feature matching needs the discriminator's answers to made and real images")
        terms["features"] = feature_loss(judged_made.features, judged_real.features)
    weights: dict[str, float] = settings.model_dump(include=set(terms))
    if other is not None and settings.variety > 0:
        terms["variety"] = variety_loss(made, other, goal=settings.variety)
        weights["variety"] = VARIETY_FACTOR * (settings.image + settings.region) + settings.adversarial
    total = sum((weights[name] * term for name, term in terms.items()), made.new_zeros(()))
    return total, terms


def gan_losses(
    generator: UNetGenerator,
    discriminator: PatchDiscriminator,
    settings: GanLossSettings,
    *,
    maps: Tensor,
    real: Tensor,
    noise: Tensor | None = None,
    augment: Augment | None = None,
) -> GanLosses:
    """Make images and judge them: all forward passes of one step of both networks.

    The generator runs once, and once more where it takes noise; the discriminator once on the real and once on the
    made images. Both losses are read from the same passes, as in pix2pixHD. `take_gradients` then goes back through
    them, before either network changes.
    """
    made = generator(maps, noise)
    # The opposite noise is other noise, too, and nothing more has to be drawn.
    other = generator(maps, -noise) if noise is not None and settings.variety > 0 else None
    if settings.adversarial == 0 and settings.features == 0:
        total, terms = generator_losses(settings, maps=maps, real=real, made=made, other=other)
        return GanLosses(total, None, _detached(terms), None, None, made.detach())
    shown = augment or _unchanged
    judged_real = discriminator(*shown(maps, real))
    judged_made = discriminator(*shown(maps, made))
    total, terms = generator_losses(
        settings,
        maps=maps,
        real=real,
        made=made,
        judged_made=judged_made,
        judged_real=judged_real,
        other=other,
    )
    wrong = discriminator_loss(judged_real.logits, judged_made.logits, settings.form)
    limit = 0.5 if settings.form == "least-squares" else 0.0  # half way between what the two kinds should be given
    return GanLosses(
        total,
        wrong,
        _detached({**terms, "discriminator": wrong}),
        (judged_real.logits.detach() > limit).float().mean(),
        (judged_made.logits.detach() <= limit).float().mean(),
        made.detach(),
    )


def take_gradients(losses: GanLosses, generator: nn.Module, discriminator: nn.Module) -> None:
    """Add the gradients of both losses to the weights of the network that each of them is for, and to no other's.

    Going back to one network's weights alone also spares the gradients of the other's.
    """
    is_shared = losses.discriminator is not None
    autograd.backward(losses.generator, inputs=list(generator.parameters()), retain_graph=is_shared)
    if losses.discriminator is not None:
        autograd.backward(losses.discriminator, inputs=list(discriminator.parameters()))


def _unchanged(maps: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    return maps, images


def _detached(terms: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: term.detach() for name, term in terms.items()}
