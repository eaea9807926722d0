"""The training of a semantic-map GAN: both networks together, averaging, samples, checkpoints, resume.

All that is drawn depends on the seed and the step alone, so that a resumed training goes on as if it had never stopped.
It runs in one process: the batches are small, and a second GPU is of more use to a second training.
"""

from __future__ import annotations

import copy
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from synthstudio.core.synthesis.streams import GAN_NOISE, open_stream
from synthstudio.core.training.gan_watch import GanSigns, GanWatch
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import (
    JsonValue,
    load_checkpoint,
    optimizer_tensors,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from synthstudio.engine.data.batches import Batch
from synthstudio.engine.data.region_batches import to_network
from synthstudio.engine.gan_augmentation import draw_augmentation
from synthstudio.engine.gan_losses import GanLosses, gan_losses, take_gradients
from synthstudio.engine.loops import LAST, LOG_EVERY, LoopHost, TrainingState, Validation, update_average
from synthstudio.engine.networks.gan import PatchDiscriminator, UNetGenerator
from synthstudio.settings.train_gan import GanOptimizationSettings, TrainGanSettings

GENERATOR, DISCRIMINATOR, AVERAGE = "generator", "discriminator", "average"
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


class GanLoop:
    """Trains a generator and a discriminator.

    Args:
        generator, discriminator: On their device; trained in place.
        settings: Losses, steps, rates, averaging, augmentation.
        context: Told about progress, and asked whether to stop.
        folder: For the checkpoint.
        sample: Shows what the averaged generator, which is in eval mode, makes after a step, and judges it.
        keep: Stores it with its step; called for the one that the settings want.
        warn: Told what has gone wrong between the networks.
        seed: Of the noise and the augmentation.
    """

    def __init__(
        self,
        generator: UNetGenerator,
        discriminator: PatchDiscriminator,
        settings: TrainGanSettings,
        context: LoopHost,
        *,
        folder: Path,
        sample: Callable[[UNetGenerator, int], Validation],
        keep: Callable[[UNetGenerator, int], None],
        warn: Callable[[str], None],
        seed: int,
    ) -> None:
        self._device = next(generator.parameters()).device
        self._settings = settings.optimization
        self._layout = choose_layout(self._device)
        for network in (generator, discriminator):
            network.to(memory_format=self._layout)
        self.generator, self.discriminator = generator, discriminator
        self.average = copy.deepcopy(generator).eval()
        self.state = TrainingState()
        self._losses = settings.losses
        self._context, self._sample, self._keep, self._warn = context, sample, keep, warn
        self._path = folder / LAST
        self._seed = seed
        self._optimizers = {
            GENERATOR: build_adam(generator, self._settings, rate=self._settings.generator_rate),
            DISCRIMINATOR: build_adam(discriminator, self._settings, rate=self._settings.discriminator_rate),
        }
        self._watch = GanWatch(every=LOG_EVERY)
        self._logged: dict[str, list[Tensor]] = defaultdict(list)
        self._began = 0.0

    def resume(self) -> bool:
        """Continue from the last checkpoint, where there is one; tell whether there was."""
        if not self._path.is_file():
            return False
        checkpoint = load_checkpoint(self._path)
        for name, network in self._networks().items():
            restore_network(network, checkpoint.part(name), source=str(self._path))
        for name, optimizer in self._optimizers.items():
            restore_optimizer(optimizer, checkpoint.part(f"{name}-optimizer"))
        self.state = TrainingState.from_facts(checkpoint.facts)
        self._watch.has_told = checkpoint.facts.get("has_told") is True
        return True

    def run(self, batches: Callable[[int, int], Iterator[Batch]]) -> TrainingState:
        """Train from the present state to the last step.

        Args:
            batches: Called with the first and the end step; gives maps and crops, `(N, S, S, 3)` uint8 both, of each
                step, the same ones every time.

        Raises:
            UserError: A loss is no longer a number.
            Cancelled: After a checkpoint was written, and the generator stored where the last one is kept.
        """
        self._began = time.monotonic() - self.state.seconds
        try:
            for maps, images in batches(self.state.step, self._settings.steps):
                self._context.tick(self.state.step, self._settings.steps)
                self._take_step(self._to_network(maps), self._to_network(images))
                self._follow_up()
            self._context.tick(self._settings.steps, self._settings.steps)
        except Cancelled:
            self._save_last()
            if self._settings.keep == "last":  # who stops early wants what was learned until then
                self._keep(self.average, self.state.step)
            raise
        return self.state

    def _to_network(self, pixels: Tensor) -> Tensor:
        return to_network(pixels, self._device).contiguous(memory_format=self._layout)

    def _take_step(self, maps: Tensor, real: Tensor) -> None:
        """Change both networks by one batch."""
        step = self.state.step
        factor = rate_factor(step, self._settings)
        rates = {GENERATOR: self._settings.generator_rate, DISCRIMINATOR: self._settings.discriminator_rate}
        for name, optimizer in self._optimizers.items():
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rates[name] * factor
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.precision == "bf16"):
            losses = gan_losses(
                self.generator,
                self.discriminator,
                self._losses,
                maps=maps,
                real=real,
                noise=self._draw_noise(len(maps)),
                augment=draw_augmentation(self._settings.augmentation, len(maps), seed=self._seed, step=step),
            )
        take_gradients(losses, self.generator, self.discriminator)
        self._optimizers[GENERATOR].step()
        if losses.discriminator is not None:
            self._optimizers[DISCRIMINATOR].step()
        self.state.step += 1
        self._note(losses)

    def _draw_noise(self, count: int) -> Tensor | None:
        """Noise `(N, Z)` of the present step, where the generator takes any."""
        if not self.generator.noise:
            return None
        drawn = open_stream(self._seed, GAN_NOISE, self.state.step).standard_normal((count, self.generator.noise))
        return torch.from_numpy(drawn.astype(np.float32)).to(self._device)

    def _note(self, losses: GanLosses) -> None:
        """Keep the figures of a step; read later, so that a GPU need not be waited for at each."""
        for name, term in losses.terms.items():
            self._logged[f"loss/{name}"].append(term)
        if losses.real_share is not None and losses.synthetic_share is not None:
            self._logged[REAL_SHARE].append(losses.real_share)
            self._logged[SYNTHETIC_SHARE].append(losses.synthetic_share)

    def _follow_up(self) -> None:
        """What comes after a step."""
        step, steps = self.state.step, self._settings.steps
        update_average(self.average, self.generator, memory=self._settings.ema, step=step - 1)
        if step % LOG_EVERY == 0 or step == steps:
            self._log()
        if step % self._settings.sample_every == 0 or step == steps:
            self._look()
        elif self._context.take_checkpoint_request():
            self._save_last()

    def _log(self) -> None:
        """Tell the means since the last time."""
        means = self._means()
        self._logged.clear()
        for name, mean in means.items():
            self._context.metric(name, mean, step=self.state.step)
        if {REAL_SHARE, SYNTHETIC_SHARE, ADVERSARIAL} <= means.keys():
            signs = GanSigns(means[REAL_SHARE], means[SYNTHETIC_SHARE], means[ADVERSARIAL])
            if text := self._watch.look(signs):
                self._warn(text)

    def _means(self) -> dict[str, float]:
        """Means since they were last told. Raises UserError where one is no number."""
        means = {name: float(torch.stack(terms).mean()) for name, terms in self._logged.items()}
        wrong = next((name for name, mean in means.items() if not math.isfinite(mean)), None)
        if wrong is not None:
            raise UserError(
                f"{wrong} became {means[wrong]} by step {self.state.step}; the training was stopped.",
                "Use lower learning rates or fp32 precision, and start again.",
            )
        return means

    def _look(self) -> None:
        """Show and judge what the averaged generator makes, and write the last state."""
        found = self._sample(self.average, self.state.step)
        for name, value in found.figures.items():
            self._context.metric(name, value, step=self.state.step)
        is_best = found.score > self.state.top_score
        if is_best or self._settings.keep == "last":
            self._keep(self.average, self.state.step)
        if is_best:
            self.state.top_score, self.state.best_step = found.score, self.state.step
            self.state.best_figures = dict(found.figures)
        self._save_last()

    def _save_last(self) -> None:
        self._means()  # a state in which nothing is a number any more must not take the place of a good one
        self.state.seconds = time.monotonic() - self._began
        parts = {name: network.state_dict() for name, network in self._networks().items()}
        parts |= {f"{name}-optimizer": optimizer_tensors(each) for name, each in self._optimizers.items()}
        facts: dict[str, JsonValue] = {**self.state.to_facts(), "has_told": self._watch.has_told}
        save_checkpoint(self._path, parts, facts)

    def _networks(self) -> dict[str, nn.Module]:
        return {GENERATOR: self.generator, DISCRIMINATOR: self.discriminator, AVERAGE: self.average}
