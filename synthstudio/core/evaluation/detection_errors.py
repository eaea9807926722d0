"""What a detector did wrong on one image: objects that it missed, false alarms, and objects of another class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.detection import MATCH_IOU, Detections, match_boxes
from synthstudio.core.geometry import BoxArray, box_ious
from synthstudio.domain.records import Box


class ErrorKind(StrEnum):
    """Ways to be wrong."""

    MISSED = "missed"
    FALSE_ALARM = "false alarm"
    WRONG_CLASS = "wrong class"


@dataclass(frozen=True, slots=True)
class DetectionError:
    """One mistake.

    Attributes:
        box: Where: of the detection, or of the missed object.
        found: Class that was detected; None for a missed object.
        true: Class of the object; None for a false alarm.
        score: Of the detection.
    """

    kind: ErrorKind
    box: Box
    found: int | None
    true: int | None
    score: float | None


@dataclass(frozen=True, slots=True)
class JudgedDetections:
    """Detections of one image against its annotations.

    Attributes:
        counts: `(N,)` bool, whether the detection lies at the threshold of its class or above.
        hits: `(N,)` bool, whether it counts and matches an object of its class at IoU .5.
        missed: `(M,)` bool, objects that nothing matches.
        errors: Wrong classes and false alarms, the surest first, then what was missed, the largest first.
    """

    counts: NDArray[np.bool_]
    hits: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    errors: tuple[DetectionError, ...]


def judge_detections(
    found: Detections,
    true: tuple[BoxArray, NDArray[np.int64]],
    thresholds: NDArray[np.float64],
    *,
    is_exhaustive: bool,
) -> JudgedDetections:
    """Match detections with objects, class by class and the surest first, as the scores do.

    Args:
        found: All detections.
        true: Boxes `(M, 4)` and classes `(M,)` of the objects.
        thresholds: `(C,)` score from which on a detection of a class counts.
        is_exhaustive: Whether every object is annotated; where not, what matches none is no mistake.
    """
    boxes, labels = true
    counts = found.scores >= thresholds[found.labels] if len(found.labels) else np.zeros(0, np.bool_)
    hits, missed = np.zeros(len(found.scores), np.bool_), np.ones(len(boxes), np.bool_)
    for label in range(len(thresholds)):
        rows = np.flatnonzero(counts & (found.labels == label))
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        objects = np.flatnonzero(labels == label)
        hits[rows] = match_boxes(found.boxes[rows], boxes[objects], min_iou=MATCH_IOU)
        missed[objects] = _unmatched(found.boxes[rows][hits[rows]], boxes[objects])
    errors = _list_errors(found, true, wrong=counts & ~hits if is_exhaustive else np.zeros_like(counts), missed=missed)
    return JudgedDetections(counts, hits, missed, tuple(errors))


def _unmatched(hits: BoxArray, objects: BoxArray) -> NDArray[np.bool_]:
    """Objects that no hit took, `(M,)`: each hit, the surest first, takes the one it overlaps most of those left."""
    free = np.ones(len(objects), np.bool_)
    if len(hits) and len(objects):
        for row in box_ious(hits, objects):
            candidates = np.where(free, row, -1.0)
            free[len(objects) - 1 - int(np.argmax(candidates[::-1]))] = False
    return free


def _list_errors(
    found: Detections,
    true: tuple[BoxArray, NDArray[np.int64]],
    *,
    wrong: NDArray[np.bool_],
    missed: NDArray[np.bool_],
) -> list[DetectionError]:
    boxes, labels = true
    errors, open_objects = [], missed.copy()
    rows = np.flatnonzero(wrong)
    for row in rows[np.argsort(-found.scores[rows], kind="stable")].tolist():
        nearest = _nearest(found.boxes[row], boxes, open_objects)
        kind = ErrorKind.FALSE_ALARM if nearest is None else ErrorKind.WRONG_CLASS
        if nearest is not None:
            open_objects[nearest] = False  # one mistake, not two
        box, score = Box(*found.boxes[row].tolist()), float(found.scores[row])
        is_of = None if nearest is None else int(labels[nearest])
        errors.append(DetectionError(kind, box, int(found.labels[row]), is_of, score))
    left = np.flatnonzero(open_objects)
    areas = (boxes[left, 2] - boxes[left, 0]) * (boxes[left, 3] - boxes[left, 1])
    errors.extend(
        DetectionError(ErrorKind.MISSED, Box(*boxes[row].tolist()), None, int(labels[row]), None)
        for row in left[np.argsort(-areas, kind="stable")].tolist()
    )
    return errors


def _nearest(box: NDArray[np.float64], objects: BoxArray, are_open: NDArray[np.bool_]) -> int | None:
    """The missed object that a wrong detection overlaps by half or more, or None."""
    if not are_open.any():
        return None
    ious = np.where(are_open, box_ious(box[None], objects)[0], -1.0)
    best = int(ious.argmax())
    return best if ious[best] >= MATCH_IOU else None
