"""Orders in which to look through patches: what is likely to be wrong comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.bank import PatchBank
from synthstudio.domain.progress import Tick, no_tick

NEIGHBOUR_CONTRAST = 24  # grey levels from the background that count as something lying there
TICK_EVERY = 64

Scores = NDArray[np.float64]


class PatchOrder(StrEnum):
    """What comes first."""

    ANNOTATED = "as annotated"
    DOUBTFUL = "doubtful first"
    BLURRED = "blurred first"
    FAINT = "faint first"
    CROWDED = "touching neighbours first"
    EDGE = "cut by the image's edge first"
    SMALL = "smallest first"
    LARGE = "largest first"


def rank_patches(bank: PatchBank, numbers: Sequence[int], order: PatchOrder, *, tick: Tick = no_tick) -> list[int]:
    """Return the patches' numbers in this order; equal ones keep theirs."""
    scores = score_patches(bank, numbers, order, tick=tick)
    return [numbers[place] for place in np.argsort(scores, kind="stable")]


def score_patches(bank: PatchBank, numbers: Sequence[int], order: PatchOrder, *, tick: Tick = no_tick) -> Scores:
    """Return `(N,)` scores of patches; the lowest comes first. Those of `DOUBTFUL` depend on all that are given."""
    match order:
        case PatchOrder.ANNOTATED:
            return np.zeros(len(numbers))
        case PatchOrder.DOUBTFUL:
            return _doubt(bank, numbers, tick)
        case PatchOrder.SMALL | PatchOrder.LARGE:
            sign = 1.0 if order is PatchOrder.SMALL else -1.0
            return sign * np.array([_area(bank, number) for number in numbers], np.float64)
        case _:
            return _score_each(bank, numbers, tick, (_SCORES[order],))[0]


def _doubt(bank: PatchBank, numbers: Sequence[int], tick: Tick) -> Scores:
    """How far a patch is at the bad end of any one criterion, as a share of the patches: a single fault is enough."""
    scores = _score_each(bank, numbers, tick, tuple(_SCORES.values()))
    sizes = np.log([max(1.0, _area(bank, number)) for number in numbers])
    oddness = -np.abs(sizes - np.median(sizes)) if len(sizes) else sizes
    return np.asarray(np.min([_rank(each) for each in (*scores, oddness)], axis=0), np.float64)


def _rank(scores: Scores) -> Scores:
    """Share of patches that are no better. Ties count in full, so that what is common to most is no fault."""
    return np.asarray(np.searchsorted(np.sort(scores), scores, side="right") / max(1, len(scores)), np.float64)


def _score_each(
    bank: PatchBank, numbers: Sequence[int], tick: Tick, scorers: Sequence[Callable[[PatchBank, int], float]]
) -> list[Scores]:
    found = [np.empty(len(numbers), np.float64) for _ in scorers]
    for place, number in enumerate(numbers):
        if place % TICK_EVERY == 0:
            tick(place, len(numbers))
        for scores, score in zip(found, scorers, strict=True):
            scores[place] = score(bank, number)
    return found


def window_slices(bank: PatchBank, number: int) -> tuple[slice, slice]:
    """Rows and columns of a patch's window within its crop."""
    patch = bank.patches[number]
    left, top = max(0, round(patch.center[0] - patch.width / 2)), max(0, round(patch.center[1] - patch.height / 2))
    return slice(top, top + max(2, round(patch.height))), slice(left, left + max(2, round(patch.width)))


def _window(bank: PatchBank, number: int) -> NDArray[np.uint8]:
    """`(H, W)` grey of the window."""
    window = bank.crop(number)[window_slices(bank, number)]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(window), cv2.COLOR_RGB2GRAY), np.uint8)


def _sharpness(bank: PatchBank, number: int) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) over that of the grey: contrast alone is not sharpness."""
    grey = cv2.GaussianBlur(_window(bank, number), (0, 0), 0.8).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / (grey.var() + 1.0))


def _contrast(bank: PatchBank, number: int) -> float:
    """Greatest difference from the background, less the brightest and darkest hundredth."""
    counts = np.bincount(np.abs(_window(bank, number).astype(np.int16) - bank.level).ravel(), minlength=256)
    return float(np.searchsorted(np.cumsum(counts), 0.99 * counts.sum()))


def _emptiness_around(bank: PatchBank, number: int) -> float:
    """Less the share of the window's rim on which something lies."""
    grey = _window(bank, number).astype(np.float32)
    rim = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    return -float(np.mean(np.abs(rim - bank.level) > NEIGHBOUR_CONTRAST))


def _inside(bank: PatchBank, number: int) -> float:
    return bank.patches[number].inside


def _area(bank: PatchBank, number: int) -> float:
    return bank.patches[number].width * bank.patches[number].height


_SCORES: dict[PatchOrder, Callable[[PatchBank, int], float]] = {
    PatchOrder.BLURRED: _sharpness,
    PatchOrder.FAINT: _contrast,
    PatchOrder.CROWDED: _emptiness_around,
    PatchOrder.EDGE: _inside,
}
