"""Random numbers that depend on (seed, what for, number) and on nothing else: any image alone, in any order."""

from __future__ import annotations

import numpy as np

IMAGES, VARIANTS, CANVASES, NOISE, BENDS = 1, 2, 3, 4, 5
"""What a stream is for: streams of different purpose never share a number."""


def open_stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """Philox keyed by seed and purpose, with the index in the high half of its counter."""
    return np.random.Generator(np.random.Philox(key=(purpose << 64) | seed, counter=index << 128))
