"""Whether the two networks of a GAN still learn from one another, told from the curves of a training."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

STRETCH_STEPS = 500
"""So long a sign must last: at the beginning of a training, and for a moment later, either network may lead."""
WON_SHARE = 0.99
"""Share of the patches that a discriminator judges right, real and synthetic ones alike, once it has won."""
GROWTH = 4.0
"""So many times its mean over the first stretch, the generator's loss is taken to grow without bound, if it is also
beyond `GREAT_LOSS`."""
GREAT_LOSS = 10.0
"""In units of the logits; an undecided discriminator gives 0.7, one that is sure of most patches about 5."""


@dataclass(frozen=True, slots=True)
class GanSigns:
    """Means over the steps since the last look.

    Attributes:
        real, synthetic: Shares of the patches that the discriminator judged right, 0-1.
        adversarial: The generator's adversarial loss.
    """

    real: float
    synthetic: float
    adversarial: float


class GanWatch:
    """Looks at a training every few steps, and says once what has gone wrong.

    Args:
        every: Steps between two looks.
    """

    def __init__(self, *, every: int) -> None:
        n_looks = max(1, math.ceil(STRETCH_STEPS / every))
        self._last: deque[GanSigns] = deque(maxlen=n_looks)
        self._first: list[float] = []
        self.has_told = False
        """Something was said already; a resumed training says it no second time."""

    def look(self, signs: GanSigns) -> str:
        """Take in the signs; return what is to be said, or nothing."""
        self._last.append(signs)
        if len(self._first) < (self._last.maxlen or 1):
            self._first.append(signs.adversarial)
        if self.has_told or len(self._last) < (self._last.maxlen or 1):
            return ""
        text = self._trouble()
        self.has_told = bool(text)
        return text

    def _trouble(self) -> str:
        early = sum(self._first) / len(self._first)
        late = sum(each.adversarial for each in self._last) / len(self._last)
        if late > GREAT_LOSS and late > GROWTH * max(early, 0.0):
            return (
                f"The generator's adversarial loss keeps growing ({late:.0f}, at first {early:.1f}): the discriminator"
                " runs away from it. A lower rate of the discriminator, spectral norm, or the least-squares form"
                " steadies it."
            )
        if all(min(each.real, each.synthetic) >= WON_SHARE for each in self._last):
            return (
                f"For {STRETCH_STEPS} steps the discriminator has told real from synthetic patches almost without"
                " fault: the generator learns little more from it. More images, differentiable augmentation, or a"
                " lower rate of the discriminator give the generator a chance."
            )
        return ""
