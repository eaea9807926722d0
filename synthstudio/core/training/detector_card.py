"""What a trained detector is, in a small file beside its weights: all that is needed to use it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card
from synthstudio.settings.train_detector import DetectorName

CARD_NAME = "detector.json"


class DetectorClass(BaseModel):
    """One class of a trained detector: its mean size at the working scale, and the score from which on a detection
    counts, which maximises F1 on validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_px: float
    threshold: float = 0.5


class DetectorCard(BaseModel):
    """A trained detector.

    Attributes:
        anchors: Widths and heights in px of the working scale.
        overlap: Greatest overlap (IoU) of two detections of one class.
        scale: Working scale against the original images.
        side: Side of the training images in px of the working scale.
        mean, std: Of the training images, per channel, in grey levels 0-255.
        validation_fov_ids: FOVs that chose the checkpoint and the thresholds.
        train_fov_ids: FOVs that it learned from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    network: DetectorName
    anchors: tuple[tuple[float, float], ...]
    overlap: float
    classes: tuple[DetectorClass, ...]
    scale: float
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    source: str
    seed: int
    step: int
    validation_fov_ids: tuple[int, ...]
    train_fov_ids: tuple[int, ...]
    versions: dict[str, str]
    threads: int

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.classes)


def write_detector_card(folder: Path, card: DetectorCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_detector_card(folder: Path) -> DetectorCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, DetectorCard, model="detector")
