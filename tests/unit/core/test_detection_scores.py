"""Detection scores against the COCO reference and against plain counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from synthstudio.core.evaluation.detection import (
    MAX_DETECTIONS,
    Detections,
    agree_on_counts,
    average_precision,
    match_boxes,
    match_class,
    score_class,
    tune_score_threshold,
)
from synthstudio.core.stats import draw_group_weights

N_CLASSES = 2
Truth = tuple[np.ndarray, np.ndarray]


def draw_scene(seed: int, n_images: int) -> tuple[list[Detections], list[Truth]]:
    """Objects, and detections that hit some of them more or less well; coarse scores, so that there are ties."""
    rng = np.random.default_rng(seed)
    found, true = [], []
    for _ in range(n_images):
        n = int(rng.integers(0, 9))
        corners = rng.uniform(0, 200, (n, 2))
        boxes = np.hstack([corners, corners + rng.uniform(8, 60, (n, 2))])
        labels = rng.integers(0, N_CLASSES, n)
        kept = rng.random(n) < 0.8
        moved = boxes[kept] + rng.normal(0, 4, (int(kept.sum()), 4))
        extra = rng.uniform(0, 200, (int(rng.integers(0, 4)), 2))
        all_boxes = np.vstack([moved, np.hstack([extra, extra + 20])])
        all_boxes[:, 2:] = np.maximum(all_boxes[:, 2:], all_boxes[:, :2] + 1)
        guesses = np.concatenate([labels[kept], rng.integers(0, N_CLASSES, len(extra))])
        flipped = rng.random(len(guesses)) < 0.1
        guesses[flipped] = rng.integers(0, N_CLASSES, int(flipped.sum()))
        found.append(Detections(all_boxes, guesses, np.round(rng.random(len(all_boxes)), 2)))
        true.append((boxes, labels))
    return found, true


def reference(found: list[Detections], true: list[Truth]) -> np.ndarray:
    """AP by IoU and class as pycocotools counts it, with as many detections per image as ours."""
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": number + 1} for number in range(len(true))],
        "categories": [{"id": label + 1, "name": str(label)} for label in range(N_CLASSES)],
        "annotations": [],
    }
    for number, (boxes, labels) in enumerate(true):
        for box, label in zip(boxes, labels, strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            truth.dataset["annotations"].append(
                {
                    "id": len(truth.dataset["annotations"]) + 1,
                    "image_id": number + 1,
                    "category_id": int(label) + 1,
                    "bbox": [box[0], box[1], width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    truth.createIndex()
    rows = [
        [number + 1, box[0], box[1], box[2] - box[0], box[3] - box[1], score, int(label) + 1]
        for number, each in enumerate(found)
        for box, label, score in zip(each.boxes, each.labels, each.scores, strict=True)
    ]
    evaluation = COCOeval(truth, truth.loadRes(np.array(rows)), "bbox")
    evaluation.params.maxDets = [1, 100, MAX_DETECTIONS]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # IoU, recall, class; all sizes, most detections
    return np.asarray(precision.mean(axis=1))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_images=st.integers(1, 12))
def test_that_average_precision_equals_the_reference(seed: int, n_images: int) -> None:
    found, true = draw_scene(seed, n_images)
    if not any(len(each.scores) for each in found):
        return
    expected = reference(found, true)
    for label in range(N_CLASSES):
        matches = match_class(found, true, label)
        for step, hits in enumerate(matches.hits):
            ours = average_precision(matches.scores, hits, int(matches.n_true.sum()))
            if ours is None:
                assert expected[step, label] == -1
            else:
                assert ours == pytest.approx(expected[step, label], abs=1e-9)


def test_that_a_crowded_field_is_not_cut_off_at_a_hundred() -> None:
    corners = np.stack(np.meshgrid(np.arange(15) * 20.0, np.arange(15) * 20.0), axis=-1).reshape(-1, 2)
    boxes = np.hstack([corners, corners + 15])
    found = [Detections(boxes, np.zeros(225, np.int64), np.linspace(1, 0.1, 225))]
    matches = match_class(found, [(boxes, np.zeros(225, np.int64))], 0)
    assert average_precision(matches.scores, matches.hits[0], 225) == pytest.approx(1.0)


def test_that_each_object_is_taken_once_by_the_best_detection() -> None:
    true = np.array([[0.0, 0, 10, 10]])
    found = np.array([[1.0, 0, 11, 10], [0, 0, 10, 10]])
    assert match_boxes(found, true, min_iou=0.5).tolist() == [True, False]
    assert match_boxes(found[:0], true, min_iou=0.5).tolist() == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_that_the_tuned_threshold_has_the_best_f1_of_all(seed: int) -> None:
    found, true = draw_scene(seed, 6)
    matches = match_class(found, true, 0)
    threshold = tune_score_threshold(matches)
    if threshold is None:
        assert matches.n_true.sum() == 0 or len(matches.scores) == 0
        return

    def f1(at: float) -> float:
        kept = matches.scores >= at
        return 2 * (kept & matches.hits[0]).sum() / (kept.sum() + matches.n_true.sum())

    assert f1(threshold) == pytest.approx(max(f1(at) for at in np.linspace(0, 1.01, 203)))


def test_that_scores_are_what_plain_counting_gives() -> None:
    true = [(np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]]), np.array([0, 0])), (np.zeros((0, 4)), np.zeros(0, int))]
    found = [
        Detections(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([0, 0]), np.array([0.9, 0.8])),
        Detections(np.array([[0.0, 0, 10, 10]]), np.array([0]), np.array([0.3])),
    ]
    matches = match_class(found, true, 0)
    score, drawn = score_class(matches, threshold=0.5, groups=np.array([0, 1]), n_groups=2, seed=0)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
    assert (score.support, score.n_found) == (2, 2)
    assert score.ap50 == pytest.approx(51 / 101)
    assert drawn.f1.shape == drawn.ap50.shape == (2000,)
    agreement = agree_on_counts(matches, threshold=0.2)
    assert agreement is not None
    assert agreement.bias == 0.5
    assert agreement.limits == pytest.approx((0.5 - 1.96 * 0.7071068, 0.5 + 1.96 * 0.7071068))


def test_that_a_drawn_average_precision_is_that_of_the_drawn_images() -> None:
    found, true = draw_scene(6, 12)
    rng = np.random.default_rng(0)
    found = [Detections(each.boxes, each.labels, rng.random(len(each.scores))) for each in found]
    groups = np.arange(12) // 2
    score, drawn = score_class(match_class(found, true, 0), threshold=0.3, groups=groups, n_groups=6, seed=4)
    weights = draw_group_weights(6, seed=4)[:, groups].astype(int)
    for number in range(0, 60, 6):
        images = np.repeat(np.arange(12), weights[number])
        matches = match_class([found[image] for image in images], [true[image] for image in images], 0)
        expected = average_precision(matches.scores, matches.hits[0], int(matches.n_true.sum()))
        assert drawn.ap50[number] == pytest.approx(expected)
    for figure, interval in (
        (score.ap50, score.ap50_ci95),
        (score.precision, score.precision_ci95),
        (score.recall, score.recall_ci95),
    ):
        assert interval is not None
        assert interval[0] <= (figure or 0) <= interval[1]


def test_that_nothing_to_find_is_undefined_and_not_zero() -> None:
    nothing = Detections(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0))
    matches = match_class([nothing], [(np.zeros((0, 4)), np.zeros(0, np.int64))], 0)
    score, _ = score_class(matches, threshold=0.5, groups=np.array([0]), n_groups=1, seed=0)
    assert (score.precision, score.recall, score.f1, score.ap50, score.ap) == (None,) * 5
    assert tune_score_threshold(matches) is None
