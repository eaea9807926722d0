"""What a trained GAN is, in a small file beside its weights: all that is needed to ask it for images."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.settings.train_gan import GanNetworkSettings, RegionCropSettings

CARD_NAME = "gan.json"
WEIGHTS_NAME = "generator.safetensors"
"""The averaged generator, in the run's folder: what samples and is exported."""
ONNX_NAME = "generator.onnx"
"""The same as a graph, see the export job; its inputs and outputs are those of `engine/gan_onnx.py`."""


class GanCard(BaseModel):
    """A trained GAN.

    Attributes:
        class_names: Conditions that it knows, in the order of their codes on the map.
        tone_levels: Names of the tone levels, from 1; empty where the project had no tones.
        has_unknown_tone: It learned from images without a tone, under a level of their own.
        side: Of its maps and images in px.
        network: How its networks are built.
        crops: How the crops were cut that it learned from.
        train_fov_ids: FOVs that it learned from.
        validation_fov_ids: FOVs that were held out; samples and scores were taken on some of their crops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown_tone: bool
    side: int
    network: GanNetworkSettings
    crops: RegionCropSettings
    seed: int
    step: int
    train_fov_ids: tuple[int, ...]
    validation_fov_ids: tuple[int, ...]
    versions: dict[str, str]
    threads: int


def write_gan_card(folder: Path, card: GanCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_gan_card(folder: Path) -> GanCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, GanCard, model="GAN")
