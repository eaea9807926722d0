"""What became of each object and of each detection: found, taken for another class, missed, or a false alarm.

At IoU .5 and the thresholds of validation. Detections are matched with objects of their class first, so that the
diagonal of the confusion is the true positives of the scores; then what is left over, whatever the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.confusion import Confusion
from synthstudio.core.evaluation.curves import PrecisionRecallCurve
from synthstudio.core.evaluation.detection import MATCH_IOU, ClassMatches
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.core.geometry import BoxArray, box_ious
from synthstudio.core.stats import FloatArray

NOTHING, MISSED = "nothing there", "missed"
NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class DetectionOutcomes:
    """One row for each object, matched or not, and one for each detection that matches none.

    Attributes:
        fov_ids: `(K,)`.
        true_labels: `(K,)` class of the object; `NONE` where there is none: a false alarm.
        found_labels: `(K,)` class that was answered; `NONE` where the object was missed.
        boxes: `(K, 4)` x0, y0, x1, y1 in full-resolution px: of the detection where there is one.
        scores: `(K,)` of the detection; NaN where there is none.
    """

    fov_ids: NDArray[np.int64]
    true_labels: NDArray[np.int64]
    found_labels: NDArray[np.int64]
    boxes: BoxArray
    scores: FloatArray

    def in_cell(self, true_label: int, found_label: int) -> NDArray[np.int64]:
        """Rows of one cell of the confusion, surest detections first; labels may be `NONE`."""
        rows = np.flatnonzero((self.true_labels == true_label) & (self.found_labels == found_label))
        return rows[np.argsort(-self.scores[rows], kind="stable")]


def match_outcomes(detections: StoredDetections) -> DetectionOutcomes:
    """Match detections with objects, FOV by FOV."""
    fov_ids, true_labels, found_labels, boxes, scores = [], [], [], [np.empty((0, 4))], []
    for row, fov_id in enumerate(detections.fov_ids):
        found, (objects, labels) = detections.found_on(row, counts_only=True), detections.true_on(row)
        partners = _match(found.boxes, found.labels, found.scores, objects=objects, labels=labels)
        is_met = np.isin(np.arange(len(objects)), partners)
        n_missed = int((~is_met).sum())
        answered = np.where(partners >= 0, np.append(labels, NONE)[partners], NONE)
        true_labels += [answered, labels[~is_met]]
        found_labels += [found.labels, np.full(n_missed, NONE)]
        boxes += [found.boxes, objects[~is_met]]
        scores += [found.scores, np.full(n_missed, np.nan)]
        fov_ids.append(np.full(len(found.scores) + n_missed, fov_id))
    return DetectionOutcomes(
        fov_ids=_joined(fov_ids),
        true_labels=_joined(true_labels),
        found_labels=_joined(found_labels),
        boxes=np.concatenate(boxes),
        scores=np.concatenate([np.empty(0), *scores]),
    )


def outcome_confusion(outcomes: DetectionOutcomes, class_names: tuple[str, ...]) -> Confusion:
    """Class by class; the last row are false alarms, the last column missed objects."""
    n = len(class_names) + 1
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (outcomes.true_labels, outcomes.found_labels), 1)  # NONE is the last
    return Confusion((*class_names, NOTHING), (*class_names, MISSED), counts, counts.sum(axis=1))


def detection_curve(matches: ClassMatches) -> PrecisionRecallCurve | None:
    """Precision against recall over all scores of a class at IoU .5; None where there is nothing to find.

    Recall need not reach 1: some objects have no detection at any score.
    """
    n_true = int(matches.n_true.sum())
    if not n_true:
        return None
    order = np.argsort(-matches.scores, kind="stable")
    ranked, hits = matches.scores[order], np.cumsum(matches.hits[0, order])
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)[: len(ranked)]
    found, n_answered = hits[last_of_ties], np.flatnonzero(last_of_ties) + 1.0
    return PrecisionRecallCurve(
        precision=np.append((found / n_answered)[::-1], 1.0),
        recall=np.append((found / n_true)[::-1], 0.0),
        thresholds=ranked[last_of_ties][::-1].astype(np.float64),
    )


def _match(
    boxes: BoxArray, found: NDArray[np.int64], scores: FloatArray, *, objects: BoxArray, labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Object of each detection, or `NONE`; each object once."""
    partners = np.full(len(boxes), NONE, np.int64)
    if not len(boxes) or not len(objects):
        return partners
    ious = box_ious(boxes, objects)
    free = np.ones(len(objects), np.bool_)
    same = found[:, None] == labels[None, :]
    for allowed in (same, ~same):
        for number in np.argsort(-scores, kind="stable"):
            if partners[number] != NONE:
                continue
            # Of equally good objects the last one, as in the scores.
            candidates = np.where(free & allowed[number], ious[number], -1.0)
            best = len(objects) - 1 - int(np.argmax(candidates[::-1]))
            if candidates[best] >= MATCH_IOU - 1e-10:
                partners[number] = best
                free[best] = False
    return partners


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
