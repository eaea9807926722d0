"""Two runs on the same crops: is the one better than the other, or might it be these samples alone?

Samples are resampled, the same draws for both runs, so that what makes a sample hard for both cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.curves import average_precision
from synthstudio.core.evaluation.detection import RECALL_LEVELS
from synthstudio.core.evaluation.detection import average_precision as box_precision
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.presence import Interval
from synthstudio.core.evaluation.resampling import (
    GroupDraws,
    draw_groups,
    drawn_box_precision,
    drawn_f1,
    drawn_mean,
    drawn_ranking,
)
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.core.stats import FloatArray, percentile_interval
from synthstudio.domain.errors import UserError

ANNOTATIONS_CHANGED = (
    "The annotations have changed between the evaluations of the two runs.",
    "Evaluate both again, then compare.",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two runs.

    Attributes:
        first, second: Of each run; None where undefined.
        difference: Second minus first.
        ci95: Of the difference, by paired bootstrap.
        p: Two-sided bootstrap probability of a difference as far from 0 where there is none; not corrected for
            several classes.
    """

    first: float | None
    second: float | None
    difference: float | None
    ci95: Interval | None
    p: float | None


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """One class of two runs.

    Attributes:
        ap: Average precision, which asks no threshold: of crops by their score, or of boxes at IoU .5.
        n_only_first, n_only_second: Rows that one run alone answered rightly.
    """

    name: str
    f1: Difference
    ap: Difference
    n_only_first: int
    n_only_second: int


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs.

    Attributes:
        macro_f1, mean_ap: Over the classes that both know.
        n_rows: Crops, or images of detectors.
        is_reliable: Whether there are enough samples for an interval to be trusted.
        left_out: Classes that one of them alone knows.
    """

    macro_f1: Difference
    mean_ap: Difference
    per_class: tuple[ClassDifference, ...]
    n_rows: int
    n_groups: int
    is_reliable: bool
    left_out: tuple[str, ...]


def compare_predictions(first: CropPredictions, second: CropPredictions, *, seed: int) -> RunComparison:
    """Compare two classifiers on the same crops; `seed` is that of the bootstrap.

    Raises:
        UserError: They were not scored on the same crops, or know no class in common.
    """
    names, left_out = common_classes(first.class_names, second.class_names)
    columns_first, columns_second = [first.column(name) for name in names], [second.column(name) for name in names]
    second = _in_order_of(first, second)
    truth = first.truth[:, columns_first]
    if not np.array_equal(truth, second.truth[:, columns_second]):
        raise UserError(*ANNOTATIONS_CHANGED)
    answers = first.answers[:, columns_first], second.answers[:, columns_second]
    draws = draw_groups(first.sample_ids, seed=seed)
    scores = first.scores[:, columns_first], second.scores[:, columns_second]
    right = [said == truth for said in answers]
    return compare_counts(
        *(np.stack([said & truth, said & ~truth, ~said & truth], axis=-1).astype(np.int64) for said in answers),
        names=names,
        draws=draws,
        precision=[_rank_crops(each.astype(np.float64), truth, draws) for each in scores],
        only_right=((right[0] & ~right[1]).sum(axis=0), (right[1] & ~right[0]).sum(axis=0)),
        left_out=left_out,
    )


def compare_detections(first: StoredDetections, second: StoredDetections, *, seed: int) -> RunComparison:
    """Compare two detectors on the same FOVs, boxes at IoU .5; a row is right where nothing is missed or false.

    Raises:
        UserError: They were not scored on the same FOVs with the same annotations, or know no class in common.
    """
    names, left_out = common_classes(first.class_names, second.class_names)
    if not np.array_equal(np.sort(first.fov_ids), np.sort(second.fov_ids)):
        raise _other_fovs(first.fov_ids, second.fov_ids)
    counts = []
    for each in (first, second):
        columns = [each.class_names.index(name) for name in names]
        counts.append(each.count()[np.argsort(each.fov_ids)][:, columns])
    if not all(_same_objects(first, second, name) for name in names):
        raise UserError(*ANNOTATIONS_CHANGED)
    right = [(each[..., 1] + each[..., 2]) == 0 for each in counts]
    draws = draw_groups(first.sample_ids[np.argsort(first.fov_ids)], seed=seed)
    return compare_counts(
        counts[0],
        counts[1],
        names=names,
        draws=draws,
        precision=[_rank_boxes(each, names, draws) for each in (first, second)],
        only_right=((right[0] & ~right[1]).sum(axis=0), (right[1] & ~right[0]).sum(axis=0)),
        left_out=left_out,
    )


def _same_objects(first: StoredDetections, second: StoredDetections, name: str) -> bool:
    """Whether both were to find the same objects of a class; their working scales may differ, hence the tolerance."""
    tables = []
    for each in (first, second):
        chosen = each.true_labels == each.class_names.index(name)
        fov_ids = each.fov_ids[each.true_rows[chosen]]
        table = np.column_stack([fov_ids, each.true_boxes[chosen]])
        tables.append(table[np.argsort(fov_ids, kind="stable")])
    return tables[0].shape == tables[1].shape and np.allclose(tables[0], tables[1], rtol=0, atol=0.05)


Precision = tuple[FloatArray, FloatArray]
"""Average precision per class over all rows `(C,)` and in each draw `(B, C)`; NaN where undefined."""


def _rank_crops(scores: FloatArray, truth: NDArray[np.bool_], draws: GroupDraws) -> Precision:
    """Of the answers on crops, both `(N, C)`."""
    columns = list(zip(scores.T, truth.T, strict=True))
    whole = [average_precision(each, labels) for each, labels in columns]
    drawn = [drawn_ranking(each, labels, draws)[1] for each, labels in columns]
    return _as_numbers(whole), np.stack(drawn, axis=1)


def _rank_boxes(detections: StoredDetections, names: Sequence[str], draws: GroupDraws) -> Precision:
    """Of boxes at IoU .5; the draws are of the FOVs in the order of their ids."""
    order = np.argsort(detections.fov_ids)
    rank = np.argsort(order)
    whole, drawn = [], []
    for name in names:
        met = detections.match(detections.class_names.index(name))
        whole.append(box_precision(met.scores, met.hits[0], int(met.n_true.sum())))
        drawn.append(
            drawn_box_precision(
                met.scores,
                met.hits[0],
                images=rank[met.images],
                n_true=met.n_true[order],
                draws=draws,
                n_levels=RECALL_LEVELS,
            )
        )
    return _as_numbers(whole), np.stack(drawn, axis=1)


def _as_numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def compare_counts(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    *,
    names: Sequence[str],
    draws: GroupDraws,
    precision: Sequence[Precision],
    only_right: tuple[NDArray[np.int64], NDArray[np.int64]],
    left_out: tuple[str, ...],
) -> RunComparison:
    """Compare counts of rows `(N, C, 3)`: true positives, false positives, false negatives.

    Args:
        names: `C` classes.
        draws: Of the rows.
        precision: Average precision of each run.
        only_right: `(C,)` what the first run alone, and the second alone, got right.
        left_out: Classes that were not compared.
    """
    whole = [drawn_f1(counts.sum(axis=0, dtype=np.float64)) for counts in (first, second)]  # (C,)
    drawn = [drawn_f1(draws.sum(counts)) for counts in (first, second)]  # (B, C)
    per_class = tuple(
        ClassDifference(
            name=name,
            f1=difference_of([each[column] for each in whole], [each[:, column] for each in drawn]),
            ap=difference_of([each[column] for each, _ in precision], [each[:, column] for _, each in precision]),
            n_only_first=int(only_right[0][column]),
            n_only_second=int(only_right[1][column]),
        )
        for column, name in enumerate(names)
    )
    macro = [drawn_mean(each[None])[0] for each in whole]
    return RunComparison(
        macro_f1=difference_of(macro, [drawn_mean(each) for each in drawn]),
        mean_ap=difference_of(
            [drawn_mean(each[None])[0] for each, _ in precision], [drawn_mean(each) for _, each in precision]
        ),
        per_class=per_class,
        n_rows=len(first),
        n_groups=draws.n_groups,
        is_reliable=draws.is_reliable,
        left_out=left_out,
    )


def common_classes(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Classes that both runs know, and those that one alone does. Raises UserError where there is none in common."""
    names = [name for name in first if name in second]
    if not names:
        raise UserError(
            f"The runs have no class in common: {', '.join(first)} and {', '.join(second)}.",
            "Compare runs that were trained on the same classes.",
        )
    return names, tuple(name for name in (*first, *second) if name not in names)


