"""What a trained upscaler is, in a small file beside its weights."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.settings.train_upscaler import UpscalerMethod

CARD_NAME = "upscaler.json"
WEIGHTS_NAME = "upscaler.safetensors"
"""The averaged compact network, in the run's folder, with the names of the field: other programs read it."""
DENOISER = "unet"
"""Folder of the averaged denoiser of a diffusion upscaler, in the run's, as diffusers reads it."""
DENOISER_WEIGHTS = f"{DENOISER}/diffusion_pytorch_model.safetensors"


class UpscalerCard(BaseModel):
    """A trained upscaler.

    Attributes:
        factor: How many times larger images become.
        side: Of the small patches that it learned from, in px.
        base: Name or path of the model that it began from; empty for random numbers.
        base_sha256: Of that model.
        guides: Guide set that it learned from; empty: the train split.
        subject: What it was told that the patches show.
        train_fov_ids: FOVs that it learned from.
        validation_fov_ids: FOVs that were held out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    method: UpscalerMethod
    factor: int
    side: int
    base: str
    base_sha256: str
    guides: str
    subject: str
    seed: int
    step: int
    train_fov_ids: tuple[int, ...]
    validation_fov_ids: tuple[int, ...]
    versions: dict[str, str]
    threads: int

    @property
    def weights_name(self) -> str:
        """File of the trained weights, in the run's folder."""
        return WEIGHTS_NAME if self.method == "compact" else DENOISER_WEIGHTS


def write_upscaler_card(folder: Path, card: UpscalerCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_upscaler_card(folder: Path) -> UpscalerCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, UpscalerCard, model="upscaler")
