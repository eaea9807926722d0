"""Random numbers that depend on (seed, what for, number) and on nothing else: any image alone, in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IMAGES, VARIANTS, CANVASES, NOISE, BENDS, GENERATED, REQUESTS, REQUEST_ORDER = 1, 2, 3, 4, 5, 6, 7, 8
"""What a stream is for: streams of different purpose never share a number."""
GAN_AUGMENTATION, GAN_NOISE = 9, 10
"""The same, by step of a training: for what is done to images before a discriminator sees them, and for the noise."""
PATCH_NOISING = 21
"""The same: noise, times and dropped requests of a step of a diffusion training from scratch."""
FINE_TUNING_STEP, GUIDE_ORDER, PRIOR_ORDER, FIXED_NOISE, LORA_START = 31, 32, 33, 34, 35
"""The same, of fine-tuning: what a step draws; the order of guide and prior images, by round; the noise of the loss
that is always taken alike, by image; and the first weights of LoRA, by layer."""
UPSCALING = 41
"""The noise of the diffusion upscaler, by image and window."""
PICTURE_CHOICE, MAP_LANDMARKS = 51, 52
"""Pictures of a set that are put on a map, by the number of the set; those that the others are placed by."""
FOLD_CHOICE = 61
"""The rows that a classifier learns from where there are more than it needs, by fold."""

REGION_WINDOWS = 10
"""The same: windows around the regions of an FOV, by its id and the number of the window."""


def open_stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """Philox keyed by seed and purpose, with the index in the high half of its counter."""
    return np.random.Generator(np.random.Philox(key=(purpose << 64) | seed, counter=index << 128))


class StreamSeries:
    """The streams of one seed and purpose, each as `open_stream` gives it, for an eighth of the time.

    They share one generator, which is set to the start of the wanted stream: opening one ends the one before.
    """

    def __init__(self, seed: int, purpose: int) -> None:
        self._stream = open_stream(seed, purpose, 0)
        self._start = self._stream.bit_generator.state

    def open(self, index: int) -> np.random.Generator:
        """The stream of this index."""
        self._start["state"]["counter"][2] = index
        self._stream.bit_generator.state = self._start
        return self._stream


def draw_noise(n: int, *, seed: int, index: int) -> NDArray[np.float32]:
    """Return the `n` numbers, (n,) float32 from a standard normal, that enter a generator with the map of an image."""
    return open_stream(seed, GENERATED, index).standard_normal(n).astype(np.float32)
