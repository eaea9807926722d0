"""What a detector found on each FOV, kept beside its scores, with the objects that were to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import check_shapes, read_arrays, write_arrays
from synthstudio.core.evaluation.detection import MATCH_IOU, ClassMatches, Detections, match_boxes, match_class
from synthstudio.core.geometry import BoxArray
from synthstudio.core.stats import FloatArray

DETECTIONS_NAME = "detections.npz"
FovTruth = tuple[BoxArray, NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class StoredDetections:
    """Boxes found and true boxes of exhaustively annotated FOVs.

    Attributes:
        class_names: `C` names; labels count them from 0.
        fov_ids, sample_ids: `(F,)`.
        found_rows: `(D,)` row of `fov_ids` of each detection, rising.
        found_boxes: `(D, 4)` x0, y0, x1, y1 in full-resolution px.
        found_labels, found_scores: `(D,)`.
        true_rows, true_boxes, true_labels: The same of the `T` annotated objects.
        thresholds: `(C,)`; a detection with a score at or above it counts. Chosen on validation.
    """

    class_names: tuple[str, ...]
    fov_ids: NDArray[np.int64]
    sample_ids: NDArray[np.int64]
    found_rows: NDArray[np.int64]
    found_boxes: BoxArray
    found_labels: NDArray[np.int64]
    found_scores: FloatArray
    true_rows: NDArray[np.int64]
    true_boxes: BoxArray
    true_labels: NDArray[np.int64]
    thresholds: FloatArray

    def __post_init__(self) -> None:
        n_found, n_true = len(self.found_rows), len(self.true_rows)
        check_shapes(
            self,
            {
                "fov_ids": (len(self.fov_ids),),
                "sample_ids": (len(self.fov_ids),),
                "found_boxes": (n_found, 4),
                "found_labels": (n_found,),
                "found_scores": (n_found,),
                "true_boxes": (n_true, 4),
                "true_labels": (n_true,),
                "thresholds": (len(self.class_names),),
            },
        )
        for name, limit in (
            ("found_rows", len(self.fov_ids)),
            ("true_rows", len(self.fov_ids)),
            ("found_labels", len(self.class_names)),
            ("true_labels", len(self.class_names)),
        ):
            values = getattr(self, name)
            if len(values) and not 0 <= values.min() <= values.max() < limit:
                raise ValueError(f"{name} has values outside 0-{limit - 1}")

    def __len__(self) -> int:
        return len(self.fov_ids)

    def found_on(self, row: int, *, counts_only: bool = False) -> Detections:
        """Detections on one FOV; `counts_only`: those at or above the threshold of their class."""
        chosen = self.found_rows == row
        if counts_only:
            chosen &= self.found_scores >= self.thresholds[self.found_labels]
        return Detections(self.found_boxes[chosen], self.found_labels[chosen], self.found_scores[chosen])

    def true_on(self, row: int) -> FovTruth:
        """Boxes `(M, 4)` and labels `(M,)` of the objects on one FOV."""
        chosen = self.true_rows == row
        return self.true_boxes[chosen], self.true_labels[chosen]

    def match(self, label: int) -> ClassMatches:
        """Match the detections of a class: for curves, average precision and counts."""
        rows = range(len(self))
        return match_class([self.found_on(row) for row in rows], [self.true_on(row) for row in rows], label)

    def count(self) -> NDArray[np.int64]:
        """True positives, false positives, false negatives at the thresholds and IoU .5, `(F, C, 3)`."""
        counts = np.zeros((len(self), len(self.class_names), 3), np.int64)
        for row in range(len(self)):
            found, (boxes, labels) = self.found_on(row, counts_only=True), self.true_on(row)
            for label in range(len(self.class_names)):
                objects = boxes[labels == label]
                hits = match_boxes(found.of_class(label)[0], objects, min_iou=MATCH_IOU)
                n_hits = int(hits.sum())
                counts[row, label] = n_hits, len(hits) - n_hits, len(objects) - n_hits
        return counts


def collect_detections(
    *,
    class_names: Sequence[str],
    fov_ids: Sequence[int],
    sample_ids: Sequence[int],
    found: Sequence[Detections],
    true: Sequence[FovTruth],
    scales: Sequence[float],
    thresholds: Sequence[float],
) -> StoredDetections:
    """Put the detections and objects of FOVs in one record.

    Args:
        found, true: One entry per FOV, boxes in px at its working scale.
        scales: Px of the working scale per full-resolution px, of each FOV.
    """
    none_found, none_true = np.empty((0, 4)), np.empty(0, np.int64)
    return StoredDetections(
        class_names=tuple(class_names),
        fov_ids=np.array(fov_ids, np.int64),
        sample_ids=np.array(sample_ids, np.int64),
        found_rows=np.repeat(np.arange(len(found)), [len(each.scores) for each in found]).astype(np.int64),
        found_boxes=np.concatenate([none_found, *(each.boxes / s for each, s in zip(found, scales, strict=True))]),
        found_labels=np.concatenate([none_true, *(each.labels for each in found)]),
        found_scores=np.concatenate([np.empty(0), *(each.scores for each in found)]),
        true_rows=np.repeat(np.arange(len(true)), [len(labels) for _, labels in true]).astype(np.int64),
        true_boxes=np.concatenate([none_found, *(boxes / s for (boxes, _), s in zip(true, scales, strict=True))]),
        true_labels=np.concatenate([none_true, *(labels for _, labels in true)]),
        thresholds=np.array(thresholds, np.float64),
    )


_TYPES: dict[str, type[np.generic]] = {
    "fov_ids": np.int64,
    "sample_ids": np.int64,
    "found_rows": np.int64,
    "found_boxes": np.float64,
    "found_labels": np.int64,
    "found_scores": np.float64,
    "true_rows": np.int64,
    "true_boxes": np.float64,
    "true_labels": np.int64,
    "thresholds": np.float64,
}


def write_detections(path: Path, detections: StoredDetections) -> None:
    """Write detections whole or not at all. Raises UserError where that fails."""
    arrays = {name: np.asarray(getattr(detections, name), kind) for name, kind in _TYPES.items()}
    write_arrays(path, {"class_names": np.array(detections.class_names, np.str_), **arrays})


def read_detections(path: Path) -> StoredDetections:
    """Read what `write_detections` wrote. Raises UserError where it is missing, damaged or of another version."""
    return read_arrays(
        path,
        lambda arrays: StoredDetections(
            class_names=tuple(str(name) for name in arrays["class_names"]),
            **{name: np.asarray(arrays[name], kind) for name, kind in _TYPES.items()},
        ),
    )
