"""Schedulers of diffusers with the noise schedule that a model has learned with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Protocol, cast

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler

from synthstudio.domain.prompts import SchedulerName
from synthstudio.engine.diffusion_models import JsonValue


class Schedule(Protocol):
    """What is used of a scheduler. It counts its steps, so each batch of images needs one of its own."""

    timesteps: torch.Tensor
    init_noise_sigma: float | torch.Tensor

    def set_timesteps(self, num_inference_steps: int, device: torch.device) -> None: ...
    def scale_model_input(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor: ...
    def add_noise(self, samples: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor: ...
    def step(
        self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor, *, return_dict: bool
    ) -> tuple[torch.Tensor, ...]: ...


class _Maker(Protocol):
    def from_config(self, config: Mapping[str, JsonValue]) -> Schedule: ...


_MAKERS: Mapping[SchedulerName, tuple[_Maker, Mapping[str, JsonValue]]] = {
    # Latents are not bound to -1..1, so clipping them, which is DDIM's default, would spoil them.
    "ddim": (cast("_Maker", DDIMScheduler), {"clip_sample": False}),
    # Stable Diffusion goes without the Runge-Kutta steps at the start.
    "pndm": (cast("_Maker", PNDMScheduler), {"skip_prk_steps": True}),
    "dpm-solver++": (cast("_Maker", DPMSolverMultistepScheduler), {"algorithm_type": "dpmsolver++"}),
    "euler": (cast("_Maker", EulerDiscreteScheduler), {}),
}


def build_schedule(
    name: SchedulerName, config: Mapping[str, JsonValue], *, steps: int, device: torch.device, strength: float = 1.0
) -> tuple[Schedule, list[torch.Tensor]]:
    """Make a scheduler for one batch of images.

    Args:
        name: Which one.
        config: Content of the model's `scheduler_config.json`.
        steps: Denoising steps of an image out of noise alone.
        device: Of the latents.
        strength: Share of the steps that is run; the first ones are left out. At least one is.

    Returns:
        The scheduler, and the times of those steps that are run.
    """
    maker, own = _MAKERS[name]
    schedule = maker.from_config({**config, **own})
    with warnings.catch_warnings():
        # diffusers 0.42 turns tensors into arrays in a way that NumPy 2 tells off.
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        schedule.set_timesteps(steps, device=device)
    skipped = steps - max(1, min(steps, int(steps * strength)))
    # Without it these look the step up by its time, and take the noise for inpainting from the wrong one.
    begin = getattr(schedule, "set_begin_index", None)
    if begin is not None:
        begin(skipped)
    return schedule, list(schedule.timesteps[skipped:])
