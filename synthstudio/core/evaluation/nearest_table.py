"""The synthetic images nearest to real ones, as a file of a measurement: pictures by reference, not copied."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from synthstudio.core.training.cards import read_card, write_card

NEAREST_NAME = "nearest.json"
MAX_PAIRS = 200


class NearPair(BaseModel):
    """A synthetic image and the real one that it is nearest to.

    Attributes:
        file: Of the synthetic image: within the folder of its set, or of the measurement where a GAN made it.
        fov: Id of the FOV that the real one is cut from; `fov_name` is its name.
        window: x, y and side of the cut in full-resolution px.
        distance: Of features.
        correlation: Of small pictures, -1 to 1.
        by: Which of the two the real image was found by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    fov: int
    fov_name: str
    window: tuple[int, int, int]
    distance: float
    correlation: float
    by: Literal["features", "picture"]
    is_too_near: bool


class NearestTable(BaseModel):
    """All of a measurement about nearness.

    Attributes:
        pairs: Nearest first, at most `MAX_PAIRS`.
        distance_limit: Nearer than this is too near, likewise `correlation_limit`.
        held_out_distance: Median distance of real images that nothing was learned from to those that it was; None
            where there are none. `distance` is that of the synthetic images.
        n_images: Synthetic images that were looked at.
        n_learned: Real images that were searched.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: tuple[NearPair, ...]
    distance_limit: float
    correlation_limit: float
    distance: float
    held_out_distance: float | None
    n_images: int
    n_learned: int
    n_too_near: int


def write_nearest(folder: Path, table: NearestTable) -> None:
    """Write the table into a run's folder. Raises UserError where that fails."""
    write_card(folder / NEAREST_NAME, table)


def read_nearest(folder: Path) -> NearestTable:
    """Read the table of a measurement. Raises UserError where there is none, or it is damaged."""
    return read_card(folder / NEAREST_NAME, NearestTable, model="measurement")
