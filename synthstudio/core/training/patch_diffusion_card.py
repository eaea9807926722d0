"""What a diffusion model of patches is, in a small file beside its weights: all that is needed to ask it for images."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.settings.train_patch_diffusion import (
    DenoiserSettings,
    NoisingSettings,
    PatchCropSettings,
    PatchSamplingSettings,
)

CARD_NAME = "patch_diffusion.json"
WEIGHTS_NAME = "denoiser.safetensors"
"""The averaged network, in the run's folder: what samples."""


class PatchDiffusionCard(BaseModel):
    """A trained diffusion model of patches; what it can be asked for is said as on the card of a GAN.

    Attributes:
        class_names: Classes that it knows, in the order of their codes on the map.
        tone_levels: Names of the tone levels, from 1; empty where the project had no tones.
        has_unknown_tone: It learned from images without a tone, under a level of their own.
        side: Of its maps and images in px.
        network: How its network is built.
        noise: What it has learned to undo.
        sampling: How it makes images unless it is asked otherwise.
        crops: How the crops were cut that it learned from.
        train_fov_ids: FOVs that it learned from.
        validation_fov_ids: FOVs that were held out; samples and figures were taken on some of their crops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown_tone: bool
    side: int
    network: DenoiserSettings
    noise: NoisingSettings
    sampling: PatchSamplingSettings
    crops: PatchCropSettings
    seed: int
    step: int
    train_fov_ids: tuple[int, ...]
    validation_fov_ids: tuple[int, ...]
    versions: dict[str, str]
    threads: int


def write_patch_card(folder: Path, card: PatchDiffusionCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_patch_card(folder: Path) -> PatchDiffusionCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, PatchDiffusionCard, model="diffusion model of patches")
