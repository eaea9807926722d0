"""Mistakes of a detector on one image: what is missed, what is a false alarm, what is of another class."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.evaluation.detection import Detections, match_class
from synthstudio.core.evaluation.detection_errors import ErrorKind, judge_detections

OBJECTS = np.array([[10.0, 10, 30, 30], [50, 50, 90, 90], [100, 10, 120, 30]])
LABELS = np.array([0, 1, 0])
THRESHOLDS = np.array([0.5, 0.5])


def detections(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4].astype(np.int64), table[:, 5])


FOUND = detections(
    (11, 10, 31, 30, 0, 0.9),
    (52, 50, 90, 90, 0, 0.8),  # an object of the other class
    (101, 11, 121, 30, 0, 0.4),  # right, but not sure enough
    (200, 200, 220, 220, 1, 0.7),  # nothing is there
)


def test_that_each_mistake_is_told_once_and_the_surest_first() -> None:
    judged = judge_detections(FOUND, (OBJECTS, LABELS), THRESHOLDS, is_exhaustive=True)
    assert [each.kind for each in judged.errors] == [ErrorKind.WRONG_CLASS, ErrorKind.FALSE_ALARM, ErrorKind.MISSED]
    wrong, alarm, missed = judged.errors
    assert (wrong.found, wrong.true, wrong.score) == (0, 1, 0.8)
    assert (alarm.found, alarm.true) == (1, None)
    assert (missed.found, missed.true, missed.box.x0) == (None, 0, 100.0)
    assert judged.hits.tolist() == [True, False, False, False]
    assert judged.counts.tolist() == [True, True, False, True]
    assert judged.missed.tolist() == [False, True, True]


def test_that_a_lower_threshold_finds_what_was_missed() -> None:
    judged = judge_detections(FOUND, (OBJECTS, LABELS), np.array([0.3, 0.75]), is_exhaustive=True)
    assert [each.kind for each in judged.errors] == [ErrorKind.WRONG_CLASS]
    assert judged.missed.tolist() == [False, True, False]


def test_that_nothing_is_a_false_alarm_where_objects_may_be_unmarked() -> None:
    judged = judge_detections(FOUND, (OBJECTS, LABELS), THRESHOLDS, is_exhaustive=False)
    assert [each.kind for each in judged.errors] == [ErrorKind.MISSED, ErrorKind.MISSED]
    assert judged.errors[0].box.width == 40.0  # the largest first


def test_that_an_image_without_objects_or_detections_is_judged_too() -> None:
    nothing = (np.empty((0, 4)), np.empty(0, np.int64))
    assert judge_detections(detections(), nothing, THRESHOLDS, is_exhaustive=True).errors == ()
    assert len(judge_detections(FOUND, nothing, THRESHOLDS, is_exhaustive=True).errors) == 3
    assert len(judge_detections(detections(), (OBJECTS, LABELS), THRESHOLDS, is_exhaustive=True).errors) == 3


@given(seed=st.integers(0, 10_000), threshold=st.floats(0.0, 1.0))
def test_that_hits_are_those_that_the_scores_count(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 60, (12, 2))
    boxes = np.hstack([start, start + rng.uniform(8, 30, (12, 2))])
    true = (boxes, rng.integers(0, 2, 12))
    found = Detections(
        np.vstack([boxes + rng.normal(0, 3, boxes.shape), boxes + rng.normal(0, 9, boxes.shape)]),
        rng.integers(0, 2, 24),
        rng.uniform(0, 1, 24),
    )
    judged = judge_detections(found, true, np.array([threshold, threshold]), is_exhaustive=True)
    for label in (0, 1):
        matches = match_class([found], [true], label)
        kept = matches.scores >= threshold
        assert judged.hits[found.labels == label].sum() == (matches.hits[0] & kept).sum()
        # As many objects are missed as the hits leave.
        assert judged.missed[true[1] == label].sum() == matches.n_true.sum() - (matches.hits[0] & kept).sum()
