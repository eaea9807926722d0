"""What one step of a denoiser of patches is.

All that is drawn depends on the seed and the step alone. What goes on around the steps is in `region_loop`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from synthstudio.engine.checkpoints import JsonValue
from synthstudio.engine.data.region_batches import to_network
from synthstudio.engine.networks.patch_denoiser import MapReader, PatchDenoiser
from synthstudio.engine.patch_noise import Noising
from synthstudio.settings.train_patch_diffusion import PatchOptimizationSettings

LOSS = "loss/denoising"
MAX_GRADIENT = 1.0
"""Norm that the gradient is cut to, as is usual with diffusion: a rare bad batch does not throw the weights far."""


def learning_rate(step: int, settings: PatchOptimizationSettings) -> float:
    """Rate of a step, counted from 0: a linear warm-up, and from `decay_from` on falling linearly to 0."""
    warm = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    begin = settings.decay_from * settings.steps
    fallen = 1.0 if step < begin else (settings.steps - step) / (settings.steps - begin)
    return settings.learning_rate * warm * fallen


def precision_of(settings: PatchOptimizationSettings) -> torch.dtype | None:
    """What the network computes in where it is not fp32."""
    return torch.bfloat16 if settings.precision == "bf16" else None


class DenoiserLearner:
    """A denoiser.

    Args:
        network: On its device; trained in place.
        settings: Steps, rates, averaging.
        noising: What is undone.
        read_maps: Turns maps into what the network takes.
        seed: Of dropout.
    """

    def __init__(
        self,
        network: PatchDenoiser,
        settings: PatchOptimizationSettings,
        *,
        noising: Noising,
        read_maps: MapReader,
        seed: int,
    ) -> None:
        self.trained = network
        self.average = copy.deepcopy(network).eval()
        self._device = next(network.parameters()).device
        self._settings, self._seed = settings, seed
        self._noising, self._read_maps = noising, read_maps
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, fused=True)

    def networks(self) -> dict[str, nn.Module]:
        """The network and its average by their names in a checkpoint."""
        return {"network": self.trained, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimiser by its name in a checkpoint."""
        return {"optimizer": self._optimizer}

    def take_step(self, maps: Tensor, images: Tensor, *, step: int) -> Mapping[str, Tensor]:
        """Change the weights by one batch; return its loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(step, self._settings)
        self._seed_dropout(step)
        self.trained.train()
        self._optimizer.zero_grad(set_to_none=True)
        real = to_network(images, self._device).contiguous()
        layers = self._read_maps(maps).to(self._device)
        drawn = self._noising.draw(tuple(real.shape), step=step)
        loss = self._noising.loss(self.trained, real, layers, drawn, precision=precision_of(self._settings))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.trained.parameters(), MAX_GRADIENT)
        self._optimizer.step()
        return {LOSS: loss.detach()}

    def _seed_dropout(self, step: int) -> None:
        """Let dropout depend on seed and step alone, not on where the training was resumed."""
        number = (self._seed << 20) + step
        torch.default_generator.manual_seed(number)
        if self._device.type == "cuda":
            torch.cuda.manual_seed(number)

    def look_at(self, means: Mapping[str, float]) -> None:
        """Nothing: one network has nobody to lose against."""

    def to_facts(self) -> dict[str, JsonValue]:
        """Nothing."""
        return {}

    def adopt_facts(self, facts: Mapping[str, JsonValue]) -> None:
        """Nothing."""
