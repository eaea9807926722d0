"""Stored detections, their confusion and their comparison; scenes as in the test against the COCO reference."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.evaluation.comparison import compare_detections
from synthstudio.core.evaluation.detection import Detections, score_class
from synthstudio.core.evaluation.detection_outcomes import (
    MISSED,
    NONE,
    NOTHING,
    detection_curve,
    match_outcomes,
    outcome_confusion,
)
from synthstudio.core.evaluation.stored_detections import (
    StoredDetections,
    collect_detections,
    read_detections,
    write_detections,
)
from synthstudio.domain.errors import UserError
from tests.unit.core.test_detection_scores import draw_scene


def store(seed: int, n_images: int, *, scale: float = 1.0) -> StoredDetections:
    found, true = draw_scene(seed, n_images)
    return collect_detections(
        class_names=("red cell", "platelet"),
        fov_ids=range(10, 10 + n_images),
        sample_ids=range(n_images),
        found=found,
        true=true,
        scales=[scale] * n_images,
        thresholds=(0.3, 0.5),
    )


@pytest.mark.parametrize("n_images", [0, 1, 8])
def test_that_detections_are_read_as_they_were_written(tmp_path: Path, n_images: int) -> None:
    written = store(3, n_images, scale=0.5)
    write_detections(tmp_path / "detections.npz", written)
    read = read_detections(tmp_path / "detections.npz")
    for field in dataclasses.fields(written):
        assert np.array_equal(getattr(written, field.name), getattr(read, field.name)), field.name
    found, true = draw_scene(3, n_images)
    for row in range(n_images):
        np.testing.assert_allclose(read.found_on(row).boxes, found[row].boxes * 2)
        np.testing.assert_allclose(read.true_on(row)[0], true[row][0] * 2)


def test_that_a_file_with_impossible_labels_is_told(tmp_path: Path) -> None:
    path = tmp_path / "detections.npz"
    write_detections(path, store(3, 4))
    with np.load(path) as file:
        arrays = dict(file)
    arrays["found_labels"] = arrays["found_labels"] + 7
    np.savez(path, **arrays)
    with pytest.raises(UserError, match="damaged"):
        read_detections(path)


@given(st.integers(0, 500))
@settings(max_examples=30, deadline=None)
def test_that_stored_counts_and_the_diagonal_equal_the_scores(seed: int) -> None:
    stored = store(seed, 4)
    counts = stored.count().sum(axis=0)
    confusion = outcome_confusion(match_outcomes(stored), stored.class_names)
    for label in range(2):
        score, _ = score_class(
            stored.match(label), threshold=stored.thresholds[label], groups=np.arange(4), n_groups=4, seed=0
        )
        n_hits, n_false, n_missed = counts[label]
        assert n_hits + n_false == score.n_found
        assert n_hits + n_missed == score.support
        if score.recall is not None:
            assert n_hits / score.support == pytest.approx(score.recall)
        assert confusion.counts[label, label] == n_hits
        assert confusion.counts[label].sum() == confusion.totals[label] == score.support
        assert confusion.counts[:, label].sum() == score.n_found


def test_that_each_kind_of_outcome_has_its_cell() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], float)
    found = Detections(
        boxes=np.array([[0, 0, 10, 9], [20, 0, 30, 9], [70, 0, 80, 10], [0, 0, 10, 10]], float),
        labels=np.array([0, 1, 1, 1]),
        scores=np.array([0.9, 0.8, 0.7, 0.1]),
    )
    stored = collect_detections(
        class_names=("a", "b"),
        fov_ids=[5],
        sample_ids=[1],
        found=[found],
        true=[(boxes, np.array([0, 0, 1]))],
        scales=[1.0],
        thresholds=(0.5, 0.5),
    )
    outcomes = match_outcomes(stored)
    confusion = outcome_confusion(outcomes, stored.class_names)
    assert confusion.rows == ("a", "b", NOTHING)
    assert confusion.columns == ("a", "b", MISSED)
    assert confusion.counts.tolist() == [[1, 1, 0], [0, 0, 1], [0, 1, 0]]
    (missed,) = outcomes.in_cell(1, NONE)
    assert outcomes.boxes[missed].tolist() == [40, 0, 50, 10]
    assert np.isnan(outcomes.scores[missed])
    (false_alarm,) = outcomes.in_cell(NONE, 1)
    assert outcomes.boxes[false_alarm].tolist() == [70, 0, 80, 10]
    assert outcomes.fov_ids[false_alarm] == 5


def test_that_an_object_goes_to_its_own_class_before_a_surer_stranger() -> None:
    found = Detections(np.array([[0, 0, 10, 10], [0, 0, 10, 9]], float), np.array([1, 0]), np.array([0.9, 0.6]))
    stored = collect_detections(
        class_names=("a", "b"),
        fov_ids=[5],
        sample_ids=[1],
        found=[found],
        true=[(np.array([[0, 0, 10, 10]], float), np.array([0]))],
        scales=[1.0],
        thresholds=(0.5, 0.5),
    )
    confusion = outcome_confusion(match_outcomes(stored), stored.class_names)
    assert confusion.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_that_the_curve_meets_the_scores_at_the_threshold() -> None:
    stored = store(1, 20)
    matches = stored.match(0)
    curve = detection_curve(matches)
    assert curve is not None
    score, _ = score_class(matches, threshold=0.3, groups=np.arange(20), n_groups=20, seed=0)
    place = int(np.searchsorted(curve.thresholds, 0.3))
    assert curve.precision[place] == pytest.approx(score.precision)
    assert curve.recall[place] == pytest.approx(score.recall)
    assert (np.diff(curve.recall) <= 0).all()
    assert detection_curve(dataclasses.replace(matches, n_true=np.zeros(20, np.int64))) is None


def test_that_detectors_are_compared_on_the_same_objects() -> None:
    first = store(1, 24)
    second = dataclasses.replace(first, found_scores=np.clip(first.found_scores * 0.5, 0, 1))
    compared = compare_detections(first, second, seed=0)
    counts = first.count().sum(axis=0)
    assert compared.per_class[0].f1.first == pytest.approx(
        2 * counts[0, 0] / (2 * counts[0, 0] + counts[0, 1] + counts[0, 2])
    )
    assert (compared.macro_f1.difference or 0) < 0
    assert compared.is_reliable
    # Halved scores keep their order: average precision, which asks no threshold, is that of the evaluation for both.
    scored, drawn = score_class(first.match(0), threshold=0.5, groups=np.arange(24), n_groups=24, seed=0)
    assert compared.per_class[0].ap.first == pytest.approx(scored.ap50)
    assert compared.per_class[0].ap.difference == pytest.approx(0.0)
    backwards = dataclasses.replace(first, fov_ids=first.fov_ids[::-1], sample_ids=first.sample_ids[::-1])
    other = compare_detections(backwards, dataclasses.replace(backwards, found_scores=-first.found_scores), seed=0)
    worse = dataclasses.replace(first, found_scores=-first.found_scores)
    assert other.mean_ap.difference == pytest.approx(compare_detections(first, worse, seed=0).mean_ap.difference)
    assert (other.mean_ap.difference or 0) < 0
    assert other.mean_ap.ci95 is not None
    assert np.isfinite(drawn.ap50).all()
    assert compare_detections(first, first, seed=0).macro_f1.p == 1
    with pytest.raises(UserError, match="different images: 24 and 20 of them, 20 in common"):
        compare_detections(first, store(1, 20), seed=0)
    with pytest.raises(UserError, match="annotations have changed"):
        compare_detections(first, dataclasses.replace(first, true_boxes=first.true_boxes + 3), seed=0)
    rescaled = dataclasses.replace(first, true_boxes=first.true_boxes * 0.37 / 0.37 + 1e-9)
    assert compare_detections(first, rescaled, seed=0).macro_f1.difference == 0
