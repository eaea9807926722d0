"""TIFF read in parts: only the tiles or strips under a region are read and decoded, whatever the size of the image."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging.formats import damaged
from synthstudio.core.imaging.pixels import find_full_scale
from synthstudio.core.imaging.source import ImageSource, PixelBox, make_levels
from synthstudio.core.imaging.tiff import (
    ICC_TAG,
    TIFF_ERRORS,
    TiffPlan,
    key_of,
    open_tiff,
    orientation_of,
    unreadable,
)
from synthstudio.domain.os_errors import translate_os_error

if TYPE_CHECKING:
    import tifffile

SEGMENT_CACHE_BYTES = 24 << 20
"""Decoded strips or tiles kept per image: neighbouring regions share those at their seam."""
ROWS_BYTES = 4 << 20
"""Uncompressed strips are read in pieces of about this size: many writers make one strip of the whole image."""
EXACT_SCALE_PIXELS = 64_000_000
"""Up to this size all samples are looked at to find the camera's depth, beyond it a spread of them."""
N_PROBES = 48
APERIO_YCBCR = 33003

DecodeSegment = Callable[..., "tuple[NDArray[np.generic] | None, tuple[int, ...], tuple[int, ...]]"]


class _File:
    """An open file that several threads read; closed with its last reader."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise translate_os_error(error, path) from error
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, self._descriptor)
        self.n_bytes = os.fstat(self._descriptor).st_size

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Return exactly so many bytes; UserError where the file is shorter or its drive fails."""
        try:
            with self._lock:
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                parts = []
                while n_bytes > 0 and (part := os.read(self._descriptor, n_bytes)):
                    parts.append(part)
                    n_bytes -= len(part)
        except OSError as error:
            raise translate_os_error(error, self._path) from error
        if n_bytes:
            raise damaged(self._path, "it ends before its last pixels")
        return parts[0] if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True, slots=True)
