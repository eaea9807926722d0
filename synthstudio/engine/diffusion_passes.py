"""Single passes through the parts of a Stable Diffusion, with plain tensors on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import nn

from synthstudio.engine.diffusion_models import Tokenizer


class _Moments(Protocol):
    mean: torch.Tensor
    std: torch.Tensor


class _Encoded(Protocol):
    latent_dist: _Moments


class _Coder(Protocol):
    """What is used of an AutoencoderKL."""

    def encode(self, x: torch.Tensor) -> _Encoded: ...
    def decode(self, z: torch.Tensor, *, return_dict: bool) -> tuple[torch.Tensor]: ...


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> torch.Tensor:
    """Token ids of captions or prompts, padded and cut to the encoder's length: `(N, T)` int64 on the CPU."""
    tokens = tokenizer(
        list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    return tokens["input_ids"]


def text_states(text_encoder: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """What the denoiser is told of the texts: `(N, T)` ids -> `(N, T, K)`. Ids may lie on another device."""
    device = next(text_encoder.parameters()).device
    states: torch.Tensor = text_encoder(ids.to(device), return_dict=False)[0]
    return states


def latent_moments(vae: nn.Module, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of the unscaled latents of images `(N, 3, H, W)` in -1..1, each `(N, 4, H/8, W/8)`."""
    moments = cast("_Coder", vae).encode(pixels).latent_dist
    return moments.mean, moments.std


def decode_latents(vae: nn.Module, latents: torch.Tensor, *, latent_scale: float) -> torch.Tensor:
    """Images `(N, 3, H, W)`, about -1..1, of scaled latents `(N, 4, h, w)`."""
    return cast("_Coder", vae).decode(latents / latent_scale, return_dict=False)[0]


def predict(
    unet: nn.Module,
    noisy: torch.Tensor,
    steps: torch.Tensor,
    states: torch.Tensor,
    *,
    noise_level: torch.Tensor | None = None,
) -> torch.Tensor:
    """What the denoiser says of noisy latents.

    Args:
        unet: The denoiser.
        noisy: `(N, C, h, w)`; an upscaler's has the low-resolution image as 3 more channels.
        steps: `(N,)` int64, 0 .. number of training steps - 1, or a single one for all.
        states: `(N, T, K)` of the texts.
        noise_level: `(N,)` int64: noise on the low-resolution image; upscalers only.

    Returns:
        `(N, 4, h, w)`: the noise, or v, as the model's prediction type says.
    """
    answer: torch.Tensor = unet(noisy, steps, states, class_labels=noise_level, return_dict=False)[0]
    return answer
