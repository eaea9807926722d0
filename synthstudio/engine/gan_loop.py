"""What one step of a semantic-map GAN is: both networks learn from the same batch.

All that is drawn depends on the seed and the step alone. What goes on around the steps is in `region_loop`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from synthstudio.core.synthesis.streams import GAN_NOISE, open_stream
from synthstudio.core.training.gan_watch import GanSigns, GanWatch
from synthstudio.engine.checkpoints import JsonValue
from synthstudio.engine.data.region_batches import to_network
from synthstudio.engine.gan_augmentation import draw_augmentation
from synthstudio.engine.gan_losses import GanLosses, gan_losses, take_gradients
from synthstudio.engine.loops import LOG_EVERY
from synthstudio.engine.networks.gan import PatchDiscriminator, UNetGenerator
from synthstudio.settings.train_gan import GanOptimizationSettings, TrainGanSettings

REAL_SHARE, SYNTHETIC_SHARE, ADVERSARIAL = "discriminator/real", "discriminator/synthetic", "loss/adversarial"


def rate_factor(step: int, settings: GanOptimizationSettings) -> float:
    """What the learning rates of a step, counted from 0, are multiplied with: 1, and from `decay_from` falling to 0."""
    begin = settings.decay_from * settings.steps
    return 1.0 if step < begin else (settings.steps - step) / (settings.steps - begin)


def build_adam(network: nn.Module, settings: GanOptimizationSettings, *, rate: float) -> torch.optim.Optimizer:
    """Build the optimiser of one of the networks."""
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(settings.beta1, settings.beta2), fused=True)


def choose_layout(device: torch.device) -> torch.memory_format:
    """The order in which tensors lie in memory that is fastest: on a processor, channels last costs these networks 8 %
    more time, in fp32 and in bf16."""
    return torch.contiguous_format if device.type == "cpu" else torch.channels_last


class GanLearner:
    """A generator and a discriminator.

    Args:
        generator, discriminator: On their device; trained in place.
        settings: Losses, steps, rates, averaging, augmentation.
        warn: Told what has gone wrong between the networks.
        seed: Of the noise and the augmentation.
    """

    def __init__(
        self,
        generator: UNetGenerator,
        discriminator: PatchDiscriminator,
        settings: TrainGanSettings,
        *,
        warn: Callable[[str], None],
        seed: int,
    ) -> None:
        self._device = next(generator.parameters()).device
        self._settings = settings.optimization
        self._layout = choose_layout(self._device)
        for network in (generator, discriminator):
            network.to(memory_format=self._layout)
        self.trained, self._discriminator = generator, discriminator
        self.average = copy.deepcopy(generator).eval()
        self._losses = settings.losses
        self._warn, self._seed = warn, seed
        self._generator_steps = build_adam(generator, self._settings, rate=self._settings.generator_rate)
        self._discriminator_steps = build_adam(discriminator, self._settings, rate=self._settings.discriminator_rate)
        self._watch = GanWatch(every=LOG_EVERY)

    def networks(self) -> dict[str, nn.Module]:
        """All networks by their names in a checkpoint."""
        return {"generator": self.trained, "discriminator": self._discriminator, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Both optimisers by their names in a checkpoint."""
        return {"generator-optimizer": self._generator_steps, "discriminator-optimizer": self._discriminator_steps}

    def take_step(self, maps: Tensor, images: Tensor, *, step: int) -> Mapping[str, Tensor]:
        """Change both networks by one batch; return its losses, and the shares that the discriminator took for real."""
        maps, real = self._to_network(maps), self._to_network(images)
        factor = rate_factor(step, self._settings)
        rates = (self._settings.generator_rate, self._settings.discriminator_rate)
        for optimizer, rate in zip((self._generator_steps, self._discriminator_steps), rates, strict=True):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.precision == "bf16"):
            losses = gan_losses(
                self.trained,
                self._discriminator,
                self._losses,
                maps=maps,
                real=real,
                noise=self._draw_noise(len(maps), step=step),
                augment=draw_augmentation(self._settings.augmentation, len(maps), seed=self._seed, step=step),
            )
        take_gradients(losses, self.trained, self._discriminator)
        self._generator_steps.step()
        if losses.discriminator is not None:
            self._discriminator_steps.step()
        return _figures(losses)

    def _to_network(self, pixels: Tensor) -> Tensor:
        return to_network(pixels, self._device).contiguous(memory_format=self._layout)

    def _draw_noise(self, count: int, *, step: int) -> Tensor | None:
        """Noise `(N, Z)` of a step, where the generator takes any."""
        if not self.trained.noise:
            return None
        drawn = open_stream(self._seed, GAN_NOISE, step).standard_normal((count, self.trained.noise))
        return torch.from_numpy(drawn.astype(np.float32)).to(self._device)

    def look_at(self, means: Mapping[str, float]) -> None:
        """Say where one of the networks has won."""
        if {REAL_SHARE, SYNTHETIC_SHARE, ADVERSARIAL} <= means.keys():
            signs = GanSigns(means[REAL_SHARE], means[SYNTHETIC_SHARE], means[ADVERSARIAL])
            if text := self._watch.look(signs):
                self._warn(text)

    def to_facts(self) -> dict[str, JsonValue]:
        """Whether the user has been warned."""
        return {"has_told": self._watch.has_told}

    def adopt_facts(self, facts: Mapping[str, JsonValue]) -> None:
        """Read what `to_facts` said."""
        self._watch.has_told = facts.get("has_told") is True


def _figures(losses: GanLosses) -> dict[str, Tensor]:
    figures = {f"loss/{name}": term for name, term in losses.terms.items()}
    if losses.real_share is not None and losses.synthetic_share is not None:
        figures |= {REAL_SHARE: losses.real_share, SYNTHETIC_SHARE: losses.synthetic_share}
    return figures
