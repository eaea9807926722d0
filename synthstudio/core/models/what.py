"""What a model was recognised as."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.domain.models import ModelKind

IMAGES = "Images"
PREDICTION = "Predicts"
TEXT_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x"}
"""Numbers per token that the denoiser takes."""
UPSCALER_CHANNELS, INPAINTING_CHANNELS = 7, 9
"""Channels that the denoiser takes: latents and the low-resolution image; latents, a mask and a masked image."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A kind of model, what it is in words, and facts for the user, as title and value."""

    kind: ModelKind
    architecture: str
    facts: tuple[tuple[str, str], ...]


def weights_in_words(n_weights: int) -> str:
    """ "860 million", "1.2 million", "340 thousand"."""
    if n_weights >= 10_000_000:
        return f"{n_weights / 1e6:.0f} million"
    return f"{n_weights / 1e6:.1f} million" if n_weights >= 1_000_000 else f"{n_weights / 1e3:.0f} thousand"
