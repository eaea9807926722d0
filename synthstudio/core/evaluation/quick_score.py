"""A cheap score of made images against real ones, for the validation of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthstudio.core.evaluation.descriptor import describe_images
from synthstudio.core.evaluation.frechet import frechet_distance
from synthstudio.core.evaluation.kernel_distance import kernel_distance
from synthstudio.core.imaging import ImageArray

LEAST_IMAGES = 4
"""Of either kind; with fewer the figures say nothing."""


@dataclass(frozen=True, slots=True)
class QuickScore:
    """Distances by the built-in descriptor, not comparable with published ones; smaller is better.

    Attributes:
        fid: Fréchet distance; the fewer images, the larger.
        kid: Kernel distance, without that bias: the one to rank by. It may fall below 0.
    """

    fid: float
    kid: float


class ScoredAgainst:
    """Scores made images against real ones, `(H, W, 3)` uint8 RGB, that are described once.

    Raises:
        ValueError: There are fewer than `LEAST_IMAGES` real ones.
    """

    def __init__(self, real: Sequence[ImageArray]) -> None:
        _check(len(real))
        self._real = describe_images(real)

    def score(self, made: Sequence[ImageArray]) -> QuickScore:
        """Score images; raises ValueError where there are fewer than `LEAST_IMAGES`."""
        _check(len(made))
        features = describe_images(made)
        return QuickScore(fid=frechet_distance(self._real, features), kid=kernel_distance(self._real, features))


def quick_score(real: Sequence[ImageArray], made: Sequence[ImageArray]) -> QuickScore:
    """Score made images against real ones once; see `ScoredAgainst`."""
    return ScoredAgainst(real).score(made)


def _check(count: int) -> None:
    if count < LEAST_IMAGES:
        raise ValueError(f"{count} images cannot be scored: at least {LEAST_IMAGES} are needed.")
