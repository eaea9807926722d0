"""The crops behind the figures, the most wrong first: for galleries and for maps of wrong answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.stats import FloatArray


class CaseKind(StrEnum):
    """How an answer about one class on one crop turned out."""

    MISSED = "missed"
    FALSE_ALARM = "false alarm"
    FOUND = "found"
    RIGHTLY_ABSENT = "rightly absent"

    @property
    def is_wrong(self) -> bool:
        return self in (CaseKind.MISSED, CaseKind.FALSE_ALARM)


WRONG_KINDS = (CaseKind.MISSED, CaseKind.FALSE_ALARM)
ALL_KINDS = tuple(CaseKind)


@dataclass(frozen=True, slots=True)
class Case:
    """One answer about one class on one crop.

    Attributes:
        row: Of the predictions.
        column: Of the class.
        box: x, y, width, height of the crop in full-resolution px.
        score: Probability that was answered.
        wrongness: 1 where the answer was certain and wrong, 0 at the threshold, -1 where it was certain and right.
        true_names: All classes that are on the crop.
    """

    row: int
    column: int
    kind: CaseKind
    class_name: str
    fov_id: int
    box: tuple[int, int, int, int]
    score: float
    wrongness: float
    true_names: tuple[str, ...]


def list_cases(
    predictions: CropPredictions,
    *,
    columns: Sequence[int] | None = None,
    kinds: Sequence[CaseKind] = WRONG_KINDS,
    rows: NDArray[np.bool_] | None = None,
    limit: int | None = None,
) -> list[Case]:
    """List answers, the most wrong first; of right ones therefore the least certain first.

    Args:
        predictions: The answers.
        columns: Classes to list; None for all.
        kinds: Kinds to list.
        rows: `(N,)` crops to list, as `class_cells` and `single_class_cells` give them; None for all.
        limit: At most so many.
    """
    chosen = np.zeros(predictions.truth.shape, np.bool_)
    chosen[:, list(range(len(predictions.class_names)) if columns is None else columns)] = True
    if rows is not None:
        chosen &= rows[:, None]
    kind_masks = _kinds(predictions)
    chosen &= np.any([kind_masks[kind] for kind in kinds] or [np.zeros_like(chosen)], axis=0)
    wrongness = measure_wrongness(predictions)
    places = np.argwhere(chosen)
    order = np.argsort(-wrongness[chosen], kind="stable")[:limit]
    return [_case(predictions, int(row), int(column), wrongness[row, column]) for row, column in places[order]]


def measure_wrongness(predictions: CropPredictions) -> FloatArray:
    """How far each score lies on the wrong side of its threshold, `(N, C)` in -1 to 1.

    The way from the threshold to 0 and that from it to 1 both count as 1, so that classes with different thresholds
    can stand in one list.
    """
    scores, thresholds = predictions.scores.astype(np.float64), predictions.thresholds
    above = (scores - thresholds) / np.maximum(1.0 - thresholds, 1e-12)
    below = (scores - thresholds) / np.maximum(thresholds, 1e-12)
    surplus = np.clip(np.where(scores >= thresholds, above, below), -1.0, 1.0)
    return np.asarray(np.where(predictions.truth, -surplus, surplus))


def _kinds(predictions: CropPredictions) -> dict[CaseKind, NDArray[np.bool_]]:
    truth, answers = predictions.truth, predictions.answers
    return {
        CaseKind.MISSED: truth & ~answers,
        CaseKind.FALSE_ALARM: ~truth & answers,
        CaseKind.FOUND: truth & answers,
        CaseKind.RIGHTLY_ABSENT: ~truth & ~answers,
    }


def _case(predictions: CropPredictions, row: int, column: int, wrongness: float) -> Case:
    is_true = bool(predictions.truth[row, column])
    is_said = bool(predictions.scores[row, column] >= predictions.thresholds[column])  # `answers` are of all crops
    if is_true:
        kind = CaseKind.FOUND if is_said else CaseKind.MISSED
    else:
        kind = CaseKind.FALSE_ALARM if is_said else CaseKind.RIGHTLY_ABSENT
    x, y, width, height = (int(value) for value in predictions.boxes[row])
    return Case(
        row=row,
        column=column,
        kind=kind,
        class_name=predictions.class_names[column],
        fov_id=int(predictions.fov_ids[row]),
        box=(x, y, width, height),
        score=float(predictions.scores[row, column]),
        wrongness=float(wrongness),
        true_names=tuple(predictions.class_names[number] for number in np.flatnonzero(predictions.truth[row])),
    )