class _Plane:
    """One stored resolution: where its segments lie and how they decode. Sizes in px as stored."""

    width: int
    height: int
    n_channels: int
    dtype: np.dtype[np.generic]
    segment_width: int
    segment_height: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    is_planar: bool
    is_inverted: bool
    is_ycbcr: bool
    rows_at: int | None
    decode: DecodeSegment
    tables: bytes | None
    header: bytes | None

    @property
    def n_across(self) -> int:
        return -(-self.width // self.segment_width)

    @property
    def n_down(self) -> int:
        return -(-self.height // self.segment_height)


class TiffSource(ImageSource):
    """One image of a TIFF, with the smaller copies that the file holds.

    Args:
        path: The file.
        page: Which of its images of the first one's size, from 0.
        cache_bytes: Decoded strips or tiles kept; by default `SEGMENT_CACHE_BYTES`.

    Raises:
        UserError: The file cannot be read, is damaged, has no such page, or is encoded in an unknown way.
    """

    def __init__(self, path: Path, page: int = 0, *, cache_bytes: int | None = None) -> None:
        self.path = path
        self._file = _File(path)
        with open_tiff(path) as plan:
            self._planes = tuple(_plane_of(each, path) for each in plan.levels_of(page))
            self._orientation = orientation_of(plan.keyframe)
            profile = plan.keyframe.tags.valueof(ICC_TAG)
            self._profile = bytes(profile) if isinstance(profile, bytes) else b""
            self.n_pages = plan.n_pages
        self._refuse_cut_short()
        first = self._planes[0]
        turned = self._orientation >= 5
        self.levels = make_levels(
            [(each.height, each.width) if turned else (each.width, each.height) for each in self._planes]
        )
        self.dtype, self.n_channels = first.dtype, first.n_channels
        self._cache: OrderedDict[tuple[int, int], NDArray[np.generic]] = OrderedDict()
        self._cached_bytes = 0
        self._cache_limit = SEGMENT_CACHE_BYTES if cache_bytes is None else cache_bytes
        self._lock = threading.Lock()
        self.full_scale = self._find_full_scale()

    def _refuse_cut_short(self) -> None:
        n_bytes = self._file.n_bytes
        for plane in self._planes:
            ends = (start + count for start, count in zip(plane.offsets, plane.counts, strict=False))
            if max(ends, default=0) > n_bytes:
                raise damaged(self.path, "it ends before its last pixels")

    @override
    def part_size(self, level: int) -> tuple[int, int]:
        plane = self._planes[level]
        size = (plane.segment_width, plane.segment_height)
        return (size[1], size[0]) if self._orientation >= 5 else size

    @override
    def _read_stored(self, level: int, box: PixelBox) -> NDArray[np.generic]:
        plane = self._planes[level]
        x0, y0, x1, y1 = box
        out = np.empty((y1 - y0, x1 - x0, plane.n_channels), plane.dtype)
        for row in range(y0 // plane.segment_height, -(-y1 // plane.segment_height)):
            for column in range(x0 // plane.segment_width, -(-x1 // plane.segment_width)):
                left, top = column * plane.segment_width, row * plane.segment_height
                segment = self._segment(level, row * plane.n_across + column)
                right, bottom = min(left + segment.shape[1], x1), min(top + segment.shape[0], y1)
                from_x, from_y = max(left, x0), max(top, y0)
                part = segment[from_y - top : bottom - top, from_x - left : right - left]
                out[from_y - y0 : bottom - y0, from_x - x0 : right - x0] = part
        return out[:, :, 0] if plane.n_channels == 1 else out

    def _segment(self, level: int, index: int) -> NDArray[np.generic]:
        """Return a decoded tile or strip, `(h, w, c)`, cut at the image's edge."""
        key = (level, index)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        segment = self._decode(self._planes[level], index)
        with self._lock:
            if key not in self._cache:
                self._cache[key] = segment
                self._cached_bytes += segment.nbytes
            while self._cached_bytes > self._cache_limit and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return segment

    def _decode(self, plane: _Plane, index: int) -> NDArray[np.generic]:
        row, column = divmod(index, plane.n_across)
        height = min(plane.segment_height, plane.height - row * plane.segment_height)
        width = min(plane.segment_width, plane.width - column * plane.segment_width)
        if plane.rows_at is not None:
            row_bytes = plane.width * plane.n_channels * plane.dtype.itemsize
            data = self._file.read(plane.rows_at + row * plane.segment_height * row_bytes, height * row_bytes)
            segment = np.frombuffer(data, plane.dtype).reshape(height, width, plane.n_channels)
        elif plane.is_planar:
            n_segments = plane.n_across * plane.n_down
            parts = [self._decode_one(plane, index + n_segments * number) for number in range(plane.n_channels)]
            segment = np.concatenate([part[:height, :width, :1] for part in parts], axis=2)
        else:
            segment = self._decode_one(plane, index)[:height, :width]
        if segment.shape != (height, width, plane.n_channels):
            raise damaged(self.path, "its pixels do not fit the size in its header")
        if plane.is_ycbcr:
            segment = from_ycbcr(segment)
        return ~segment if plane.is_inverted else segment

    def _decode_one(self, plane: _Plane, index: int) -> NDArray[np.generic]:
        count = plane.counts[index]
        # A tile of no bytes is one that a sparse file leaves out.
        data = self._file.read(plane.offsets[index], count) if count and plane.offsets[index] else None
        try:
            segment, _, shape = plane.decode(data, index, jpegtables=plane.tables, jpegheader=plane.header)
        except TIFF_ERRORS as error:
            raise damaged(self.path, f"a part of its pixels cannot be decoded ({error})") from error
        if segment is None:
            segment = np.zeros(shape, plane.dtype)
        return segment.reshape(segment.shape[-3:]).astype(plane.dtype, copy=False)

    def _find_full_scale(self) -> float:
        if self.dtype.itemsize == 1:
            return find_full_scale(np.zeros((1, 1), self.dtype), self.path)
        stored = self._planes[0]
        if stored.width * stored.height <= EXACT_SCALE_PIXELS:
            boxes = [
                (0, top, stored.width, min(top + stored.segment_height, stored.height))
                for top in range(0, stored.height, stored.segment_height)
            ]
            return max(find_full_scale(self._read_stored(0, box), self.path) for box in boxes)
        n_segments = stored.n_across * stored.n_down
        probes = np.unique(np.linspace(0, n_segments - 1, N_PROBES).astype(int))
        return max(find_full_scale(self._segment(0, int(index)), self.path) for index in probes)


def can_read_regions(plan: TiffPlan) -> bool:
    """Whether the first image of an open TIFF can be read in parts of bounded size."""
    page = plan.keyframe
    n_bytes = int(page.samplesperpixel) * (page.dtype.itemsize if page.dtype is not None else 0)
    segment_pixels = page.tilewidth * page.tilelength if page.is_tiled else page.imagewidth * page.rowsperstrip
    return is_plain(page) and (_rows_at(page, page.dataoffsets) is not None or segment_pixels * n_bytes <= 256 << 20)


def is_plain(page: tifffile.TiffPage) -> bool:
    """Whether the samples of a page are grey or colours that decode without a palette or conversion of ours."""
    photometric, compression = int(page.photometric), int(page.compression)
    is_known = photometric in (1, 2) or (photometric == 6 and compression in (7, APERIO_YCBCR))
    is_small_inverse = photometric == 0 and page.dtype in (np.dtype(np.uint8), np.dtype(np.bool_))
    return (
        (is_known or is_small_inverse) and page.dtype is not None and page.imagedepth == 1 <= page.samplesperpixel <= 4
    )


def _plane_of(page: tifffile.TiffPage | tifffile.TiffFrame, path: Path) -> _Plane:
    key = key_of(page)
    if not is_plain(key) or key.dtype is None:
        raise unreadable(path, f"{_name(key.photometric)}, {_name(key.compression)}")
    offsets, counts = tuple(map(int, page.dataoffsets)), tuple(map(int, page.databytecounts))
    rows_at = _rows_at(key, offsets)
    dtype, n_channels = np.dtype(key.dtype), int(key.samplesperpixel)
    width, height = int(key.imagewidth), int(key.imagelength)
    if key.is_tiled:
        segment = (int(key.tilewidth), int(key.tilelength))
    else:
        rows = min(int(key.rowsperstrip), height)
        segment = (width, max(1, ROWS_BYTES // (width * n_channels * dtype.itemsize)) if rows_at is not None else rows)
    plane = _Plane(
        width=width,
        height=height,
        n_channels=n_channels,
        dtype=dtype.newbyteorder(key.parent.byteorder) if rows_at is not None else dtype,
        segment_width=segment[0],
        segment_height=segment[1],
        offsets=offsets,
        counts=counts,
        is_planar=int(key.planarconfig) == 2 and n_channels > 1,
        is_inverted=int(key.photometric) == 0,
        is_ycbcr=int(key.compression) == APERIO_YCBCR,
        rows_at=rows_at,
        decode=key.decode,
        tables=page.jpegtables,
        header=key.jpegheader,
    )
    if rows_at is None and min(len(offsets), len(counts)) < plane.n_across * plane.n_down * (
        n_channels if plane.is_planar else 1
    ):
        raise damaged(path, "the list of its parts is too short for its size")
    return plane


def _rows_at(page: tifffile.TiffPage, offsets: tuple[int, ...]) -> int | None:
    """Where the plain rows of an uncompressed, untiled page begin, if that is all there is to it."""
    is_interleaved = int(page.planarconfig) == 1 or page.samplesperpixel == 1
    is_plain_rows = not page.is_tiled and is_interleaved and page.predictor == 1 and page.fillorder == 1
    is_whole_bytes = page.dtype is not None and page.bitspersample == 8 * page.dtype.itemsize
    return int(offsets[0]) if is_plain_rows and is_whole_bytes and page.is_contiguous and offsets else None


def from_ycbcr(segment: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return `(h, w, 3)` uint8 Y, Cb, Cr samples as RGB."""
    swapped = np.ascontiguousarray(segment[:, :, [0, 2, 1]]).astype(np.uint8, copy=False)
    return np.asarray(cv2.cvtColor(swapped, cv2.COLOR_YCrCb2RGB), np.uint8)


def _name(value: object) -> str:
    return str(getattr(value, "name", value))
