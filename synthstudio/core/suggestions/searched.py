"""What a model has found on an FOV that was searched for suggestions: one file an FOV, `suggest/<fov id>.json`.

The suggest job writes it into the folder of its run; its host enters it into the project as it comes.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from synthstudio.core.evaluation.detected import FovDetections
from synthstudio.core.explanation.peaks import PeakArray
from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.core.training.model_card import ModelClass
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Box

SUGGEST_FOLDER = "suggest"
TUNED_SCORE = 0.5
"""What a peak as high as the threshold of its class scores."""


class FoundMark(BaseModel):
    """One object: its centre in full-resolution px and its score in 0-1, and from a detector its box x0, y0, x1, y1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: float
    y: float
    score: float
    corners: tuple[float, float, float, float] | None = None

    @property
    def box(self) -> Box | None:
        return None if self.corners is None else Box(*self.corners)


class FoundClass(BaseModel):
    """One class on one FOV.

    Attributes:
        threshold: Score from which on a mark counts, as the training tuned it.
        marks: Best first: all that were kept, also those below the threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    threshold: float
    marks: tuple[FoundMark, ...]


class FovSearch(BaseModel):
    """One searched FOV.

    Attributes:
        run: Id of the model's training run.
        content_key: Of the FOV's pixels, as they were searched.
        min_score: What lies below was not kept.
        classes: In the model's order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    fov_id: int
    content_key: str
    min_score: float
    classes: tuple[FoundClass, ...]

    @property
    def n_counting(self) -> dict[str, int]:
        """How many marks of each class lie at its threshold or above."""
        return {each.name: sum(mark.score >= each.threshold for mark in each.marks) for each in self.classes}


def search_file(folder: Path, fov_id: FovId | int) -> Path:
    """Where the file of an FOV lies in the folder of a suggest run."""
    return folder / SUGGEST_FOLDER / f"{fov_id}.json"


def write_search(path: Path, search: FovSearch) -> None:
    """Write one FOV's file. Raises UserError where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(path, search.model_dump_json(exclude_none=True).encode())


def read_search(path: Path) -> FovSearch:
    """Read one FOV's file. Raises UserError where it cannot be read or is damaged."""
    try:
        return FovSearch.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise UserError(f"The suggestions in {path} are damaged.", "Search that field again.") from error


def peak_score(value: float, half: float) -> float:
    """Bring the value of a CAM's peak, above 0, to 0-1: `half` becomes one half, no value becomes 1."""
    return value / (value + half)


def peak_value(score: float, half: float) -> float:
    """The value of a peak that gets this score, below 1."""
    return half * score / (1.0 - score)


def half_value(known: ModelClass) -> float:
    """The value of a CAM's peak that gets the score one half: the threshold, or, where none could be tuned because
    validation shows no such object, half of what pictures of the map show as full.

    A CAM is a logit without an upper end, whose size differs from class to class and from training to training. Against
    its threshold it reads alike for all of them.
    """
    return known.peak_threshold if known.peak_threshold > 0.0 else known.cam_high / 2.0


def class_of_peaks(known: ModelClass, peaks: PeakArray, *, min_score: float) -> FoundClass:
    """What a classifier has found of a class.

    Args:
        known: From the classifier's card.
        peaks: `(N, 3)` x, y in full-resolution px and value above 0, highest first.
        min_score: What lies below is left out.
    """
    half = half_value(known)
    marks = [
        FoundMark(x=round(x, 2), y=round(y, 2), score=round(peak_score(value, half), 4))
        for x, y, value in peaks.tolist()
    ]
    return FoundClass(
        name=known.name,
        threshold=TUNED_SCORE,
        marks=tuple(mark for mark in marks if mark.score >= min_score),
    )


def classes_of_boxes(found: FovDetections) -> tuple[FoundClass, ...]:
    """What a detector has found."""
    return tuple(
        FoundClass(
            name=each.name,
            threshold=each.threshold,
            marks=tuple(
                FoundMark(x=(x0 + x1) / 2, y=(y0 + y1) / 2, score=score, corners=(x0, y0, x1, y1))
                for x0, y0, x1, y1, score in each.boxes
            ),
        )
        for each in found.classes
    )
