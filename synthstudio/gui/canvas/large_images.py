"""Opening an image for the viewer: a small one whole, a large one as source and first sight, with its zoom levels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from synthstudio.core.imaging import (
    ImageArray,
    ImageSource,
    LayeredSource,
    WholeSource,
    build_levels,
    cache_key,
    find_levels,
    find_unpacked,
    has_small_copy,
    open_image_source,
    read_image,
    read_image_header,
    read_preview,
    read_shrunken,
)
from synthstudio.domain.progress import Tick
from synthstudio.gui.canvas.pyramid import DeepFile, WholePyramid, build_pyramid

OVERVIEW_PX = 2048
"""Longer side of the picture of the whole that grows while the zoom levels are made."""


def zoom_level_folder() -> Path:
    """Where the zoom levels of large images are kept, of all projects together."""
    return platformdirs.user_cache_path("synthstudio", appauthor=False) / "zoom-levels"


@dataclass(frozen=True, slots=True)
class LargeImage:
    """A large image that was opened.

    Attributes:
        source: With the zoom levels made earlier, where there are any.
        overview: `(h, w, 3)` uint8 RGB, a small picture of the whole.
        page: Which image of a stack, from 0.
        needs_levels: Whether zoom levels are still to be made: the file has none.
    """

    source: ImageSource
    overview: ImageArray
    page: int
    needs_levels: bool


def open_for_view(path: Path, folder: Path, *, page: int | None = None) -> WholePyramid | LargeImage:
    """Open an image; pure and safe in any thread.

    Args:
        path: The image file.
        folder: Where zoom levels are kept.
        page: Which image of a stack, from 0; without it a stack is refused.

    Raises:
        UserError: The file cannot be read, is no image, is damaged or too large.
    """
    header = read_image_header(path, page=page)
    if header.is_solid:
        return _open_solid(path, folder, page)
    if not header.is_large:
        deep = DeepFile(path, page) if header.is_deep else None
        return build_pyramid(read_image(path, page=page), deep)
    source = open_large_source(path, folder, page=page or 0)
    return LargeImage(source, read_preview(source), page or 0, not has_small_copy(source))


def _open_solid(path: Path, folder: Path, page: int | None) -> LargeImage:
    """Open an image that can only be decoded whole: from its kept copy, else decoded, to be copied afterwards."""
    kept = find_unpacked(folder, path, page or 0)
    if kept is not None:
        return LargeImage(kept, read_preview(kept), page or 0, needs_levels=False)
    source = WholeSource(path, read_image(path, page=page))
    scale = OVERVIEW_PX / max(source.width, source.height)
    size = (max(1, round(source.width * scale)), max(1, round(source.height * scale)))
    overview = read_shrunken(source, (0, 0, source.width, source.height), size)
    return LargeImage(source, overview, page or 0, needs_levels=True)


def open_large_source(path: Path, folder: Path, *, page: int = 0) -> ImageSource:
    """Open an image to read parts of it, with the zoom levels that were made for it earlier."""
    source = open_image_source(path, page)
    if has_small_copy(source):
        return source
    coarse = find_levels(folder, cache_key(path, page))
    return LayeredSource(source, coarse) if coarse else source


class GrowingOverview:
    """The picture of the whole while the zoom levels are made; written in one thread, read in another.

    Args:
        image: The image.
    """

    def __init__(self, image: LargeImage) -> None:
        self._image = image
        longer = max(image.source.width, image.source.height)
        self._factor = 1
        while longer / self._factor > OVERVIEW_PX:
            self._factor *= 2
        size = (-(-image.source.width // self._factor), -(-image.source.height // self._factor))
        self._pixels = np.asarray(cv2.resize(image.overview, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        self._lock = threading.Lock()

    def build(self, folder: Path, tick: Tick) -> LargeImage:
        """Make and keep the zoom levels; returns the image with them.

        Raises:
            UserError: The image cannot be read, or the disk is full.
            Cancelled: By the tick.
        """
        image, path = self._image, self._image.source.path
        is_solid = isinstance(image.source, WholeSource)
        key = cache_key(path, image.page)
        coarse = build_levels(image.source, folder, key, tick=tick, on_block=self._add, keeps_full=is_solid)
        unpacked = find_unpacked(folder, path, image.page) if is_solid else None
        source = unpacked or (LayeredSource(image.source, coarse) if coarse else image.source)
        return LargeImage(source, read_preview(source), image.page, needs_levels=False)

    def _add(self, x0: int, y0: int, part: ImageArray, step: int) -> None:
        scale = step / self._factor
        left, top = int(x0 * scale), int(y0 * scale)
        right = min(max(round((x0 + part.shape[1]) * scale), left + 1), self._pixels.shape[1])
        bottom = min(max(round((y0 + part.shape[0]) * scale), top + 1), self._pixels.shape[0])
        if right <= left or bottom <= top:
            return
        small = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        with self._lock:
            self._pixels[top:bottom, left:right] = small

    def picture(self) -> NDArray[np.uint8]:
        """Return what there is, `(h, w, 3)` uint8 RGB."""
        with self._lock:
            return self._pixels.copy()
