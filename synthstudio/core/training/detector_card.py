"""What a trained detector is, in a small file beside its weights: all that is needed to use it."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.training.cards import TrainedCard, TrainedClass, read_card, write_card
from synthstudio.settings.train_detector import DetectorName

CARD_NAME = "detector.json"


class DetectorClass(TrainedClass):
    """One class of a trained detector; a detection counts from its threshold on."""


class DetectorCard(TrainedCard[DetectorClass]):
    """A trained detector.

    Attributes:
        anchors: Widths and heights in px of the working scale; none where the network has no anchors.
        overlap: Greatest overlap (IoU) of two detections of one class.
    """

    network: DetectorName
    anchors: tuple[tuple[float, float], ...]
    overlap: float


def write_detector_card(folder: Path, card: DetectorCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_detector_card(folder: Path) -> DetectorCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, DetectorCard, model="detector")
