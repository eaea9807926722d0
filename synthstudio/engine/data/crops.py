"""Sequential crops of many FOVs, kept in a file that any number of loader processes can map."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from synthstudio.core.imaging import translate_os_error
from synthstudio.core.training.crops import (
    JudgedCrops,
    crop_presence,
    crop_square,
    cut_crop,
    overrule,
    plan_crops,
)
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.fields import MarkedReader

PixelFile = np.memmap[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class CropStore:
    """Crops of real FOVs.

    Attributes:
        path: File of the pixels, `(N, side, side, 3)` uint8.
        presence: `(N, C)` bool.
        groups: `(N,)` sample id of each crop.
        fov_ids: `(N,)` FOV id of each crop.
    """

    path: Path
    presence: NDArray[np.bool_]
    groups: NDArray[np.int64]
    fov_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.presence)

    def open_pixels(self) -> NDArray[np.uint8]:
        """Map the pixels read-only."""
        return np.asarray(np.load(self.path, mmap_mode="r")) if len(self) else np.empty((0, 1, 1, 3), np.uint8)


def build_crop_store(
    reader: MarkedReader,
    fovs: Sequence[FieldOfView],
    path: Path,
    *,
    side: int,
    n_classes: int,
    min_visible: float,
    by_people: bool = False,
    tick: Tick = no_tick,
) -> CropStore:
    """Cut FOVs sequentially and write the crops to a file.

    Args:
        by_people: Where a person has judged a crop as a whole, this counts, not the annotations; of an FOV without
            annotations only such crops are cut. Where the reader sees whole images, their labels always count.

    Raises:
        UserError: An image cannot be read, or the file cannot be written.
    """
    is_told = by_people or bool(reader.scale.whole_px)
    judged: list[JudgedCrops] = [reader.judged_crops(fov) if is_told else {} for fov in fovs]
    scales = [reader.scale.of(fov) for fov in fovs]
    places = [
        [
            place
            for place in plan_crops(max(side, round(fov.width * scale)), max(side, round(fov.height * scale)), side)
            if not by_people or reader.is_marked(fov) or crop_square(place, side=side, scale=scale) in known
        ]
        for fov, known, scale in zip(fovs, judged, scales, strict=True)
    ]
    n_crops = sum(len(each) for each in places)
    presence = np.zeros((n_crops, n_classes), np.bool_)
    groups, fov_ids = np.zeros(n_crops, np.int64), np.zeros(n_crops, np.int64)
    pixels = open_pixel_file(path, (n_crops, side, side, 3))
    start = 0
    for done, (fov, each, known, scale) in enumerate(zip(fovs, places, judged, scales, strict=True)):
        tick(done, len(fovs))
        if not each:
            continue
        marked = reader.read(fov)
        rows = slice(start, start + len(each))
        for row, place in enumerate(each, start):
            pixels[row] = cut_crop(marked.image, place, side)
        by_marks = crop_presence(marked, each, side=side, n_classes=n_classes, min_visible=min_visible)
        presence[rows] = overrule(by_marks, [crop_square(place, side=side, scale=scale) for place in each], known)
        groups[rows], fov_ids[rows] = marked.group, marked.fov_id
        start += len(each)
    pixels.flush()
    tick(len(fovs), max(1, len(fovs)))
    return CropStore(path, presence, groups, fov_ids)


def open_pixel_file(path: Path, shape: tuple[int, int, int, int]) -> PixelFile:
    """Make a file of uint8 pixels and map it for writing; where no image is to come, it has room for one.

    Raises:
        UserError: The disk is full, or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = open_memmap(path, mode="w+", dtype=np.uint8, shape=(max(1, shape[0]), *shape[1:]))
        _claim_space(path)
    except OSError as error:
        raise translate_os_error(error, path) from error
    return pixels


def _claim_space(path: Path) -> None:
    """Take the disk space of a file that is about to be mapped: a page that finds no space kills the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
