"""Zoom levels of a large image that has none: made once, kept in a cache folder of bounded size.

An image that can only be decoded whole is kept there in full as well, in tiles and without loss: opened again, it takes
no more memory than any other. They serve the eye alone: patches, trainings and exports read the file itself.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging.formats import ImageArray
from synthstudio.core.imaging.source import ImageSource, PixelBox, make_levels, shrunk
from synthstudio.core.imaging.tiff_source import TiffSource
from synthstudio.domain.errors import UserError
from synthstudio.domain.os_errors import translate_os_error
from synthstudio.domain.progress import Tick, no_tick

STEP = 4
"""Full-resolution px per px of the first made level."""
TILE_PX = 512
SMALLEST_PX = 1024
"""No further level is made below this longer side."""
JPEG_QUALITY = 92
ZLIB_LEVEL = 1
FULL_NAME = "full.tif"
SEGMENT_CACHE_BYTES = 4 << 20
"""Their tiles are as large as those of the viewer, which keeps them itself."""
CACHE_BYTES = 4 << 30
ABANDONED_S = 24 * 3600
"""Half-made levels to which nothing was written for so long belong to a process that was killed."""

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
        paths = sorted(folder.glob("[0-9]*.tif"))
        found = tuple(TiffSource(path, cache_bytes=SEGMENT_CACHE_BYTES) for path in paths)
        if found:
            os.utime(folder)  # the least recently used go first
    except (OSError, UserError):
        return ()
    return found


def find_unpacked(cache: Path, path: Path, page: int = 0) -> LayeredSource | None:
    """Return the kept copy of an image that can only be decoded whole, with its levels; None where there is none.

    Raises:
        UserError: The image itself is gone.
    """
    key = cache_key(path, page)
    coarse = find_levels(cache, key)
    try:
        return LayeredSource(TiffSource(cache / key / FULL_NAME), coarse, path=path) if coarse else None
    except UserError:
        return None


def build_levels(
    source: ImageSource,
    cache: Path,
    key: str,
    *,
    tick: Tick = no_tick,
    on_block: OnBlock | None = None,
    keeps_full: bool = False,
) -> tuple[TiffSource, ...]:
    """Make the zoom levels of an image and keep them; whole or not at all.

    Args:
        source: The image; its coarsest stored level is the base.
        cache: Folder of all images' levels.
        key: From `cache_key`.
        tick: Counts the rows of the image.
        on_block: Sees each part as it is made.
        keeps_full: Keep the image itself, too.

    Raises:
        UserError: The image cannot be read, or the disk is full.
        Cancelled: By the tick; nothing is left behind.
    """
    temporary = cache / f".{secrets.token_hex(8)}"
    try:
        temporary.mkdir(parents=True)
        if keeps_full:
            _write_level(source, temporary / FULL_NAME, 1, tick=tick, on_block=None, is_lossless=True)
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


def _write_level(
    source: ImageSource,
    path: Path,
    step: int,
    *,
    tick: Tick,
    on_block: OnBlock | None,
    is_lossless: bool = False,
) -> None:
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
        compression="zlib" if is_lossless else "jpeg",
        compressionargs={"level": ZLIB_LEVEL if is_lossless else JPEG_QUALITY},
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
    """Remove what a killed process has left half made, and the least recently used until the rest fits."""
    found = [each for each in map(_measure, cache.iterdir()) if each is not None]
    abandoned = [each for each in found if each.is_unfinished and time.time() - each.used_s > ABANDONED_S]
    kept = sorted((each for each in found if not each.is_unfinished), key=lambda each: each.used_s)
    for each in abandoned:
        shutil.rmtree(each.folder, ignore_errors=True)
    total = sum(each.n_bytes for each in kept)
    for each in kept:
        if total <= limit:
            return
        if each.folder.name != newest:
            shutil.rmtree(each.folder, ignore_errors=True)
            total -= each.n_bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    """A folder of the cache: its size, and when it was last used or written to (seconds since 1970)."""

    folder: Path
    n_bytes: int
    used_s: float

    @property
    def is_unfinished(self) -> bool:
        return self.folder.name.startswith(".")


def _measure(folder: Path) -> _Kept | None:
    """Measure a folder; None where another window has removed it meanwhile."""
    try:
        used_s = folder.stat().st_mtime
        files = [file.stat() for file in folder.iterdir()]
    except OSError:
        return None
    if folder.name.startswith("."):  # of a finished one only the folder's own time tells when it was used
        used_s = max([used_s, *(file.st_mtime for file in files)])
    return _Kept(folder, sum(file.st_size for file in files), used_s)


class LayeredSource(ImageSource):
    """An image with made levels below its stored ones.

    Args:
        full: The image itself.
        coarse: From `find_levels` or `build_levels`.
        path: The file, where `full` is a kept copy of it.
    """

    def __init__(self, full: ImageSource, coarse: tuple[TiffSource, ...], *, path: Path | None = None) -> None:
        self.path, self.n_pages = path or full.path, full.n_pages
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
