"""Random numbers that depend on (seed, what for, number) and on nothing else: any image alone, in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IMAGES, VARIANTS, CANVASES, NOISE, BENDS, GENERATED, REQUESTS, REQUEST_ORDER = 1, 2, 3, 4, 5, 6, 7, 8
"""What a stream is for: streams of different purpose never share a number."""
GAN_AUGMENTATION, GAN_NOISE = 9, 10
"""The same, by step of a training: for what is done to images before a discriminator sees them, and for the noise."""

REGION_WINDOWS = 10
"""The same: windows around the regions of an FOV, by its id and the number of the window."""


def open_stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """Philox keyed by seed and purpose, with the index in the high half of its counter."""
    return np.random.Generator(np.random.Philox(key=(purpose << 64) | seed, counter=index << 128))


def draw_noise(n: int, *, seed: int, index: int) -> NDArray[np.float32]:
    """Return the `n` numbers, (n,) float32 from a standard normal, that enter a generator with the map of an image."""
    return open_stream(seed, GENERATED, index).standard_normal(n).astype(np.float32)
