"""Writes the large images that bench_viewer.py opens: noise-free cells on a slope, tile by tile in little memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from synthstudio.core.imaging import open_image_source, read_shrunken

SIDE, TILE = 20_000, 512
SPARSE_SIDE, SPARSE_TILE = 60_000, 1024
PYRAMID_FACTORS = (2, 4, 8, 16, 32)


def write_png(path: Path, *, seed: int) -> None:
    """Write a 4072 x 3072 RGB image with grain, so that it does not compress to nothing."""
    grain = np.random.default_rng(seed).integers(0, 24, (3072, 4072, 3), dtype=np.uint8)
    slope = np.linspace(170, 225, 4072).astype(np.uint8)[None, :, None]
    cv2.imwrite(str(path), slope + grain)


def _cells() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    base = cv2.GaussianBlur(rng.integers(150, 230, (1024, 1024, 3), dtype=np.uint8), (0, 0), 3)
    for _ in range(60):
        x, y, radius = rng.integers(0, 1024), rng.integers(0, 1024), rng.integers(8, 30)
        cv2.circle(base, (int(x), int(y)), int(radius), [int(each) for each in rng.integers(0, 255, 3)], -1)
    return np.asarray(base, np.uint8)


def write_flat(path: Path) -> None:
    """Write a 20000 x 20000 RGB BigTIFF in tiles, without smaller copies."""
    base, per_side = _cells(), -(-SIDE // TILE)

    def tiles() -> Iterator[NDArray[np.uint8]]:
        for row in range(per_side):
            for column in range(per_side):
                yield np.ascontiguousarray(np.roll(base, (row * 37, column * 53), (0, 1))[:TILE, :TILE])

    options = {"tile": (TILE, TILE), "photometric": "rgb", "bigtiff": True}
    tifffile.imwrite(path, tiles(), shape=(SIDE, SIDE, 3), dtype=np.uint8, **options)


def write_pyramid(path: Path, flat: Path) -> None:
    """Write the same with smaller copies in SubIFDs, as slide scanners do."""
    source = open_image_source(flat)

    def tiles(factor: int) -> Iterator[NDArray[np.uint8]]:
        side = SIDE // factor
        for y in range(0, side, TILE):
            for x in range(0, side, TILE):
                tile = np.zeros((TILE, TILE, 3), np.uint8)
                x1, y1 = min(x + TILE, side), min(y + TILE, side)
                box = (x * factor, y * factor, x1 * factor, y1 * factor)
                tile[: y1 - y, : x1 - x] = read_shrunken(source, box, (x1 - x, y1 - y))
                yield tile

    options = {"tile": (TILE, TILE), "photometric": "rgb", "compression": "jpeg", "dtype": np.uint8}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(tiles(1), shape=(SIDE, SIDE, 3), subifds=len(PYRAMID_FACTORS), **options)
        for factor in PYRAMID_FACTORS:
            writer.write(tiles(factor), shape=(SIDE // factor, SIDE // factor, 3), subfiletype=1, **options)


def write_sparse(path: Path) -> None:
    """Write a 60000 x 60000 RGB BigTIFF of a few MB: the same two tiles over and over."""
    plain = np.full((SPARSE_TILE, SPARSE_TILE, 3), 180, np.uint8)
    marked = plain.copy()
    marked[200:400, 300:600] = (90, 20, 60)
    packed = [zlib.compress(each.tobytes()) for each in (marked, plain)]
    n_tiles = (-(-SPARSE_SIDE // SPARSE_TILE)) ** 2
    options = {"tile": (SPARSE_TILE, SPARSE_TILE), "photometric": "rgb", "compression": "zlib", "bigtiff": True}
    tiles = (packed[min(number % 7, 1)] for number in range(n_tiles))
    tifffile.imwrite(path, tiles, shape=(SPARSE_SIDE, SPARSE_SIDE, 3), dtype=np.uint8, **options)
