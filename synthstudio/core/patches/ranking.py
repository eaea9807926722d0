"""Orders in which to look through patches: what is likely to be wrong comes first."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.background import BLACK, WHITE
from synthstudio.core.patches.bank import PatchBank

NEIGHBOUR_CONTRAST = 24  # grey levels from the background that count as something lying there


class PatchOrder(StrEnum):
    """What comes first."""

    ANNOTATED = "as annotated"
    BLURRED = "blurred first"
    FAINT = "faint first"
    CROWDED = "touching neighbours first"
    EDGE = "cut by the image's edge first"


def rank_patches(bank: PatchBank, numbers: list[int], order: PatchOrder) -> list[int]:
    """Return the patches' numbers in this order; equal ones keep theirs."""
    if order is PatchOrder.ANNOTATED:
        return list(numbers)
    score = {
        PatchOrder.BLURRED: _sharpness,
        PatchOrder.FAINT: _contrast,
        PatchOrder.CROWDED: _emptiness_around,
        PatchOrder.EDGE: _inside,
    }[order]
    return sorted(numbers, key=lambda number: score(bank, number))


def _window(bank: PatchBank, number: int) -> NDArray[np.uint8]:
    """`(H, W)` grey of the window."""
    patch = bank.patches[number]
    left, top = max(0, round(patch.center[0] - patch.width / 2)), max(0, round(patch.center[1] - patch.height / 2))
    window = bank.crop(number)[top : top + max(2, round(patch.height)), left : left + max(2, round(patch.width))]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(window), cv2.COLOR_RGB2GRAY), np.uint8)


def _sharpness(bank: PatchBank, number: int) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) over that of the grey: contrast alone is not sharpness."""
    grey = cv2.GaussianBlur(_window(bank, number), (0, 0), 0.8).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / (grey.var() + 1.0))


def _contrast(bank: PatchBank, number: int) -> float:
    """Greatest difference from the background, less the brightest and darkest hundredth."""
    level = WHITE if bank.is_transmitted else BLACK
    return float(np.quantile(np.abs(_window(bank, number).astype(np.float32) - level), 0.99))


def _emptiness_around(bank: PatchBank, number: int) -> float:
    """Less the share of the window's rim on which something lies."""
    level = WHITE if bank.is_transmitted else BLACK
    grey = _window(bank, number).astype(np.float32)
    rim = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    return -float(np.mean(np.abs(rim - level) > NEIGHBOUR_CONTRAST))


def _inside(bank: PatchBank, number: int) -> float:
    return bank.patches[number].inside
