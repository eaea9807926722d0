"""The x4 diffusion upscaler at work: its fine-tuning loss, and images enlarged by it.

A latent diffusion model that sees the small image, with noise of a known level on it, beside the latents (Rombach et
al. 2022; the noise after Ho et al. 2021, cascaded diffusion). The steps are those of `StableDiffusionUpscalePipeline`,
so that the same noise gives the same image there. Latents are as wide as the small image: the VAE shrinks by the
enlargement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.core.imaging import ImageArray, translate_os_error
from synthstudio.core.synthesis.streams import UPSCALING, open_stream
from synthstudio.core.training.upscaler_card import DENOISER, DENOISER_WEIGHTS
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import write_weights
from synthstudio.engine.diffusion_losses import NoiseSchedule, image_losses
from synthstudio.engine.diffusion_models import Components, config_value
from synthstudio.engine.diffusion_passes import decode_latents, latent_moments, predict, text_states, token_ids
from synthstudio.engine.diffusion_schedules import build_schedule
from synthstudio.settings.train_upscaler import DIFFUSION_FACTOR, UpscalerDiffusionSettings

LATENT_CHANNELS, IMAGE_CHANNELS = 4, 3
SIDE_STEP = 8
"""Sides of what the denoiser sees are multiples of it: it halves them three times."""
OVERLAP_SHARE = 0.25
"""Of a window, that its neighbours see, too: there they are blended."""
SAMPLE_NOISE_LEVEL = 20
"""Of held-out samples; the published default of sampling."""
_N_AT_ONCE = 4


class _Configured(Protocol):
    def save_config(self, save_directory: str) -> None: ...


class _Checkpointed(Protocol):
    def enable_gradient_checkpointing(self) -> None: ...


def check_upscaler(components: Components) -> None:
    """Refuse a model that is no x4 diffusion upscaler. Raises UserError."""
    channels = config_value(components.unet, "in_channels")
    if (
        channels != LATENT_CHANNELS + IMAGE_CHANNELS
        or components.low_res_scheduler is None
        or components.shrink != DIFFUSION_FACTOR
    ):
        raise UserError(
            f"{components.source} is no x4 diffusion upscaler.",
            "Choose the folder of one: its denoiser takes 7 channels, and low_res_scheduler/ lies beside it.",
        )


@dataclass(frozen=True, slots=True)
class UpscaleRequest:
    """How images are enlarged.

    Attributes:
        steps: Denoising steps.
        guidance: How much the prompt counts; 1 leaves guidance out.
        noise_level: Step of the schedule whose noise the small image gets.
        prompt: What the image shows.
    """

    steps: int
    guidance: float = 1.0
    noise_level: int = SAMPLE_NOISE_LEVEL
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class DrawnNoise:
    """The random numbers of one image: of its latents `(4, h, w)` and on its pixels `(3, h, w)`, float32."""

    latents: NDArray[np.float32]
    pixels: NDArray[np.float32]

    @classmethod
    def draw(cls, size: tuple[int, int], *, seed: int, index: int) -> DrawnNoise:
        """Draw for an image of this height and width; `index` tells images and their windows apart."""
        rng = open_stream(seed, UPSCALING, index)
        latents = rng.standard_normal((LATENT_CHANNELS, *size), dtype=np.float32)
        return cls(latents, rng.standard_normal((IMAGE_CHANNELS, *size), dtype=np.float32))


def enlarge_by_diffusion(
    components: Components, images: NDArray[np.uint8], request: UpscaleRequest, noise: Sequence[DrawnNoise]
) -> NDArray[np.uint8]:
    """Enlarge `(N, h, w, 3)` uint8 to `(N, 4 h, 4 w, 3)` at once; sides are multiples of `SIDE_STEP`.

    Raises:
        UserError: The model made something that is no number.
    """
    device, dtype = next(components.unet.parameters()).device, next(components.unet.parameters()).dtype
    was_training = components.unet.training
    components.unet.eval()
    with torch.no_grad():
        small = _to_network(torch.from_numpy(images), device)
        level = torch.full((len(images),), request.noise_level, dtype=torch.int64, device=device)
        on_pixels = torch.from_numpy(np.stack([each.pixels for each in noise])).to(device)
        small = _low_schedule(components, device).noised(small, on_pixels, level)
        schedule, steps = build_schedule("ddim", components.scheduler, steps=request.steps, device=device)
        latents = torch.from_numpy(np.stack([each.latents for each in noise])).to(device) * schedule.init_noise_sigma
        is_guided = request.guidance > 1.0
        states = _states(components, ["", request.prompt] if is_guided else [request.prompt])
        states = states.repeat_interleave(len(images), 0)
        twice = 2 if is_guided else 1
        for step in steps:
            seen = torch.cat([schedule.scale_model_input(latents, step), small], 1).repeat(twice, 1, 1, 1)
            said = predict(
                components.unet, seen.to(dtype), step, states.to(dtype), noise_level=level.repeat(twice)
            ).float()
            if is_guided:
                plain, told = said.chunk(2)
                said = plain + request.guidance * (told - plain)
            latents = schedule.step(said, step, latents, return_dict=False)[0]
        made = _decode(components, latents)
    components.unet.train(was_training)
    return made


def _states(components: Components, texts: Sequence[str]) -> Tensor:
    return text_states(components.text_encoder, token_ids(components.tokenizer, texts))


def _low_schedule(components: Components, device: torch.device) -> NoiseSchedule:
    assert components.low_res_scheduler is not None
    return NoiseSchedule(components.low_res_scheduler, prediction="epsilon", device=device)


def _decode(components: Components, latents: Tensor) -> NDArray[np.uint8]:
    """Pixels; one image after another, because decoding takes more memory than all else."""
    dtype = next(components.vae.parameters()).dtype
    images = []
    for each in latents:
        values = decode_latents(components.vae, each[None].to(dtype), latent_scale=components.latent_scale).float()
        if not bool(torch.isfinite(values).all()):
            raise UserError(
                "The upscaler has made an image that is no image: its values are not numbers.",
                "Choose another upscaler, or an earlier training.",
            )
        pixels = ((values[0] / 2 + 0.5).clamp(0.0, 1.0) * 255.0).round()
        images.append(pixels.permute(1, 2, 0).to(torch.uint8).cpu().numpy())
    return np.stack(images)


class DiffusionTraining:
    """What a training needs to know of the diffusion upscaler.

    Args:
        components: Of the model, on its device, in fp32; its denoiser is trained in place.
        settings: Of the fine-tuning.
        subject: What the patches show, in words; may be empty.
        seed: Of the noise of the samples.
    """

    def __init__(self, components: Components, settings: UpscalerDiffusionSettings, *, subject: str, seed: int) -> None:
        check_upscaler(components)
        self.network = components.unet
        self.network.requires_grad_(requires_grad=True)
        if settings.checkpointing:
            cast("_Checkpointed", self.network).enable_gradient_checkpointing()
        self._components, self._settings, self._subject, self._seed = components, settings, subject, seed
        self._device = next(self.network.parameters()).device
        self._schedule = NoiseSchedule(components.scheduler, prediction=components.prediction, device=self._device)
        self._low = _low_schedule(components, self._device)
        with torch.no_grad():
            self._states = _states(components, ["", subject])  # (2, T, K)

    def loss(self, small: Tensor, large: Tensor) -> Tensor:
        """Mean squared difference of what the denoiser answers to what it should, for pairs of uint8 patches.

        Its random numbers come from torch's own generator on the processor, which the loop seeds by step.
        """
        n, parts = len(small), self._components
        low, high = (_to_network(each, self._device) for each in (small, large))
        times = torch.randint(self._schedule.n_times, (n,)).to(self._device)
        levels = torch.randint(self._settings.noise_level + 1, (n,)).to(self._device)
        is_told = (torch.rand(n) >= self._settings.caption_dropout).to(self._device)
        with torch.no_grad():
            mean, std = latent_moments(parts.vae, high)
            latents = (mean + std * torch.randn(mean.shape).to(self._device)).float() * parts.latent_scale
            low = self._low.noised(low, torch.randn(low.shape).to(self._device), levels)
        noise = torch.randn(latents.shape).to(self._device)
        seen = torch.cat([self._schedule.noised(latents, noise, times), low], 1)  # (N, 7, h, w)
        answer = predict(self.network, seen, times, self._states[is_told.long()], noise_level=levels)
        target = self._schedule.target(latents, noise, times)
        return image_losses(answer, target, torch.ones(n, device=self._device)).mean()

    def enlarge(self, network: nn.Module, small: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Enlarge `(N, s, s, 3)` by a denoiser of this shape, with the same noise every time."""
        parts = replace(self._components, unet=network)
        request = UpscaleRequest(self._settings.sample_steps, prompt=self._subject)
        made = []
        for start in range(0, len(small), _N_AT_ONCE):
            chosen = small[start : start + _N_AT_ONCE]
            size = (int(small.shape[1]), int(small.shape[2]))
            noise = [DrawnNoise.draw(size, seed=self._seed, index=start + each) for each in range(len(chosen))]
            made.append(enlarge_by_diffusion(parts, chosen, request, noise))
        return np.concatenate(made)

    def save(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Write the denoiser's folder as diffusers reads it. Raises UserError where that fails."""
        try:
            (folder / DENOISER).mkdir(exist_ok=True)
            cast("_Configured", self.network).save_config(str(folder / DENOISER))
        except OSError as error:
            raise translate_os_error(error, folder / DENOISER) from error
        write_weights(folder / DENOISER_WEIGHTS, dict(weights), {"format": "pt"})


class DiffusionEnlarger:
    """Enlarges images by the diffusion upscaler, large ones in overlapping windows that are blended.

    Args:
        components: Of the model.
        request: How; the prompt is that of images which bring none.
        tile: Side of the windows in px.
    """

    factor = DIFFUSION_FACTOR

    def __init__(self, components: Components, request: UpscaleRequest, *, tile: int) -> None:
        check_upscaler(components)
        self._components, self._request = components, request
        self._tile = max(SIDE_STEP, tile // SIDE_STEP * SIDE_STEP)

    def enlarge(self, image: ImageArray, *, prompt: str, seed: int, index: int) -> ImageArray:
        """Enlarge `(H, W, 3)` to `(4 H, 4 W, 3)`, uint8 RGB both; the noise depends on seed and index alone."""
        height, width = image.shape[:2]
        padded = np.pad(image, ((0, -height % SIDE_STEP), (0, -width % SIDE_STEP), (0, 0)), mode="edge")
        request = replace(self._request, prompt=self._request.prompt or prompt)
        windows = list(_windows(padded.shape[0], padded.shape[1], self._tile))
        total = np.zeros((padded.shape[0] * self.factor, padded.shape[1] * self.factor, 3), np.float32)
        weight = np.zeros((*total.shape[:2], 1), np.float32)
        for number, (y, x, tall, wide) in enumerate(windows):
            noise = DrawnNoise.draw((tall, wide), seed=seed, index=(index << 20) + number)
            part = np.ascontiguousarray(padded[y : y + tall, x : x + wide])[None]
            made = enlarge_by_diffusion(self._components, part, request, [noise])[0]
            ramp = _ramp(tall * self.factor)[:, None, None] * _ramp(wide * self.factor)[None, :, None]
            place = (
                slice(y * self.factor, (y + tall) * self.factor),
                slice(x * self.factor, (x + wide) * self.factor),
            )
            total[place] += made * ramp
            weight[place] += ramp
        whole = np.rint(total / weight).astype(np.uint8)
        return np.ascontiguousarray(whole[: height * self.factor, : width * self.factor])


def _windows(height: int, width: int, tile: int) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, height and width of overlapping windows over an image."""
    for y in _starts(height, tile):
        for x in _starts(width, tile):
            yield y, x, min(tile, height), min(tile, width)


def _starts(length: int, tile: int) -> list[int]:
    """Where windows begin: as few as overlap by the share, spread evenly."""
    if length <= tile:
        return [0]
    stride = tile * (1.0 - OVERLAP_SHARE)
    count = 1 + int(np.ceil((length - tile) / stride))
    return [round(each) for each in np.linspace(0, length - tile, count)]


def _ramp(length: int) -> NDArray[np.float32]:
    """Weights along a side: 1 in the middle, falling towards the ends where neighbours take over."""
    margin = max(1, round(length * OVERLAP_SHARE))
    places = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1.0
    return np.minimum(places / margin, 1.0).astype(np.float32)


def _to_network(pixels: Tensor, device: torch.device) -> Tensor:
    """Turn `(N, H, W, 3)` uint8 into `(N, 3, H, W)` float32 in -1..1."""
    return (pixels.to(device).float() / 127.5 - 1.0).permute(0, 3, 1, 2).contiguous()
