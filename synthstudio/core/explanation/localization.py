"""How well a class activation map lies on the annotated objects (targets: section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.explanation.maps import Cam
from synthstudio.core.explanation.matching import CenterCounts
from synthstudio.core.geometry import BoxArray
from synthstudio.core.stats import divide, draw_group_weights, percentile_interval, sum_by_group

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MapScore:
    """One class on one FOV that holds at least one object of it.

    Attributes:
        hit: The maximum lies on an object; a map without evidence never hits.
        chance: Share of the FOV where a blind point would have hit.
        energy: Share of the positive mass inside the boxes; None without positive mass.
        box_share: Share of the FOV inside the boxes.
        top: Column and row of the maximum.
    """

    hit: bool
    chance: float
    energy: float | None
    box_share: float
    top: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LocalizationScore:
    """A class over all FOVs that hold it; None where undefined."""

    pointing_accuracy: float | None
    chance: float | None
    energy: float | None
    energy_chance: float | None
    centers: CenterCounts
    n_images: int
    ci95: Interval | None
    energy_ci95: Interval | None = None


def score_map(cam: Cam, extents: BoxArray, *, size_px: float) -> MapScore:
    """Score one map.

    Args:
        cam: `(H, W)` upsampled to the pixels that `extents` are in.
        extents: `(N, 4)`, N >= 1: boxes, or squares of the class's mean size around centres.
        size_px: Mean size of the class in px: the maximum may lie within half of it of a centre, or in the box.
    """
    inside = draw_boxes(extents, cam.shape)
    counts_as_hit = inside | draw_discs(extents, size_px / 2.0, cam.shape)
    positive = np.maximum(cam, 0.0)
    mass = float(positive.sum(dtype=np.float64))
    top = int(np.argmax(cam))
    return MapScore(
        hit=mass > 0.0 and bool(counts_as_hit.flat[top]),
        chance=float(counts_as_hit.mean()),
        energy=float(positive[inside].sum(dtype=np.float64)) / mass if mass > 0.0 else None,
        box_share=float(inside.mean()),
        top=(top % cam.shape[1], top // cam.shape[1]),
    )


def draw_boxes(boxes: BoxArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mask `(H, W)` of the pixels whose middle lies in any box."""
    mask = np.zeros(shape[:2], np.bool_)
    for x0, y0, x1, y1 in np.ceil(boxes - 0.5).astype(int):
        mask[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    return mask


def draw_discs(boxes: BoxArray, radius: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mask `(H, W)` of the pixels whose middle lies within `radius` of the middle of any box."""
    mask = np.zeros(shape[:2], np.bool_)
    y, x = np.ogrid[0.5 : shape[0] + 0.5, 0.5 : shape[1] + 0.5]
    for x0, y0, x1, y1 in boxes:
        mask |= (x - (x0 + x1) / 2) ** 2 + (y - (y0 + y1) / 2) ** 2 <= radius * radius
    return mask


def summarize_localization(
    scores: list[MapScore], groups: NDArray[np.int64], *, n_groups: int, centers: CenterCounts, seed: int
) -> LocalizationScore:
    """Bring the FOVs of one class together; the intervals of pointing accuracy (`ci95`) and energy resample groups.

    Args:
        scores: One per FOV.
        groups: `(N,)` sample of each FOV, numbered from 0.
        n_groups: Number of samples in the whole split, so that all classes share the same draws.
        centers: Matched centres over all FOVs.
        seed: Of the bootstrap.
    """
    if not scores:
        return LocalizationScore(None, None, None, None, centers, 0, None)
    hits = np.array([score.hit for score in scores], np.float64)
    energies = [score.energy for score in scores if score.energy is not None]
    energy = np.array([score.energy or 0.0 for score in scores])
    has_energy = np.array([score.energy is not None for score in scores], np.float64)
    sums = sum_by_group(np.stack([hits, np.ones_like(hits), energy, has_energy], axis=1), groups, n_groups)
    drawn = draw_group_weights(n_groups, seed=seed) @ sums
    return LocalizationScore(
        pointing_accuracy=float(hits.mean()),
        chance=float(np.mean([score.chance for score in scores])),
        energy=float(np.mean(energies)) if energies else None,
        energy_chance=float(np.mean([score.box_share for score in scores])),
        centers=centers,
        n_images=len(scores),
        ci95=percentile_interval(divide(drawn[:, 0], drawn[:, 1])),
        energy_ci95=percentile_interval(divide(drawn[:, 2], drawn[:, 3])),
    )


def center_interval(
    counts: Sequence[CenterCounts], groups: NDArray[np.int64], *, n_groups: int, seed: int
) -> Interval | None:
    """Interval of the F1 of centres that were matched FOV by FOV; arguments as for `summarize_localization`."""
    if not counts:
        return None
    table = np.array([(each.n_matched, each.n_predicted, each.n_true) for each in counts], np.float64)
    matched, predicted, true = (draw_group_weights(n_groups, seed=seed) @ sum_by_group(table, groups, n_groups)).T
    return percentile_interval(divide(2 * matched, predicted + true))
