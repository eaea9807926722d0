"""Noise on latents, and how far the answer of a denoiser is from what it should be.

DDPM (Ho et al. 2020), v-prediction (Salimans and Ho 2022), min-SNR weights (Hang et al. 2023), prior preservation
(DreamBooth, Ruiz et al. 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor

from synthstudio.domain.errors import UserError
from synthstudio.engine.diffusion_models import JsonValue

PREDICTIONS = ("epsilon", "v_prediction")


class _Schedule(Protocol):
    alphas_cumprod: Tensor


class NoiseSchedule:
    """How much of a latent is left, and how much noise is in it, at each time of a model's own schedule.

    Args:
        config: Content of `scheduler_config.json`.
        prediction: What the denoiser predicts: "epsilon" or "v_prediction".
        device: Of the latents.

    Raises:
        UserError: The denoiser predicts something else.
    """

    def __init__(self, config: Mapping[str, JsonValue], *, prediction: str, device: torch.device) -> None:
        if prediction not in PREDICTIONS:
            raise UserError(
                f"The base model predicts {prediction}, which cannot be trained here.",
                f"Choose a model that predicts one of: {', '.join(PREDICTIONS)}.",
            )
        alphas = cast("_Schedule", DDPMScheduler.from_config(dict(config))).alphas_cumprod
        self.prediction = prediction
        self._alphas = alphas.float().to(device)
        self._signal, self._sigma = self._alphas.sqrt(), (1.0 - self._alphas).sqrt()

    @property
    def n_times(self) -> int:
        """Number of times of the schedule."""
        return len(self._alphas)

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents `(N, C, h, w)` with noise of that shape, at times `(N,)` int64."""
        return _spread(self._signal[times]) * latents + _spread(self._sigma[times]) * noise

    def target(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the denoiser should answer: the noise, or v = signal * noise - sigma * latents."""
        if self.prediction == "epsilon":
            return noise
        return _spread(self._signal[times]) * noise - _spread(self._sigma[times]) * latents

    def clean(self, noisy: Tensor, answer: Tensor, times: Tensor) -> Tensor:
        """The latents that an answer of the denoiser stands for."""
        signal, sigma = _spread(self._signal[times]), _spread(self._sigma[times])
        return (noisy - sigma * answer) / signal if self.prediction == "epsilon" else signal * noisy - sigma * answer

    def answer(self, noisy: Tensor, clean: Tensor, times: Tensor) -> Tensor:
        """The answer that stands for these latents; the inverse of `clean`."""
        signal, sigma = _spread(self._signal[times]), _spread(self._sigma[times])
        return (noisy - signal * clean) / sigma if self.prediction == "epsilon" else (signal * noisy - clean) / sigma

    def snr(self, times: Tensor) -> Tensor:
        """Ratio of signal to noise, in power, `(N,)`."""
        return self._alphas[times] / (1.0 - self._alphas[times])

    def weights(self, times: Tensor, *, gamma: float) -> Tensor:
        """Weights of the losses at these times, `(N,)`: min(SNR, gamma) / SNR, for v-prediction / (SNR + 1); 1 without
        a gamma."""
        if not gamma:
            return torch.ones_like(self._alphas[times])
        snr = self.snr(times)
        capped = snr.clamp(max=gamma)
        return capped / snr.clamp(min=1e-8) if self.prediction == "epsilon" else capped / (snr + 1.0)


def _spread(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def image_losses(answer: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean squared difference of each image, `(N,)` in fp32, of answers and targets `(N, C, h, w)`."""
    return (answer.float() - target.float()).square().mean(dim=(1, 2, 3)) * weights


@dataclass(frozen=True, slots=True)
class FineTuningLoss:
    """The loss of a part of a step; those of all parts add up to that of the step.

    Attributes:
        guides: Share of the mean loss on the guide images.
        prior: The same of the prior images; None without any.
        total: guides + prior weight * prior: what gradients are taken of.
    """

    guides: Tensor
    prior: Tensor | None
    total: Tensor


def fine_tuning_loss(losses: Tensor, *, n_guides: int, n_step: int, prior_weight: float) -> FineTuningLoss:
    """Put the losses of a part of a step together.

    Args:
        losses: Of each image of the part, guide images first, then as many prior images or none, `(N,)`.
        n_guides: How many of them are guide images.
        n_step: Guide images in the whole step.
        prior_weight: Of the prior images.
    """
    guides = losses[:n_guides].sum() / n_step
    if len(losses) == n_guides:
        return FineTuningLoss(guides, None, guides)
    prior = losses[n_guides:].sum() / n_step
    return FineTuningLoss(guides, prior, guides + prior_weight * prior)
