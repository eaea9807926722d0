"""How surely a detector has found each annotated object."""

from __future__ import annotations

import numpy as np

from synthstudio.core.evaluation.detection import MATCH_IOU
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.core.geometry import box_ious
from synthstudio.core.stats import FloatArray


def score_objects(detections: StoredDetections) -> FloatArray:
    """Score of the surest detection that covers each object and is of its class, `(T,)`; 0 where none does.

    Thresholds do not matter here, and two objects may share a detection: it is asked how an object looks to the
    detector, not how many it counts.
    """
    scores = np.zeros(len(detections.true_rows))
    for row in np.unique(detections.true_rows):
        objects = np.flatnonzero(detections.true_rows == row)
        found, labels = detections.found_on(int(row)), detections.true_labels[objects]
        if not len(found.scores):
            continue
        covers = box_ious(detections.true_boxes[objects], found.boxes) >= MATCH_IOU
        covers &= labels[:, None] == found.labels[None, :]
        scores[objects] = np.where(covers, found.scores[None, :], 0.0).max(axis=1)
    return scores
