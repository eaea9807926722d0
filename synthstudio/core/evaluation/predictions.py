"""What a classifier answered on each crop, kept beside its scores: curves, comparisons and galleries read it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import check_shapes, read_arrays, write_arrays
from synthstudio.core.stats import FloatArray

PREDICTIONS_NAME = "predictions.npz"


@dataclass(frozen=True, slots=True, eq=False)
class CropPredictions:
    """Answers and truth, one row per crop, one column per class.

    Attributes:
        class_names: `C` names, in the order of the columns.
        fov_ids: `(N,)` FOV of each crop.
        sample_ids: `(N,)` sample of that FOV: intervals resample samples.
        boxes: `(N, 4)` int64 x, y, width, height of the crop in full-resolution px; it may reach over the border of a
            small FOV.
        truth: `(N, C)` whether the class is on the crop.
        scores: `(N, C)` float32 probability in 0-1.
        thresholds: `(C,)` float64; a score at or above it counts as present. Chosen on validation.
    """

    class_names: tuple[str, ...]
    fov_ids: NDArray[np.int64]
    sample_ids: NDArray[np.int64]
    boxes: NDArray[np.int64]
    truth: NDArray[np.bool_]
    scores: NDArray[np.float32]
    thresholds: FloatArray

    def __post_init__(self) -> None:
        n, n_classes = len(self.fov_ids), len(self.class_names)
        check_shapes(
            self,
            {
                "fov_ids": (n,),
                "sample_ids": (n,),
                "boxes": (n, 4),
                "truth": (n, n_classes),
                "scores": (n, n_classes),
                "thresholds": (n_classes,),
            },
        )

    def __len__(self) -> int:
        return len(self.fov_ids)

    @property
    def answers(self) -> NDArray[np.bool_]:
        """`(N, C)` whether the classifier says that the class is on the crop."""
        return np.asarray(self.scores >= self.thresholds)

    def column(self, class_name: str) -> int:
        """Column of a class. Raises KeyError where the classifier does not know it."""
        try:
            return self.class_names.index(class_name)
        except ValueError:
            raise KeyError(class_name) from None


def write_predictions(path: Path, predictions: CropPredictions) -> None:
    """Write predictions whole or not at all. Raises UserError where that fails."""
    write_arrays(
        path,
        {
            "class_names": np.array(predictions.class_names, np.str_),
            "fov_ids": predictions.fov_ids.astype(np.int64),
            "sample_ids": predictions.sample_ids.astype(np.int64),
            "boxes": predictions.boxes.astype(np.int64),
            "truth": predictions.truth.astype(np.bool_),
            "scores": predictions.scores.astype(np.float32),
            "thresholds": predictions.thresholds.astype(np.float64),
        },
    )


def read_predictions(path: Path) -> CropPredictions:
    """Read what `write_predictions` wrote. Raises UserError where it is missing, damaged or of another version."""
    return read_arrays(
        path,
        lambda arrays: CropPredictions(
            class_names=tuple(str(name) for name in arrays["class_names"]),
            fov_ids=np.asarray(arrays["fov_ids"], np.int64),
            sample_ids=np.asarray(arrays["sample_ids"], np.int64),
            boxes=np.asarray(arrays["boxes"], np.int64),
            truth=np.asarray(arrays["truth"], np.bool_),
            scores=np.asarray(arrays["scores"], np.float32),
            thresholds=np.asarray(arrays["thresholds"], np.float64),
        ),
    )
