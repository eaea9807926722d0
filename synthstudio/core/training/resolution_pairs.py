"""Pairs of a small and a large patch: where large ones are cut from an image, and how they are made small."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from synthstudio.core.imaging import ImageArray, encode_jpeg
from synthstudio.core.synthesis.streams import open_stream
from synthstudio.domain.records import CropSquare, FieldOfView
from synthstudio.settings.train_upscaler import PairSettings

PAIR_WINDOWS, PAIR_LOOKS, PAIR_ORDER = 111, 112, 113
"""Purposes of random streams: places of patches by the number of their image, looks and order by step and pass."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, or a square part of one, that pairs are made from; `window` is in full-resolution px."""

    fov: FieldOfView
    window: tuple[int, int, int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        x0, y0, x1, y1 = self.window
        return x1 - x0, y1 - y0


def draw_windows(picture: Picture, *, side: int, count: int, seed: int) -> list[CropSquare]:
    """Draw where patches of `side` px are cut; they depend on the seed, the FOV and their number alone.

    A picture that is smaller than a patch gives none, one that holds few places gives each once.
    """
    (x0, y0, _, _), (width, height) = picture.window, picture.size
    if min(width, height) < side:
        return []
    n_places = (width - side + 1) * (height - side + 1)
    drawn = open_stream(seed, PAIR_WINDOWS, int(picture.fov.id)).random((min(count, n_places), 2))
    corners = (drawn * (width - side + 1, height - side + 1)).astype(int).tolist()
    return list(dict.fromkeys(CropSquare(x0 + x, y0 + y, side) for x, y in corners))


def spread_windows(picture: Picture, *, side: int, count: int) -> list[CropSquare]:
    """Lay at most `count` patches of `side` px evenly over a picture, without overlap: for judging."""
    (x0, y0, _, _), (width, height) = picture.window, picture.size
    columns, rows = width // side, height // side
    cells = [(column, row) for row in range(rows) for column in range(columns)]
    chosen = cells[:: max(1, -(-len(cells) // count))][:count] if cells else []
    left, top = x0 + (width - columns * side) // 2, y0 + (height - rows * side) // 2
    return [CropSquare(left + column * side, top + row * side, side) for column, row in chosen]


def shrink(image: ImageArray, factor: int) -> ImageArray:
    """Make `(F H, F W, 3)` uint8 small, `(H, W, 3)`: bicubic with antialiasing, as is usual in the field."""
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def enlarge_bicubic(image: ImageArray, factor: int) -> ImageArray:
    """Make `(H, W, 3)` uint8 larger, `(F H, F W, 3)`: what an upscaler has to be better than."""
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def make_small(large: ImageArray, factor: int, settings: PairSettings, rng: np.random.Generator) -> ImageArray:
    """Make the small patch of a pair, `(S, S, 3)` uint8, with what the settings spoil."""
    blur, noise, quality = rng.random(3).tolist()
    if settings.blur and (sigma := blur * settings.blur) > 0.1:
        large = np.asarray(cv2.GaussianBlur(large, (0, 0), sigma), np.uint8)
    small = shrink(large, factor)
    if settings.noise:
        spoilt = small + rng.normal(0.0, noise * settings.noise, small.shape)
        small = np.clip(np.rint(spoilt), 0, 255).astype(np.uint8)
    if settings.jpeg < 100:
        lowest = settings.jpeg + quality * (100 - settings.jpeg)
        small = np.asarray(Image.open(io.BytesIO(encode_jpeg(small, round(lowest)))).convert("RGB"))
    return small
