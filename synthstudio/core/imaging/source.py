"""An image that can be read in parts: what the viewer's tiles and the patches of large images are cut from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging.color_profiles import to_srgb
from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.pixels import stored_box, to_rgb, turn_upright

PixelBox = tuple[int, int, int, int]
"""x0, y0, x1, y1 in px of one level, end exclusive."""


@dataclass(frozen=True, slots=True)
class SourceLevel:
    """One stored resolution of an image; `factor` is its px size in full-resolution px, 1.0 for the first."""

    width: int
    height: int
    factor: float


class ImageSource(ABC):
    """One image at one or more stored resolutions. Safe to read from several threads.

    Attributes:
        path: The file.
        levels: Full resolution first; sizes as shown, after the orientation is applied.
        n_pages: Images of this size in the file; this is one of them.
        dtype: Type of the stored samples.
        n_channels: Samples per pixel, 1 to 4.
        full_scale: The sample value that is shown as white.
    """

    path: Path
    levels: tuple[SourceLevel, ...]
    n_pages: int
    dtype: np.dtype[np.generic]
    n_channels: int
    full_scale: float
    _orientation: int = 1
    _profile: bytes = b""

    @property
    def width(self) -> int:
        """Full-resolution columns as shown."""
        return self.levels[0].width

    @property
    def height(self) -> int:
        """Full-resolution rows as shown."""
        return self.levels[0].height

    @property
    def is_deep(self) -> bool:
        """Whether the samples hold more than the 8 bit that are shown."""
        return self.dtype.itemsize > 1

    @property
    def n_bytes(self) -> int:
        """Memory that it holds for as long as it is open, apart from small caches."""
        return 0

    @abstractmethod
    def _read_stored(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        """Return samples `(h, w)` or `(h, w, c)` in RGB(A) order, of a box of the level as stored."""

    def read_samples(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        """Return the samples of a box as stored, `(h, w)` or `(h, w, c)` in RGB(A) order, upright.

        Raises:
            UserError: The file is gone, damaged or cut short.
            ValueError: The box is empty or reaches beyond the level.
        """
        size = self.levels[level]
        x0, y0, x1, y1 = box
        if not (0 <= x0 < x1 <= size.width and 0 <= y0 < y1 <= size.height):
            raise ValueError(f"the box {box} does not lie in level {level} of {size.width} x {size.height} px")
        stored_size = (size.height, size.width) if self._orientation >= 5 else (size.width, size.height)
        return turn_upright(
            self._read_stored(level, stored_box(box, stored_size, self._orientation)), self._orientation
        )

    def read_region(self, level: int, box: PixelBox) -> ImageArray:
        """Return a box as `(h, w, 3)` uint8 RGB, by the rule of `read_image` for the whole image.

        Raises:
            UserError: The file is gone, damaged or cut short.
            ValueError: The box is empty or reaches beyond the level.
        """
        return self.to_rgb(self.read_samples(level, box))

    def to_rgb(self, samples: NDArray[np.generic]) -> ImageArray:
        """Return samples of `read_samples` as `(h, w, 3)` uint8 RGB."""
        shown = to_rgb(samples, self.path, full_scale=self.full_scale, is_bgr=False)
        return to_srgb(np.ascontiguousarray(shown), self._profile)

    def part_size(self, level: int) -> tuple[int, int]:
        """Return width and height of the parts in which a level is stored and decoded, as shown."""
        return self.levels[level].width, self.levels[level].height

    def level_for(self, factor: float) -> int:
        """Return the coarsest level that is still at least as fine as `factor` full-resolution px per px."""
        fine = [index for index, level in enumerate(self.levels) if level.factor <= factor * 1.01]
        return fine[-1] if fine else 0


def read_shrunken(source: ImageSource, box: PixelBox, size: tuple[int, int]) -> ImageArray:
    """Return a part of an image in another size, averaged from the coarsest level that holds enough detail.

    Args:
        source: The image.
        box: In full-resolution px, within the image.
        size: Width and height to return; smaller than the box.
    """
    level, part = _stored_part(source, box, size)
    return shrunk(source.read_region(level, part), size)


def read_shrunken_samples(
    source: ImageSource, box: PixelBox, size: tuple[int, int]
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], int]:
    """Return the same of the samples of a deep image, `(h, w)` or `(h, w, 3)`, and the value that is shown as white.

    Samples of other types than uint16, and made zoom levels, give the 8-bit pixels.
    """
    level, part = _stored_part(source, box, size)
    samples = source.read_samples(level, part)
    if samples.dtype != np.uint16 or (samples.ndim == 3 and samples.shape[2] == 2):
        return shrunk(source.read_region(level, part), size), 255
    color = np.ascontiguousarray(samples[:, :, :3] if samples.ndim == 3 else samples, dtype=np.uint16)
    if (color.shape[1], color.shape[0]) != size:
        color = np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA), dtype=np.uint16)
    return color, int(source.full_scale)


def _stored_part(source: ImageSource, box: PixelBox, size: tuple[int, int]) -> tuple[int, PixelBox]:
    """Return the coarsest level with enough detail for a box in this size, and the box in its px."""
    level_index = source.level_for(max(1.0, (box[2] - box[0]) / size[0]))
    level = source.levels[level_index]
    per_x, per_y = level.width / source.width, level.height / source.height
    x0, y0 = min(int(box[0] * per_x), level.width - 1), min(int(box[1] * per_y), level.height - 1)
    x1, y1 = min(max(round(box[2] * per_x), x0 + 1), level.width), min(max(round(box[3] * per_y), y0 + 1), level.height)
    return level_index, (x0, y0, x1, y1)


def shrunk(pixels: ImageArray, size: tuple[int, int]) -> ImageArray:
    """Return an image averaged to a width and height."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def make_levels(sizes: Sequence[tuple[int, int]]) -> tuple[SourceLevel, ...]:
    """Return levels from their widths and heights, full resolution first."""
    width, height = sizes[0]
    return tuple(SourceLevel(w, h, max(width, height) / max(w, h)) for w, h in sizes)


class WholeSource(ImageSource):
    """An image that had to be decoded whole; one level, in memory.

    Args:
        path: The file.
        image: Its pixels as `read_image` gives them.
        n_pages: Images in the file.
    """

    def __init__(self, path: Path, image: ImageArray, *, n_pages: int = 1) -> None:
        self.path = path
        self.levels = make_levels([(image.shape[1], image.shape[0])])
        self.n_pages = n_pages
        self.dtype = image.dtype
        self.n_channels = 3
        self.full_scale = 255.0
        self._image = image

    @override
    def _read_stored(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        return self._image[box[1] : box[3], box[0] : box[2]]

    @property
    @override
    def n_bytes(self) -> int:
        return self._image.nbytes
