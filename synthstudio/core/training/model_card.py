"""What a trained classifier is, in a small file beside its weights: all that is needed to use it."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.training.cards import TrainedCard, TrainedClass, read_card, write_card
from synthstudio.settings.train_classifier import NetworkName, Pooling, Task

CARD_NAME = "model.json"


class ModelClass(TrainedClass):
    """One class of a trained classifier, which counts as present on a crop from its threshold on.

    Attributes:
        peak_threshold: Value from which on a peak of its CAM counts as a centre; maximises F1 on validation.
        cam_low, cam_high: Fixed scale for pictures of its CAM.
    """

    peak_threshold: float = 0.0
    cam_low: float = 0.0
    cam_high: float = 1.0


class ModelCard(TrainedCard[ModelClass]):
    """A trained classifier.

    Attributes:
        task: Whether an image may have several labels. Where it has one, the answer for a class is that against the
            strongest other one, and its threshold one half.
        pretrained: Where its first weights came from, in words; empty where they were random.
        stride: Px of the working scale per cell of its class maps.
        min_visible: Least visible share of an object that counts as present.
    """

    network: NetworkName
    pooling: Pooling
    sharpness: float
    attention_dropout: float = 0.0
    task: Task = "multi-label"
    pretrained: str = ""
    stride: int
    min_visible: float


def write_model_card(folder: Path, card: ModelCard) -> None:
    """Write the card into a run's folder. Raises UserError where that fails."""
    write_card(folder / CARD_NAME, card)


def read_model_card(folder: Path) -> ModelCard:
    """Read the card of a run. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / CARD_NAME, ModelCard, model="classifier")
