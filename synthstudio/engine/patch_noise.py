"""Noise that a denoiser of patches learns to take away: how much at which time, and how images follow.

Schedules and samplers are the library's (diffusers), so that training and sampling speak of the same noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from synthstudio.core.synthesis.streams import PATCH_NOISING, open_stream
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.diffusion_losses import NoiseSchedule
from synthstudio.engine.diffusion_models import JsonValue
from synthstudio.engine.diffusion_schedules import build_schedule
from synthstudio.engine.networks.patch_denoiser import CHANNELS, MapLayers, PatchDenoiser
from synthstudio.settings.train_patch_diffusion import NoisingSettings, PatchSamplingSettings

N_TIMES = 1000
_SCHEDULES = {"cosine": "squaredcos_cap_v2", "linear": "linear"}
_PREDICTIONS = {"v": "v_prediction", "epsilon": "epsilon"}


def schedule_config(settings: NoisingSettings) -> dict[str, JsonValue]:
    """The schedule as the library's configurations say it."""
    return {
        "num_train_timesteps": N_TIMES,
        "beta_schedule": _SCHEDULES[settings.schedule],
        "prediction_type": _PREDICTIONS[settings.prediction],
        "timestep_spacing": "trailing",  # begins where there is nothing but noise, however few steps there are
    }


def build_noise_schedule(settings: NoisingSettings, device: torch.device) -> NoiseSchedule:
    """How much noise there is at each time."""
    return NoiseSchedule(schedule_config(settings), prediction=_PREDICTIONS[settings.prediction], device=device)


class Noising:
    """Noises images, and compares what a network answers with what it should.

    Args:
        settings: Schedule, prediction, share of requests that are not told.
        seed: Of all that is drawn.
        device: Of images.
    """

    def __init__(self, settings: NoisingSettings, *, seed: int, device: torch.device) -> None:
        self._schedule = build_noise_schedule(settings, device)
        self._without_request, self._seed, self._device = settings.without_request, seed, device

    def draw(self, shape: tuple[int, ...], *, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw noise, times `(N,)` and whether the request is told `(N,)` of a step; from seed and step alone.

        The times are spread evenly over all that there are, so that batches are alike in difficulty.
        """
        rng = open_stream(self._seed, PATCH_NOISING, step)
        n = shape[0]
        times = ((rng.permutation(n) + rng.random(n)) / n * N_TIMES).astype(np.int64)
        is_told = rng.random(n) >= self._without_request
        noise = rng.standard_normal(shape, dtype=np.float32)
        drawn = [torch.from_numpy(each).to(self._device) for each in (noise, times, is_told)]
        return drawn[0], drawn[1], drawn[2]

    def loss(
        self,
        network: PatchDenoiser,
        pixels: Tensor,
        layers: MapLayers,
        drawn: tuple[Tensor, Tensor, Tensor],
        *,
        precision: torch.dtype | None = None,
    ) -> Tensor:
        """Mean squared difference between the network's answer and what it should be; a scalar in fp32.

        Args:
            network: Called once.
            pixels: `(N, 3, S, S)` from -1 to 1.
            layers: What they show.
            drawn: What `draw` gave for them.
            precision: The network computes in it; None for fp32.
        """
        noise, times, is_told = drawn
        images = network.standardised(pixels)
        with torch.autocast(self._device.type, precision, enabled=precision is not None):
            answer = network(self._schedule.noised(images, noise, times), times, layers, is_told)
        return F.mse_loss(answer.float(), self._schedule.target(images, noise, times))


Answer = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()
def sample_patches(
    network: PatchDenoiser,
    layers: MapLayers,
    noise: Tensor,
    *,
    noising: NoisingSettings,
    sampling: PatchSamplingSettings,
    tick: Tick = no_tick,
) -> Tensor:
    """Make images `(N, 3, S, S)` in -1..1 of noise of that shape, on the device of the network.

    Args:
        network: In eval mode.
        layers: What the images should show.
        noise: From a standard normal distribution; nothing else is drawn.
        noising: What the network has learned to undo.
        sampling: How.
        tick: Called once per step.
    """
    config, noise_schedule = schedule_config(noising), build_noise_schedule(noising, noise.device)
    sampler, times = build_schedule(sampling.sampler, config, steps=sampling.sampler_steps, device=noise.device)
    answer = _guided(network, layers, sampling.guidance if noising.without_request else 1.0)
    images = noise * sampler.init_noise_sigma
    for done, time in enumerate(times):
        tick(done, len(times))
        seen, now = sampler.scale_model_input(images, time), time.expand(len(images)).to(noise.device)
        # No estimate of the image leaves the range of pixels: guidance would carry it out of there step by step.
        clean = network.pixels(noise_schedule.clean(seen, answer(seen, now), now))
        bounded = noise_schedule.answer(seen, network.standardised(clean), now)
        images = sampler.step(bounded, time, images, return_dict=False)[0]
    return network.pixels(images)


def _guided(network: PatchDenoiser, layers: MapLayers, guidance: float) -> Answer:
    """The network's answers; away from those without the request, as far as guidance says."""
    n = len(layers.tones)
    told = torch.ones(n, dtype=torch.bool, device=layers.tones.device)
    if guidance == 1.0:
        return lambda images, times: network(images, times, layers, told)
    twice = MapLayers(torch.cat([layers.masks, layers.masks]), torch.cat([layers.tones, layers.tones]))
    both = torch.cat([told, ~told])

    def answer(images: Tensor, times: Tensor) -> Tensor:
        seeing, blind = network(torch.cat([images, images]), torch.cat([times, times]), twice, both).chunk(2)
        guided: Tensor = blind + guidance * (seeing - blind)
        return guided

    return answer


def noise_shape(side: int) -> tuple[int, int, int]:
    """Shape of the noise of one image."""
    return CHANNELS, side, side
