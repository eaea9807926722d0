"""What tells synthetic images from real ones: a simple classifier's answers, and single statistics of the pixels.

A network that is trained on synthetic images may learn such a difference instead of the objects. Real images are judged
by a classifier that has learned from other samples. The statistics are named, so that a person can do something about
them; the classifier also sees the built-in descriptor, for what has no name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.curves import roc_curve
from synthstudio.core.evaluation.frechet import FeatureArray
from synthstudio.core.evaluation.out_of_fold import divide_folds, predict_out_of_fold
from synthstudio.core.evaluation.resampling import draw_groups, drawn_ranking
from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.texture import measure_grain
from synthstudio.core.review.image_facts import take_facts
from synthstudio.core.review.image_figures import FIGURE_NAMES, figures_of
from synthstudio.core.stats import MIN_RELIABLE_GROUPS, percentile_interval
from synthstudio.domain.progress import Tick, no_tick

STATISTICS: Mapping[str, str] = MappingProxyType(
    {
        "brightness": "mean grey level",
        "sharpness": "fine against coarse contrast (logarithm)",
        "contrast": "spread of the grey level",
        "green_red": "green to red (a*)",
        "blue_yellow": "blue to yellow (b*)",
        "chroma": "colourfulness",
        "dark_share": "share that is nearly black",
        "bright_share": "share that is nearly white",
        "grain": "difference of neighbouring pixels",
        "flat_share": "share without any grain",
    }
)
"""What each statistic is, in words; the first are those of `ImageFacts`."""
LEAST_IMAGES = 12
"""Of either kind; with fewer nothing can be said."""


@dataclass(frozen=True, slots=True)
class Betrayal:
    """How well one statistic alone tells synthetic images from real ones.

    Attributes:
        name: Of the statistic.
        auc: 0.5 where it tells nothing, 1 where it tells all, whichever way.
        synthetic, real: Its median.
    """

    name: str
    auc: float
    synthetic: float
    real: float


@dataclass(frozen=True, slots=True, eq=False)
class ProbeOutcome:
    """What a classifier tells apart.

    Attributes:
        auc: Area under its ROC curve; 0.5 is chance.
        ci95: By resampling samples, and single synthetic images.
        is_reliable: Whether there are enough of them for the interval to be trusted.
        scores: `(N,)` probability of being synthetic, by a classifier that has not seen the sample.
        statistics: The most telling first.
    """

    auc: float
    ci95: tuple[float, float] | None
    is_reliable: bool
    scores: NDArray[np.float64]
    statistics: tuple[Betrayal, ...]


def measure_statistics(images: Sequence[ImageArray]) -> FeatureArray:
    """Measure images, `(H, W, 3)` uint8 RGB, as `(N, len(STATISTICS))`, in that order."""
    assert tuple(STATISTICS)[: len(FIGURE_NAMES)] == FIGURE_NAMES, "the figures have other names"
    return np.array([(*figures_of(take_facts(image)), *measure_grain(image)) for image in images], np.float64)


def probe_apart(
    features: FeatureArray,
    statistics: FeatureArray,
    is_synthetic: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    seed: int,
    tick: Tick = no_tick,
) -> ProbeOutcome | None:
    """Tell synthetic images from real ones; None where there are too few, or real ones of a single sample.

    Args:
        features: `(N, D)` of real and synthetic images.
        statistics: `(N, len(STATISTICS))`, which the classifier sees, too.
        is_synthetic: `(N,)`.
        groups: `(N,)` sample of each real image; each synthetic one has a number of its own.
        seed: Of the folds and of the draws of the interval.
        tick: Counts the folds.
    """
    n_synthetic = int(is_synthetic.sum())
    if min(n_synthetic, len(is_synthetic) - n_synthetic) < LEAST_IMAGES or len(np.unique(groups[~is_synthetic])) < 2:
        return None
    labels = is_synthetic.astype(np.int64)
    seen = np.concatenate([features, statistics], axis=1)
    folds = divide_folds(groups.tolist(), labels, seed=seed)
    scores = predict_out_of_fold(seen, labels, folds, n_classes=2, seed=seed, tick=tick)[:, 1]
    draws = draw_groups(groups, seed=seed)
    told = [_betrayal(name, statistics[:, column], is_synthetic) for column, name in enumerate(STATISTICS)]
    return ProbeOutcome(
        auc=_area(scores, is_synthetic),
        ci95=percentile_interval(drawn_ranking(scores, is_synthetic, draws)[0]),
        is_reliable=min(len(np.unique(groups[~is_synthetic])), n_synthetic) >= MIN_RELIABLE_GROUPS,
        scores=scores,
        statistics=tuple(sorted(told, key=lambda each: -each.auc)),
    )


def _betrayal(name: str, values: FeatureArray, is_synthetic: NDArray[np.bool_]) -> Betrayal:
    area = _area(values, is_synthetic)
    return Betrayal(
        name, max(area, 1 - area), float(np.median(values[is_synthetic])), float(np.median(values[~is_synthetic]))
    )


def _area(scores: FeatureArray, labels: NDArray[np.bool_]) -> float:
    """Area under the ROC curve; there are labels of both kinds."""
    curve = roc_curve(scores, labels)
    assert curve is not None, "labels of one kind only"
    return float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))
