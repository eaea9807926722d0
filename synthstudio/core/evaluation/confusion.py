"""Confusion of presence answers, and the crops behind each cell.

Several classes may be on one crop, so there is no single matrix: each class has its own table of present and absent;
and crops that hold one class alone, or none, show which classes are taken for which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.stats import FloatArray, divide

PRESENT, ABSENT = "present", "absent"
NO_CLASS = "no class"


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Truth by rows, answers by columns.

    Attributes:
        rows, columns: Their names.
        counts: `(R, K)` int64.
        totals: `(R,)` int64 crops or objects of each row. Where a crop may have several answers a row sums to more.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]

    @property
    def shares(self) -> FloatArray:
        """`(R, K)` share of each row's total in 0-1; NaN in rows without any."""
        totals = np.broadcast_to(self.totals[:, None], self.counts.shape)
        return divide(self.counts.astype(np.float64), totals.astype(np.float64))


def class_confusion(predictions: CropPredictions, column: int) -> Confusion:
    """Present and absent of one class against what was answered, 2 x 2."""
    return _confusion(class_cells(predictions, column), rows=(PRESENT, ABSENT), columns=(PRESENT, ABSENT))


def class_cells(predictions: CropPredictions, column: int) -> NDArray[np.bool_]:
    """Which crops are behind each cell of `class_confusion`, `(N, 2, 2)`."""
    truth, answers = predictions.truth[:, column], predictions.answers[:, column]
    return _cells(np.column_stack([truth, ~truth]), np.column_stack([answers, ~answers]))


def single_class_confusion(predictions: CropPredictions) -> Confusion:
    """What is answered on crops that hold one class alone, or none: which class is taken for which.

    Its last row is of crops without a class, its last column of crops on which none was answered. A crop with two
    answers is in two columns.
    """
    names = (*predictions.class_names, NO_CLASS)
    return _confusion(single_class_cells(predictions), rows=names, columns=names)


def single_class_cells(predictions: CropPredictions) -> NDArray[np.bool_]:
    """Which crops are behind each cell of `single_class_confusion`, `(N, C + 1, C + 1)`."""
    n_present = predictions.truth.sum(axis=1)
    truth = np.column_stack([predictions.truth & (n_present == 1)[:, None], n_present == 0])
    answers = predictions.answers
    return _cells(truth, np.column_stack([answers, ~answers.any(axis=1)]))


def _cells(rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(rows[:, :, None] & columns[:, None, :])


def _confusion(cells: NDArray[np.bool_], *, rows: tuple[str, ...], columns: tuple[str, ...]) -> Confusion:
    counts = cells.sum(axis=0, dtype=np.int64)
    # Every crop has an answer, be it "no class": what is in any column of a row is in the row.
    totals = cells.any(axis=2).sum(axis=0, dtype=np.int64)
    return Confusion(rows, columns, counts, totals)
