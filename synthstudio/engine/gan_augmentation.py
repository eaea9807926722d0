"""Differentiable augmentation of what a discriminator sees, for trainings on few images.

DiffAugment (Zhao et al. 2020): real and synthetic images are changed alike before they are judged, so that the
discriminator cannot learn the few real ones by heart, and gradients reach the generator through the change. Here the
map is moved and covered with its image. One step draws one change for each crop of the batch and uses it for the real
and for the synthetic image, so that their features can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor

from synthstudio.core.synthesis.streams import GAN_AUGMENTATION, open_stream

COLOR, TRANSLATION, CUTOUT = "color", "translation", "cutout"
SHIFT = 1 / 8
"""Greatest translation, of the side; what moves in holds 0, the middle of the range."""
HOLE = 1 / 2
"""Side of what is covered, of the image's."""
NUMBERS = 7
"""Drawn for each crop, whatever is switched on, so that one switch does not change what another draws."""


def parse_augmentation(setting: str) -> frozenset[str]:
    """The parts of a setting: "none", or some of them with commas between."""
    return frozenset() if setting == "none" else frozenset(setting.split(","))


@dataclass(frozen=True, slots=True)
class PairAugmentation:
    """What one step does to its crops; calling it changes maps and images, both `(N, 3, S, S)`.

    Attributes:
        parts: Of it: "color", "translation", "cutout".
        numbers: `(N, NUMBERS)` from 0 to 1: brightness, saturation, contrast, shift across and down, hole across and
            down.
    """

    parts: frozenset[str]
    numbers: NDArray[np.float64]

    def __call__(self, maps: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Change maps and images; colour is changed in the images alone, since the map's says what is asked for."""
        if COLOR in self.parts:
            images = _recolored(images, self.numbers[:, :3])
        if TRANSLATION in self.parts:
            maps, images = (_moved(each, self.numbers[:, 3:5]) for each in (maps, images))
        if CUTOUT in self.parts:
            kept = _kept(self.numbers[:, 5:7], images.shape[-1]).to(images.device)
            maps, images = maps * kept, images * kept
        return maps, images


def draw_augmentation(setting: str, n: int, *, seed: int, step: int) -> PairAugmentation | None:
    """Draw what is done to the `n` crops of a step, from (seed, step) alone; None where nothing is switched on."""
    parts = parse_augmentation(setting)
    if not parts:
        return None
    return PairAugmentation(parts, open_stream(seed, GAN_AUGMENTATION, step).random((n, NUMBERS)))


def _recolored(images: Tensor, numbers: NDArray[np.float64]) -> Tensor:
    """Brightness by -.5 to .5, saturation and contrast by 0 to 2 and .5 to 1.5, as in the paper."""
    drawn = torch.from_numpy(numbers).to(images.device, images.dtype)[:, :, None, None, None]
    images = images + (drawn[:, 0] - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = (images - grey) * (drawn[:, 1] * 2.0) + grey
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - middle) * (drawn[:, 2] + 0.5) + middle


def _moved(images: Tensor, numbers: NDArray[np.float64]) -> Tensor:
    side = images.shape[-1]
    most = round(side * SHIFT)
    padded = F.pad(images, (most, most, most, most))
    starts = np.minimum((numbers * (2 * most + 1)).astype(np.int64), 2 * most)
    cut = [each[:, y : y + side, x : x + side] for each, (x, y) in zip(padded, _pairs(starts), strict=True)]
    return torch.stack(cut)


def _kept(numbers: NDArray[np.float64], side: int) -> Tensor:
    """1 where an image is kept and 0 in its hole, `(N, 1, S, S)`; the hole's centre lies anywhere in the image."""
    hole = round(side * HOLE)
    kept = torch.ones((len(numbers), 1, side, side))
    centres = np.minimum((numbers * side).astype(np.int64), side - 1)
    for each, (x, y) in zip(kept, _pairs(centres), strict=True):
        left, top = max(0, x - hole // 2), max(0, y - hole // 2)
        each[:, top : y - hole // 2 + hole, left : x - hole // 2 + hole] = 0.0
    return kept


def _pairs(values: NDArray[np.int64]) -> Sequence[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in values]
