"""What the explain job writes for each FOV, and how the results pane reads it.

A folder `explain/<fov id>/` holds `cams.npy` ((C, h, w) float32 on the grid of the class maps), `explanation.json`
and one picture per class.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from synthstudio.core.explanation.maps import Cam
from synthstudio.core.imaging import read_bytes, write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.settings.explain import CamMethod

EXPLAIN_FOLDER, CAMS_NAME, RECORD_NAME = "explain", "cams.npy", "explanation.json"


class ExplainedClass(BaseModel):
    """One class on one FOV.

    Attributes:
        name: Of the class.
        size_px: Its mean size in full-resolution px.
        threshold: Value from which on a peak counts as a centre, chosen on validation.
        cam_low, cam_high: Fixed scale of the class's maps within the training run.
        peaks: x, y in full-resolution px and value, highest first: all of them, also those below the threshold.
        overlay: File name of the picture.
        random_correlation: Rank correlation of the map with that of the network with random weights, where it was asked
            for: near 0 is right.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_px: float
    threshold: float
    cam_low: float
    cam_high: float
    peaks: tuple[tuple[float, float, float], ...]
    overlay: str
    random_correlation: float | None = None

    @property
    def centers(self) -> tuple[tuple[float, float, float], ...]:
        """The peaks that count."""
        return tuple(peak for peak in self.peaks if peak[2] >= self.threshold)


class FovExplanation(BaseModel):
    """One explained FOV.

    Attributes:
        run: Id of the training run.
        fov_id: The FOV.
        width, height: Its size in px.
        stride_px: Full-resolution px per cell of the maps; need not be a whole number.
        method: What computed the maps.
        layer: Layer of a gradient method; empty for the last one of features.
        classes: In the order of the maps in `cams.npy`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    fov_id: int
    fov_name: str
    width: int
    height: int
    stride_px: float
    classes: tuple[ExplainedClass, ...]
    method: CamMethod = "cam"
    layer: str = ""


def write_explanation(folder: Path, explanation: FovExplanation, cams: Cam) -> None:
    """Write maps `(C, h, w)` and record. Raises UserError where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    np.save(stream, np.asarray(cams, np.float32))
    write_bytes_atomically(folder / CAMS_NAME, stream.getvalue())
    write_bytes_atomically(folder / RECORD_NAME, explanation.model_dump_json(indent=1).encode())


def read_explanation(folder: Path) -> tuple[FovExplanation, Cam]:
    """Read record and maps `(C, h, w)` float32. Raises UserError where they are missing or damaged."""
    try:
        explanation = FovExplanation.model_validate_json(read_bytes(folder / RECORD_NAME))
        cams = np.load(io.BytesIO(read_bytes(folder / CAMS_NAME)), allow_pickle=False)
    except (ValidationError, ValueError) as error:
        raise UserError(f"The explanation in {folder} is damaged.", "Run explain again.") from error
    return explanation, np.asarray(cams, np.float32)
