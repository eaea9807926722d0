"""Several trainings of one kind against several of another."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.evaluation.comparison import compare_detections, compare_predictions
from synthstudio.core.evaluation.pooling import pool_detections, pool_predictions
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.domain.errors import UserError

N_SAMPLES = 30


def predictions(seed: int, *, quality: float, threshold: float) -> CropPredictions:
    """Answers to the same crops, right with this probability."""
    truth = np.random.default_rng(0).random((4 * N_SAMPLES, 2)) < 0.5
    right = np.random.default_rng(seed).random(truth.shape) < quality
    numbers = np.arange(len(truth))
    return CropPredictions(
        class_names=("a", "b"),
        fov_ids=numbers // 2,
        sample_ids=numbers // 4,
        boxes=np.column_stack([numbers % 2, numbers * 0, numbers * 0 + 8, numbers * 0 + 8]),
        truth=truth,
        scores=np.where(truth == right, threshold + 0.01, threshold - 0.01).astype(np.float32),
        thresholds=np.full(2, threshold),
    )


def detections(seed: int, *, quality: float) -> StoredDetections:
    """One object of one class per FOV, found with this probability; at half the FOVs a box that does not count."""
    rows = np.arange(N_SAMPLES)
    found = rows[np.random.default_rng(seed).random(N_SAMPLES) < quality]
    boxes = np.tile([0.0, 0.0, 10.0, 10.0], (N_SAMPLES, 1))
    below = rows[::2]
    found_rows = np.concatenate([found, below])
    order = np.argsort(found_rows, kind="stable")
    return StoredDetections(
        class_names=("a",),
        fov_ids=rows + 100,
        sample_ids=rows,
        found_rows=found_rows[order],
        found_boxes=np.concatenate([boxes[: len(found)], boxes[: len(below)] + 40.0])[order],
        found_labels=np.zeros(len(found_rows), np.int64),
        found_scores=np.concatenate([np.full(len(found), 0.9), np.full(len(below), 0.1)])[order],
        true_rows=rows,
        true_boxes=boxes,
        true_labels=np.zeros(N_SAMPLES, np.int64),
        thresholds=np.array([0.5]),
    )


def test_that_one_run_pooled_compares_as_it_does_by_itself() -> None:
    first, second = predictions(1, quality=0.7, threshold=0.2), predictions(2, quality=0.9, threshold=0.6)
    alone = compare_predictions(first, second, seed=0)
    assert compare_predictions(pool_predictions([first]), pool_predictions([second]), seed=0) == alone
    found = [detections(3, quality=0.6), detections(4, quality=0.9)]
    alone = compare_detections(*found, seed=0)
    assert compare_detections(*(pool_detections([each]) for each in found), seed=0) == alone


def test_that_thresholds_of_each_run_count_and_more_seeds_narrow_no_interval_by_counting_samples_twice() -> None:
    worse = [predictions(seed, quality=0.7, threshold=0.1 * seed) for seed in (1, 2, 3)]
    better = [predictions(seed, quality=0.9, threshold=0.2 * seed) for seed in (4, 5, 4)]
    pooled = compare_predictions(pool_predictions(worse), pool_predictions(better), seed=0)
    assert pooled.n_groups == N_SAMPLES
    assert pooled.n_rows == 3 * 4 * N_SAMPLES
    singles = [compare_predictions(a, b, seed=0).macro_f1.difference for a, b in zip(worse, better, strict=True)]
    assert pooled.macro_f1.difference == pytest.approx(
        np.mean([each for each in singles if each is not None]), abs=0.02
    )
    same = compare_predictions(pool_predictions(worse[:1] * 3), pool_predictions(better[:1] * 3), seed=0)
    single = compare_predictions(worse[0], better[0], seed=0)
    assert same.macro_f1.ci95 == pytest.approx(single.macro_f1.ci95)


def test_that_detectors_are_pooled_with_what_counts_alone() -> None:
    runs = [detections(seed, quality=0.6) for seed in (1, 2)]
    pooled = pool_detections(runs)
    assert len(pooled) == 2 * N_SAMPLES
    assert (pooled.found_scores >= 0.5).all()
    assert (pooled.count().sum(axis=0) == sum(run.count().sum(axis=0) for run in runs)).all()


def test_that_runs_of_different_classes_cannot_be_pooled() -> None:
    with pytest.raises(UserError, match="different classes"):
        pool_detections([detections(1, quality=0.6), _renamed(detections(2, quality=0.6))])


def _renamed(found: StoredDetections) -> StoredDetections:
    values = {name: getattr(found, name) for name in StoredDetections.__slots__}
    return StoredDetections(**{**values, "class_names": ("z",)})
