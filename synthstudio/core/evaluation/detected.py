"""What a detector found on an FOV, stored: one JSON file an FOV, `detect/<fov id>.json` in the folder of a run.

The detect job writes it for the FOVs that it is asked for, the evaluation for those that it scores on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.core.training.detector_card import DetectorCard
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import FieldOfView

DETECT_FOLDER = "detect"
ScoredBox = tuple[float, float, float, float, float]
"""x0, y0, x1, y1 in full-resolution px, and the score in 0-1."""


class DetectedClass(BaseModel):
    """One class on one FOV.

    Attributes:
        name: Of the class.
        size_px: Its mean size in full-resolution px.
        threshold: Score from which on a detection counts, chosen on validation.
        boxes: Best first: all that were stored, also those below the threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_px: float
    threshold: float
    boxes: tuple[ScoredBox, ...]

    @property
    def n_counting(self) -> int:
        """How many lie at the threshold or above."""
        return sum(box[4] >= self.threshold for box in self.boxes)


class FovDetections(BaseModel):
    """One searched FOV.

    Attributes:
        run: Id of the training run.
        fov_id: The FOV.
        width, height: Its size in px.
        classes: In the detector's order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    fov_id: int
    fov_name: str
    width: int
    height: int
    classes: tuple[DetectedClass, ...]

    def detections(self) -> Detections:
        """All boxes in arrays; a label is the place of the class."""
        rows = [(*box, label) for label, each in enumerate(self.classes) for box in each.boxes]
        table = np.array(rows, np.float64).reshape(-1, 6)
        return Detections(table[:, :4], table[:, 5].astype(np.int64), table[:, 4])


def record_detections(
    found: Detections, card: DetectorCard, fov: FieldOfView, *, run: str, min_score: float
) -> FovDetections:
    """Bring detections from the working scale to full resolution.

    Args:
        found: On the FOV resized by the card's working scale; what lies beyond its edges is cut.
        card: Of the detector.
        fov: Where it searched.
        run: Id of the detector's training.
        min_score: What lies below is left out.
    """
    factor = card.working_scale.of(fov)
    # The resized image is a whole number of px, so that the scale differs a little from the wanted one.
    scale_x = fov.width / max(1, round(fov.width * factor))
    scale_y = fov.height / max(1, round(fov.height * factor))
    limits = np.array([fov.width, fov.height] * 2, np.float64)
    full = np.clip(found.boxes * [scale_x, scale_y, scale_x, scale_y], 0.0, limits)
    kept = (found.scores >= min_score) & (full[:, 2] > full[:, 0]) & (full[:, 3] > full[:, 1])
    found = Detections(full[kept], found.labels[kept], found.scores[kept])
    return FovDetections(
        run=run,
        fov_id=fov.id,
        fov_name=fov.name,
        width=fov.width,
        height=fov.height,
        classes=tuple(
            DetectedClass(
                name=known.name,
                size_px=known.size_px / factor,
                threshold=known.threshold,
                boxes=_scored_boxes(found, label),
            )
            for label, known in enumerate(card.classes)
        ),
    )


def _scored_boxes(found: Detections, label: int) -> tuple[ScoredBox, ...]:
    boxes, scores = found.of_class(label)
    return tuple(
        (round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2), round(score, 4))
        for x0, y0, x1, y1, score in np.column_stack([boxes, scores]).tolist()
    )


def write_fov_detections(path: Path, found: FovDetections) -> None:
    """Write one FOV's file. Raises UserError where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(path, found.model_dump_json(indent=1).encode())


def detection_file(folder: Path, fov_id: FovId) -> Path:
    """Where the file of an FOV lies in the folder of a run."""
    return folder / DETECT_FOLDER / f"{fov_id}.json"


def find_detection_files(folder: Path) -> dict[FovId, Path]:
    """The files in the folder of a run."""
    paths = (folder / DETECT_FOLDER).glob("*.json")
    return {FovId(int(path.stem)): path for path in paths if path.stem.isdigit()}


def read_fov_detections(path: Path) -> FovDetections:
    """Read one FOV's file. Raises UserError where it is missing or damaged."""
    try:
        return FovDetections.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise UserError(f"The detections in {path} are damaged.", "Run detect again.") from error
