"""Shares of the fields that are drawn once and for all: which one is in a share depends on seed and content alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from synthstudio.domain.records import FieldOfView

_GUARD, _RANDOM = "guard", "random picks"


def draw_place(purpose: str, *, seed: int, key: str) -> float:
    """Draw a number from 0 up to 1 that depends on these alone: no order and no other field moves it."""
    digest = hashlib.sha256(f"{purpose}/{seed}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def draw_random_place(fov: FieldOfView, *, seed: int) -> float:
    """Draw where an FOV stands, from 0 up to 1, among those that are picked at random."""
    return draw_place(_RANDOM, seed=seed, key=fov.content_key)


@dataclass(frozen=True, slots=True)
class Guard:
    """The anchoring guard: a share of the FOVs is annotated without suggestions being seen.

    Who sees a suggestion tends to agree with it, so that suggestions look better than they are. What was annotated
    without them shows by how much.

    Attributes:
        share: Of the FOVs, 0 to 1.
        seed: Another seed guards other FOVs.
    """

    share: float = 0.0
    seed: int = 0

    def holds(self, fov: FieldOfView) -> bool:
        """Whether the FOV is among those that are annotated without suggestions."""
        return draw_place(_GUARD, seed=self.seed, key=fov.content_key) < self.share

    def hides(self, fov: FieldOfView) -> bool:
        """Whether suggestions on the FOV are hidden now: until all on it is annotated."""
        return not fov.state.is_complete and self.holds(fov)
