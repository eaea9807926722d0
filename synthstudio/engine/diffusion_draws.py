"""What each step of a fine-tuning draws: which images, mirrored or not, which noise at which time.

All of it depends on the seed and the step alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.synthesis.streams import FINE_TUNING_STEP, FIXED_NOISE, GUIDE_ORDER, PRIOR_ORDER, open_stream

N_FIXED_TIMES = 4
"""Times at which the loss that is always taken alike is taken of each image, evenly over the schedule."""

LatentShape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class StepDraw:
    """What is drawn for some images of one kind.

    Attributes:
        numbers: Which images, `(N,)`.
        mirrored: Whether each is mirrored, `(N,)`.
        spread: Normal numbers that the latents are drawn with, `(N, C, h, w)` float32.
        noise: What is added to them, of that shape.
        times: When, `(N,)`.
    """

    numbers: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    spread: NDArray[np.float32]
    noise: NDArray[np.float32]
    times: NDArray[np.int64]

    def part(self, start: int, stop: int) -> StepDraw:
        """Those from `start` to before `stop`."""
        kept = slice(start, stop)
        return StepDraw(self.numbers[kept], self.mirrored[kept], self.spread[kept], self.noise[kept], self.times[kept])


def draw_step(
    *, seed: int, step: int, count: int, n_guides: int, n_prior: int, shape: LatentShape, n_times: int, flips: bool
) -> tuple[StepDraw, StepDraw | None]:
    """Draw a step.

    Args:
        seed: Of the training.
        step: Counted from 0.
        count: Guide images, and prior images, per step.
        n_guides, n_prior: How many there are; without prior images none are drawn.
        shape: Of the latents of one image.
        n_times: Of the noise schedule.
        flips: Images are mirrored at random.

    Returns:
        Of the guide images and of the prior images.
    """
    rng = open_stream(seed, FINE_TUNING_STEP, step)
    guides = in_turns(seed, GUIDE_ORDER, start=step * count, count=count, n=n_guides)
    drawn = _draw(rng, guides, shape, n_times, flips=flips)
    if not n_prior:
        return drawn, None
    prior = in_turns(seed, PRIOR_ORDER, start=step * count, count=count, n=n_prior)
    return drawn, _draw(rng, prior, shape, n_times, flips=flips)


def draw_fixed(*, seed: int, number: int, shape: LatentShape, n_times: int) -> StepDraw:
    """Draw what the loss on one image is always taken with."""
    rng = open_stream(seed, FIXED_NOISE, number)
    size = (N_FIXED_TIMES, *shape)
    return StepDraw(
        numbers=np.full(N_FIXED_TIMES, number, np.int64),
        mirrored=np.zeros(N_FIXED_TIMES, np.bool_),
        spread=rng.standard_normal(size, dtype=np.float32),
        noise=rng.standard_normal(size, dtype=np.float32),
        times=((np.arange(N_FIXED_TIMES) + 0.5) / N_FIXED_TIMES * n_times).astype(np.int64),
    )


def in_turns(seed: int, purpose: int, *, start: int, count: int, n: int) -> NDArray[np.int64]:
    """Numbers of images, `(count,)`: each of the `n` comes once in every round, in an order drawn for the round.

    Args:
        start: Images that came before.
    """
    places = np.arange(start, start + count)
    rounds = {int(each): open_stream(seed, purpose, int(each)).permutation(n) for each in np.unique(places // n)}
    return np.array([rounds[int(place // n)][place % n] for place in places], np.int64)


def _draw(
    rng: np.random.Generator, numbers: NDArray[np.int64], shape: LatentShape, n_times: int, *, flips: bool
) -> StepDraw:
    count = len(numbers)
    return StepDraw(
        numbers=numbers,
        mirrored=(rng.random(count) < 0.5) & flips,
        spread=rng.standard_normal((count, *shape), dtype=np.float32),
        noise=rng.standard_normal((count, *shape), dtype=np.float32),
        times=rng.integers(0, n_times, count),
    )
