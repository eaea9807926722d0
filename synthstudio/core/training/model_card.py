"""What a trained classifier is, in a small file beside its weights: all that is needed to use it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.settings.train_classifier import NetworkName, Pooling

CARD_NAME = "model.json"


class ModelClass(BaseModel):
    """One class of a trained classifier.

    Attributes:
        size_px: Mean size at the working scale.
        threshold: Probability from which on the class counts as present on a crop; maximises F1 on validation.
        peak_threshold: Value from which on a peak of its CAM counts as a centre; likewise.
        cam_low, cam_high: Fixed scale for pictures of its CAM.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_px: float
    threshold: float = 0.5
    peak_threshold: float = 0.0
    cam_low: float = 0.0
    cam_high: float = 1.0


class ModelCard(BaseModel):
    """A trained classifier.

    Attributes:
        stride: Px of the working scale per cell of its class maps.
        scale: Working scale against the original images.
        side: Side of the training images in px of the working scale.
        min_visible: Least visible share of an object that counts as present.
        mean, std: Of the training images, per channel, in grey levels 0-255.
        validation_fov_ids: FOVs that chose the checkpoint and the thresholds.
        train_fov_ids: FOVs that it learned from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    network: NetworkName
    pooling: Pooling
    sharpness: float
    stride: int
    classes: tuple[ModelClass, ...]
    scale: float
    side: int
    min_visible: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    source: str
    seed: int
    step: int
    validation_fov_ids: tuple[int, ...]
    train_fov_ids: tuple[int, ...] = ()
    versions: dict[str, str]
    threads: int

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.classes)


def write_model_card(folder: Path, card: ModelCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_model_card(folder: Path) -> ModelCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, ModelCard, model="classifier")