def _in_order_of(first: CropPredictions, second: CropPredictions) -> CropPredictions:
    """The second run's rows in the order of the first's. Raises UserError where they are not the same crops."""
    places = [np.column_stack([each.fov_ids, each.boxes]) for each in (first, second)]
    orders = [np.lexsort(each.T[::-1]) for each in places]
    if len(first) != len(second) or not np.array_equal(places[0][orders[0]], places[1][orders[1]]):
        raise _other_crops(first, second)
    back = np.empty(len(first), np.int64)
    back[orders[0]] = orders[1]
    return CropPredictions(
        class_names=second.class_names,
        fov_ids=second.fov_ids[back],
        sample_ids=second.sample_ids[back],
        boxes=second.boxes[back],
        truth=second.truth[back],
        scores=second.scores[back],
        thresholds=second.thresholds,
    )


def _other_crops(first: CropPredictions, second: CropPredictions) -> UserError:
    if set(first.fov_ids.tolist()) != set(second.fov_ids.tolist()):
        return _other_fovs(first.fov_ids, second.fov_ids)
    sides = [int(each.boxes[0, 2]) if len(each) else 0 for each in (first, second)]
    what = f"of {sides[0]} and of {sides[1]} px" if sides[0] != sides[1] else "cut at other places"
    return UserError(
        f"The runs were scored on different crops: {what}.",
        "Only runs that see the same crops can be paired: train both with the same canvas side and scale.",
    )


def _other_fovs(first: NDArray[np.int64], second: NDArray[np.int64]) -> UserError:
    n_first, n_second = len(np.unique(first)), len(np.unique(second))
    return UserError(
        f"The runs were scored on different images: {n_first} and {n_second} of them,"
        f" {len(np.intersect1d(first, second))} in common.",
        "Evaluate both again, now that the splits are settled, then compare.",
    )


def difference_of(whole: Sequence[float], drawn: Sequence[FloatArray]) -> Difference:
    """Compare a figure of both runs, over all rows and in each draw `(B,)`."""
    drawn_difference = drawn[1] - drawn[0]
    interval = percentile_interval(drawn_difference)
    return Difference(
        first=_defined(whole[0]),
        second=_defined(whole[1]),
        difference=_defined(whole[1] - whole[0]),
        ci95=interval,
        p=two_sided_p(drawn_difference) if interval is not None else None,
    )


def two_sided_p(drawn: FloatArray) -> float | None:
    """Twice the smaller share of drawn differences `(B,)` on either side of 0, 0 counting on both; at most 1.

    One is added above and below, so that a finite number of draws never claims 0.
    """
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return None
    smaller = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return float(min(1.0, 2 * (smaller + 1) / (len(defined) + 1)))


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
