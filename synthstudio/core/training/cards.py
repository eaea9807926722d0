"""Cards of trained models as files: small JSON beside the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.scale import WorkingScale


class TrainedClass(BaseModel):
    """One class of a trained model.

    Attributes:
        size_px: Mean size at the working scale.
        threshold: Probability or score from which on an answer counts; maximises F1 on validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_px: float
    threshold: float = 0.5


KnownClass = TypeVar("KnownClass", bound=TrainedClass)


class TrainedCard(BaseModel, Generic[KnownClass]):
    """What is known of any trained model.

    Attributes:
        scale: Px of the working scale per px of an FOV, where `um_per_px` is 0.
        um_per_px: Pixel size that every FOV is brought to, or 0.
        whole_px: Longer side that every FOV is brought to, where it is seen as a whole, or 0.
        side: Side of the training images in px of the working scale.
        mean, std: Of the training images, per channel, in grey levels 0-255.
        validation_fov_ids: FOVs that chose the checkpoint and the thresholds.
        train_fov_ids: FOVs that it learned from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    classes: tuple[KnownClass, ...]
    scale: float
    um_per_px: float = 0.0
    whole_px: int = 0
    side: int
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
    def working_scale(self) -> WorkingScale:
        if self.whole_px:
            return WorkingScale(whole_px=self.whole_px)
        return WorkingScale.choose(factor=self.scale, um_per_px=self.um_per_px)

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.classes)


Card = TypeVar("Card", bound=BaseModel)


def write_card(path: Path, card: BaseModel) -> None:
    """Write a card. Raises UserError where that fails."""
    write_bytes_atomically(path, card.model_dump_json(indent=2).encode())


def read_card(path: Path, kind: type[Card], *, model: str) -> Card:
    """Read a card from a run's folder.

    Args:
        path: Its file.
        kind: What it is.
        model: What the user calls such a model: "classifier", "detector".

    Raises:
        UserError: There is none, or it is damaged.
    """
    if not path.is_file():
        raise UserError(
            f"The run {path.parent.name} has no trained model.", f"Choose the training of a {model} that has finished."
        )
    try:
        return kind.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise UserError(f"{path} is damaged: {error.errors()[0]['msg']}.", f"Train the {model} again.") from error
