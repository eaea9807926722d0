"""Zoom levels of a large image that has none: made once, kept in a cache folder of bounded size.

They serve the eye alone: patches, trainings and exports read the file itself.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging.files import translate_os_error
from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.source import ImageSource, PixelBox, make_levels, shrunk
from synthstudio.core.imaging.tiff_source import TiffSource
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick

STEP = 4
"""Full-resolution px per px of the first made level."""
TILE_PX = 512
SMALLEST_PX = 1024
"""No further level is made below this longer side."""
JPEG_QUALITY = 92
SEGMENT_CACHE_BYTES = 4 << 20
"""Their tiles are as large as those of the viewer, which keeps them itself."""
CACHE_BYTES = 4 << 30

OnBlock = Callable[[int, int, ImageArray, int], None]
"""Called with x0, y0 and pixels of each finished part of the first made level, and the px of the base per px of it."""


def cache_key(path: Path, page: int) -> str:
    """Return the name under which the levels of a file are kept; another file in its place has another.

    Raises:
        UserError: The file is gone.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise translate_os_error(error, path) from error
    return hashlib.sha256(f"{path.resolve()}|{facts.st_size}|{facts.st_mtime_ns}|{page}|1".encode()).hexdigest()[:32]


def find_levels(cache: Path, key: str) -> tuple[TiffSource, ...]:
    """Return the kept levels, finest first; nothing where there are none, or where they are damaged."""
    folder = cache / key
    try:
        found = tuple(TiffSource(path, cache_bytes=SEGMENT_CACHE_BYTES) for path in sorted(folder.glob("*.tif")))
        if found:
            os.utime(folder)  # the least recently used go first
    except (OSError, UserError):
        return ()
    return found


def build_levels(
    source: ImageSource, cache: Path, key: str, *, tick: Tick = no_tick, on_block: OnBlock | None = None
) -> tuple[TiffSource, ...]:
    """Make the zoom levels of an image and keep them; whole or not at all.

    Args:
        source: The image; its coarsest stored level is the base.
        cache: Folder of all images' levels.
        key: From `cache_key`.
        tick: Counts the rows of the image.
        on_block: Sees each part as it is made.

    Raises:
        UserError: The image cannot be read, or the disk is full.
        Cancelled: By the tick; nothing is left behind.
    """
    temporary = cache / f".{secrets.token_hex(8)}"
    try:
        temporary.mkdir(parents=True)
        below, number = source, 0
        while max(below.levels[-1].width, below.levels[-1].height) > SMALLEST_PX:
            step = STEP if number == 0 else 2
            path = temporary / f"{number:02d}.tif"
            _write_level(below, path, step, tick=tick if number == 0 else no_tick, on_block=on_block)
            below, number, on_block = TiffSource(path, cache_bytes=SEGMENT_CACHE_BYTES), number + 1, None
        del below  # Windows cannot rename a folder with an open file in it
        if not find_levels(cache, key):  # another window may have been faster; what is damaged is replaced
            shutil.rmtree(cache / key, ignore_errors=True)
            temporary.replace(cache / key)
        _keep_within(cache, CACHE_BYTES, key)
    except OSError as error:
        raise translate_os_error(error, cache) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return find_levels(cache, key)


def _write_level(source: ImageSource, path: Path, step: int, *, tick: Tick, on_block: OnBlock | None) -> None:
    import tifffile  # noqa: PLC0415 - see `open_tiff`

    level = source.levels[-1]
    shape = (-(-level.height // step), -(-level.width // step), 3)
    tifffile.imwrite(
        path,
        _iter_tiles(source, shape, step, tick=tick, on_block=on_block),
        shape=shape,
        dtype=np.uint8,
        tile=(TILE_PX, TILE_PX),
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": JPEG_QUALITY},
        bigtiff=True,
        maxworkers=1,
        metadata=None,
    )


def _iter_tiles(
    source: ImageSource, shape: tuple[int, int, int], step: int, *, tick: Tick, on_block: OnBlock | None
) -> Iterator[NDArray[np.uint8]]:
    """Make the level band by band, so that memory is bounded whatever its size."""
    for top in range(0, shape[0], TILE_PX):
        band = np.zeros((TILE_PX, -(-shape[1] // TILE_PX) * TILE_PX, 3), np.uint8)
        for x0, y0, part in _iter_parts(source, top * step, (top + TILE_PX) * step, step):
            band[y0 - top : y0 - top + part.shape[0], x0 : x0 + part.shape[1]] = part
            if on_block is not None:
                on_block(x0, y0, part, step)
            tick(min(y0 * step, source.levels[-1].height), source.levels[-1].height)
        for left in range(0, band.shape[1], TILE_PX):
            yield np.ascontiguousarray(band[:, left : left + TILE_PX])


def _iter_parts(source: ImageSource, top: int, bottom: int, step: int) -> Iterator[tuple[int, int, ImageArray]]:
    """Shrink the rows `top` to `bottom` in parts that follow the file's own: none of them is decoded twice."""
    index, level = len(source.levels) - 1, source.levels[-1]
    width, height = source.part_size(index)
    part_width = _multiple(width, step, TILE_PX * step)
    part_height = _multiple(height, step, (bottom - top) if width < level.width else 256)
    for y0 in range(top, min(bottom, level.height), part_height):
        for x0 in range(0, level.width, part_width):
            x1, y1 = min(x0 + part_width, level.width), min(y0 + part_height, level.height, bottom)
            pixels = source.read_region(index, (x0, y0, x1, y1))
            yield x0 // step, y0 // step, shrunk(pixels, (-(-(x1 - x0) // step), -(-(y1 - y0) // step)))


def _multiple(part: int, step: int, wanted: int) -> int:
    """Return about `wanted`, at least one part, as a multiple of the step."""
    return -(-max(part, wanted // part * part) // step) * step


def _keep_within(cache: Path, limit: int, newest: str) -> None:
    folders = sorted((each for each in cache.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    sizes = {each: sum(file.stat().st_size for file in each.glob("*")) for each in folders}
    total = sum(sizes.values())
    for folder in folders:
        if total <= limit:
            return
        if folder.name != newest and not folder.name.startswith("."):
            shutil.rmtree(folder, ignore_errors=True)
            total -= sizes[folder]


class LayeredSource(ImageSource):
    """An image with made levels below its stored ones.

    Args:
        full: The image itself.
        coarse: From `find_levels` or `build_levels`.
    """

    def __init__(self, full: ImageSource, coarse: tuple[TiffSource, ...]) -> None:
        self.path, self.n_pages = full.path, full.n_pages
        self.dtype, self.n_channels, self.full_scale = full.dtype, full.n_channels, full.full_scale
        self._full, self._coarse = full, coarse
        own = [(each.width, each.height) for each in full.levels]
        self.levels = make_levels([*own, *((each.width, each.height) for each in coarse)])

    @property
    def n_deep_levels(self) -> int:
        """Levels that hold the file's own samples; the made ones hold 8 bit."""
        return len(self._full.levels)

    @override
    def _read_stored(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        if level < self.n_deep_levels:
            return self._full.read_samples(level, box)
        return self._coarse[level - self.n_deep_levels].read_samples(0, box)

    @override
    def read_region(self, level: int, box: PixelBox) -> ImageArray:
        if level < self.n_deep_levels:
            return self._full.read_region(level, box)
        return self._coarse[level - self.n_deep_levels].read_region(0, box)

    @override
    def part_size(self, level: int) -> tuple[int, int]:
        if level < self.n_deep_levels:
            return self._full.part_size(level)
        return self._coarse[level - self.n_deep_levels].part_size(0)
