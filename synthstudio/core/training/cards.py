"""Cards of trained models as files: small JSON beside the weights."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.domain.errors import UserError

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
