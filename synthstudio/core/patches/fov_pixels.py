"""The pixels of an FOV at the working scale: held whole, or of a large image cut out part by part."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from typing_extensions import override

from synthstudio.core.imaging import ImageArray, ImageSource, read_overview, read_preview
from synthstudio.core.patches.background import Background, estimate_background, even_out
from synthstudio.domain.records import Box, FieldOfView

ReadFov = Callable[[FieldOfView], ImageArray | ImageSource]
"""Returns the full-resolution pixels of an FOV, `(H, W, 3)` uint8 RGB, or of a large one a source to cut from."""

OVERVIEW_PX = 1024
NOISE_WINDOW_PX = 1536


class FovPixels(ABC):
    """An FOV from which patches are cut. All lengths in px of the working scale."""

    @abstractmethod
    def picture(self) -> ImageArray:
        """A picture of the whole, `(h, w, 3)`, good enough to judge its light."""

    @abstractmethod
    def background(self, objects: Sequence[Box], *, is_transmitted: bool) -> Background:
        """Estimate the background, leaving the extents of known objects out; see `estimate_background`."""

    @abstractmethod
    def even_out(self, background: Background, *, is_transmitted: bool) -> Callable[[int, int, int, int], ImageArray]:
        """Return what cuts x0, y0, x1, y1 out of the evened FOV, `(y1 - y0, x1 - x0, 3)`; clipped at its edges."""


class WholeFov(FovPixels):
    """An FOV in memory.

    Args:
        image: `(H, W, 3)` uint8 RGB at the working scale.
    """

    def __init__(self, image: ImageArray) -> None:
        self._image = image

    @override
    def picture(self) -> ImageArray:
        return self._image

    @override
    def background(self, objects: Sequence[Box], *, is_transmitted: bool) -> Background:
        return estimate_background(self._image, objects, is_transmitted=is_transmitted)

    @override
    def even_out(self, background: Background, *, is_transmitted: bool) -> Callable[[int, int, int, int], ImageArray]:
        evened = even_out(self._image, background, is_transmitted=is_transmitted)
        return lambda x0, y0, x1, y1: evened[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)]


class LargeFov(FovPixels):
    """A large FOV: read once in parts for its background, then only where patches lie.

    Args:
        source: The image.
        scale: Working scale against it.
    """

    def __init__(self, source: ImageSource, scale: float) -> None:
        self._source, self._scale = source, scale
        self._width, self._height = max(1, round(source.width * scale)), max(1, round(source.height * scale))

    @override
    def picture(self) -> ImageArray:
        return read_preview(self._source)

    @override
    def background(self, objects: Sequence[Box], *, is_transmitted: bool) -> Background:
        shrink = OVERVIEW_PX / max(self._source.width, self._source.height)
        size = (max(1, round(self._source.width * shrink)), max(1, round(self._source.height * shrink)))
        per_px = size[0] / self._width
        shrunk_objects = [Box(*(value * per_px for value in (box.x0, box.y0, box.x1, box.y1))) for box in objects]
        smooth = estimate_background(read_overview(self._source, size), shrunk_objects)
        # The overview tells colour and light; grain is averaged away in it and comes from the middle.
        left, top = max(0, (self._width - NOISE_WINDOW_PX) // 2), max(0, (self._height - NOISE_WINDOW_PX) // 2)
        window = self._read(left, top, left + NOISE_WINDOW_PX, top + NOISE_WINDOW_PX)
        middle = estimate_background(window, is_transmitted=is_transmitted)
        return dataclasses.replace(
            smooth,
            rows=self._height,
            columns=self._width,
            noise=middle.noise,
            grain=middle.grain,
            texture=middle.texture,
            sharpening=middle.sharpening,
        )

    @override
    def even_out(self, background: Background, *, is_transmitted: bool) -> Callable[[int, int, int, int], ImageArray]:
        def cut(x0: int, y0: int, x1: int, y1: int) -> ImageArray:
            x0, y0, x1, y1 = max(0, x0), max(0, y0), min(x1, self._width), min(y1, self._height)
            window = (
                2 * x0 / self._width - 1,
                2 * y0 / self._height - 1,
                2 * x1 / self._width - 1,
                2 * y1 / self._height - 1,
            )
            part = self._read(x0, y0, x1, y1)
            return even_out(part, background, is_transmitted=is_transmitted, window=window)

        return cut

    def _read(self, x0: int, y0: int, x1: int, y1: int) -> ImageArray:
        """Read a part in px of the working scale, cut at the FOV's edges."""
        x1, y1 = min(x1, self._width), min(y1, self._height)
        edges = [round(value / self._scale) for value in (x0, y0, x1, y1)]
        left, top = min(edges[0], self._source.width - 1), min(edges[1], self._source.height - 1)
        right = min(max(edges[2], left + 1), self._source.width)
        bottom = min(max(edges[3], top + 1), self._source.height)
        pixels = self._source.read_region(0, (left, top, right, bottom))
        if self._scale == 1.0:
            return pixels
        interpolation = cv2.INTER_AREA if self._scale < 1.0 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(pixels, (x1 - x0, y1 - y0), interpolation=interpolation), np.uint8)
