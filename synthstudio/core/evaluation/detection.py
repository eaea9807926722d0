"""Detections against annotated boxes: matching, F1 at a threshold, average precision.

Average precision is that of COCO (Lin et al. 2014): greedy matching by score within each image, 101 recall levels, and
up to `MAX_DETECTIONS` detections an image: COCO's 100 would cut a crowded field off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.presence import Interval, f1_of, mean_defined
from synthstudio.core.evaluation.resampling import GroupDraws, drawn_box_precision
from synthstudio.core.geometry import BoxArray, box_ious
from synthstudio.core.stats import FloatArray, divide, draw_group_weights, percentile_interval

MATCH_IOU = 0.5
IOU_STEPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
MAX_DETECTIONS = 1000
RECALL_LEVELS = 101


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found on one image.

    Attributes:
        boxes: `(N, 4)` in px.
        labels: `(N,)` index of the class.
        scores: `(N,)` in 0-1.
    """

    boxes: BoxArray
    labels: NDArray[np.int64]
    scores: FloatArray

    def of_class(self, label: int) -> tuple[BoxArray, FloatArray]:
        """Boxes and scores of one class, best first, at most `MAX_DETECTIONS`."""
        chosen = np.flatnonzero(self.labels == label)
        order = chosen[np.argsort(-self.scores[chosen], kind="stable")][:MAX_DETECTIONS]
        return self.boxes[order], self.scores[order]


@dataclass(frozen=True, slots=True)
class ClassMatches:
    """Detections of one class on all images, each with what it met.

    Attributes:
        scores: `(D,)` best first within each image.
        images: `(D,)` number of the image.
        hits: `(len(IOU_STEPS), D)` whether it matches an object at that overlap.
        n_true: `(n_images,)` objects of the class.
    """

    scores: FloatArray
    images: NDArray[np.int64]
    hits: NDArray[np.bool_]
    n_true: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Scores of one class; None where undefined.

    Attributes:
        ap50, ap: Average precision at IoU .5, and the mean over IoU .5 to .95.
        support: Objects to find.
        n_found: Detections at the threshold.
        ci95: Of F1; the others likewise.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    ap50: float | None
    ap: float | None
    support: int
    n_found: int
    ci95: Interval | None
    precision_ci95: Interval | None = None
    recall_ci95: Interval | None = None
    ap50_ci95: Interval | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DetectionDraws:
    """Figures of one class in each bootstrap draw `(B,)`; NaN where undefined."""

    f1: FloatArray
    ap50: FloatArray


def match_boxes(found: BoxArray, true: BoxArray, *, min_iou: float) -> NDArray[np.bool_]:
    """Tell which detections match an object, each object being taken once, by the best detection first.

    Args:
        found: `(N, 4)` best first.
        true: `(M, 4)`.
        min_iou: Least overlap, inclusive.
    """
    hits = np.zeros(len(found), np.bool_)
    if not len(found) or not len(true):
        return hits
    ious = box_ious(found, true)
    free = np.ones(len(true), np.bool_)
    for number in range(len(found)):
        # Of equally good objects the last one, as the reference does it.
        candidates = np.where(free, ious[number], -1.0)
        best = len(true) - 1 - int(np.argmax(candidates[::-1]))
        if candidates[best] >= min_iou - 1e-10:
            hits[number] = True
            free[best] = False
    return hits


def match_class(
    detections: Sequence[Detections], true: Sequence[tuple[BoxArray, NDArray[np.int64]]], label: int
) -> ClassMatches:
    """Match all detections of a class; `true` holds boxes `(M, 4)` and labels `(M,)` of each image."""
    scores: list[FloatArray] = [np.empty(0)]
    images: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    hits: list[NDArray[np.bool_]] = [np.empty((len(IOU_STEPS), 0), np.bool_)]
    n_true = []
    for number, (found, (boxes, labels)) in enumerate(zip(detections, true, strict=True)):
        here, score = found.of_class(label)
        objects = boxes[labels == label]
        scores.append(score)
        images.append(np.full(len(score), number, np.int64))
        hits.append(np.stack([match_boxes(here, objects, min_iou=iou) for iou in IOU_STEPS]))
        n_true.append(len(objects))
    return ClassMatches(
        np.concatenate(scores), np.concatenate(images), np.concatenate(hits, axis=1), np.array(n_true, np.int64)
    )


def average_precision(scores: FloatArray, hits: NDArray[np.bool_], n_true: int) -> float | None:
    """Mean precision over `RECALL_LEVELS` recall levels; None where there is nothing to find."""
    if n_true == 0:
        return None
    order = np.argsort(-scores, kind="mergesort")
    found = np.cumsum(hits[order])
    recall = found / n_true
    precision = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0.0, 1.0, RECALL_LEVELS), side="left")
    return float(np.where(places < len(envelope), np.append(envelope, 0.0)[places], 0.0).mean())


def tune_score_threshold(matches: ClassMatches) -> float | None:
    """Score from which on a detection is taken, such that F1 at IoU .5 is best; None where nothing can be told.

    It lies half-way to the next lower score, so that it does not hang on one detection's last digit.
    """
    n_true = int(matches.n_true.sum())
    if not n_true or not len(matches.scores):
        return None
    order = np.argsort(-matches.scores, kind="stable")
    ranked, hits = matches.scores[order], np.cumsum(matches.hits[0, order])
    f1 = 2.0 * hits / (np.arange(1, len(ranked) + 1) + n_true)
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, f1, -1.0)))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + following) / 2)


def score_class(
    matches: ClassMatches, *, threshold: float, groups: NDArray[np.int64], n_groups: int, seed: int
) -> tuple[DetectionScore, DetectionDraws]:
    """Score one class.

    Args:
        matches: Its detections.
        threshold: Chosen on validation.
        groups: `(n_images,)` sample of each image, numbered from 0: intervals resample samples.
        n_groups: Number of samples.
        seed: Of the bootstrap.

    Returns:
        The score, and what it is made of in each draw.
    """
    kept = matches.scores >= threshold
    n_images = len(matches.n_true)
    hits = np.bincount(matches.images[kept & matches.hits[0]], minlength=n_images)
    found = np.bincount(matches.images[kept], minlength=n_images)
    draws = GroupDraws(groups, draw_group_weights(n_groups, seed=seed) if n_groups else np.zeros((0, 0)))
    drawn_hits, drawn_found, drawn_true = draws.sum(np.stack([hits, found, matches.n_true], axis=-1)).T
    drawn = DetectionDraws(
        f1=divide(2.0 * drawn_hits, drawn_found + drawn_true),
        ap50=drawn_box_precision(
            matches.scores,
            matches.hits[0],
            images=matches.images,
            n_true=matches.n_true,
            draws=draws,
            n_levels=RECALL_LEVELS,
        ),
    )
    n_hits, n_found, n_true = int(hits.sum()), int(found.sum()), int(matches.n_true.sum())
    by_overlap = [average_precision(matches.scores, each, n_true) for each in matches.hits]
    score = DetectionScore(
        precision=n_hits / n_found if n_found else None,
        recall=n_hits / n_true if n_true else None,
        f1=f1_of(n_hits, n_found - n_hits, n_true - n_hits),
        ap50=by_overlap[0],
        ap=mean_defined(by_overlap),
        support=n_true,
        n_found=n_found,
        ci95=percentile_interval(drawn.f1),
        precision_ci95=percentile_interval(divide(drawn_hits, drawn_found)),
        recall_ci95=percentile_interval(divide(drawn_hits, drawn_true)),
        ap50_ci95=percentile_interval(drawn.ap50),
    )
    return score, drawn


@dataclass(frozen=True, slots=True)
class CountAgreement:
    """Objects counted by the detector against the annotations, image by image (Bland and Altman 1986).

    Attributes:
        bias: Mean of found minus true.
        limits: The range in which 95 % of the differences lie, bias +- 1.96 SD; None for fewer than two images.
    """

    bias: float
    limits: Interval | None


def agree_on_counts(matches: ClassMatches, *, threshold: float) -> CountAgreement | None:
    """Compare counts per image at a threshold; None without images."""
    if not len(matches.n_true):
        return None
    found = np.bincount(matches.images[matches.scores >= threshold], minlength=len(matches.n_true))
    differences = (found - matches.n_true).astype(np.float64)
    bias = float(differences.mean())
    if len(differences) < 2:
        return CountAgreement(bias, None)
    reach = 1.96 * float(differences.std(ddof=1))
    return CountAgreement(bias, (bias - reach, bias + reach))
