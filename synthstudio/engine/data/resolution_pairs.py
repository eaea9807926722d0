"""Pairs of patches for super-resolution: from a guide set or the train split, held-out ones apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.guide_crops import guide_window
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.core.synthesis.streams import open_stream
from synthstudio.core.training.resolution_pairs import (
    PAIR_LOOKS,
    PAIR_ORDER,
    Picture,
    draw_windows,
    make_small,
    spread_windows,
)
from synthstudio.core.training.splits import carve_validation
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import CropSquare, FieldOfView, Split
from synthstudio.engine.data.batches import Batch, StepBatches
from synthstudio.engine.data.crops import open_pixel_file
from synthstudio.engine.data.fields import open_fov
from synthstudio.project import Project
from synthstudio.project.guide_material import GuideCrop, list_guide_material
from synthstudio.settings.train_upscaler import PairSettings, TrainUpscalerSettings

MOST_JUDGED = 64
"""Held-out patches that figures are taken on, at most."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What an upscaler learns from and is judged on.

    Attributes:
        training, held_out: Each has at least one picture that holds a large patch.
        subject: What the guide images show, as their captions say it; empty for the train split.
        notes: What the user should know.
    """

    training: tuple[Picture, ...]
    held_out: tuple[Picture, ...]
    subject: str = ""
    notes: tuple[str, ...] = ()


def list_pictures(project: Project, settings: TrainUpscalerSettings) -> Pictures:
    """Choose the pictures of a training.

    Raises:
        NotFound: There is no such guide set.
        UserError: It holds images of the test split, or there are too few images, or too small ones.
    """
    found = _of_guides(project, settings) if settings.guides else _of_split(project, settings)
    return _large_enough(found, side=settings.large_side)


def _of_split(project: Project, settings: TrainUpscalerSettings) -> Pictures:
    train, validation = project.fovs.list(split=Split.TRAIN), project.fovs.list(split=Split.VAL)
    if not train:
        raise UserError(
            "No image is in the train split.", "Put some samples into it, or train on a guide set: --guides NAME."
        )
    if not validation:
        train, validation = carve_validation(train, share=settings.validation_share, seed=settings.seed)
    return Pictures(tuple(map(_whole, train)), tuple(map(_whole, validation)))


def _of_guides(project: Project, settings: TrainUpscalerSettings) -> Pictures:
    material = list_guide_material(project, settings.guides)
    training, held_out = list(material.training), list(material.held_out)
    if not held_out:
        fovs = list({each.fov.id: each.fov for each in training}.values())
        _, validation = carve_validation(fovs, share=settings.validation_share, seed=settings.seed)
        apart = {fov.id for fov in validation}
        held_out = [each for each in training if each.fov.id in apart]
        training = [each for each in training if each.fov.id not in apart]
    return Pictures(tuple(map(_guide, training)), tuple(map(_guide, held_out)), material.guide_set.subject)


def _whole(fov: FieldOfView) -> Picture:
    return Picture(fov, (0, 0, fov.width, fov.height))


def _guide(crop: GuideCrop) -> Picture:
    square = guide_window(crop.fov, crop.guide.box)
    return Picture(crop.fov, (square.x, square.y, square.x + square.side, square.y + square.side))


def _large_enough(found: Pictures, *, side: int) -> Pictures:
    parts: dict[str, tuple[Picture, ...]] = {}
    n_small = 0
    for name, pictures in (("training", found.training), ("held-out", found.held_out)):
        parts[name] = tuple(each for each in pictures if min(each.size) >= side)
        n_small += len(pictures) - len(parts[name])
        if not parts[name]:
            largest = max(min(each.size) for each in pictures)
            raise UserError(
                f"The {name} images are too small for patches of {side} px: the largest has a side of {largest} px.",
                "Choose smaller patches or less enlargement, or import the images in full resolution.",
            )
    notes = (f"Left out, because they are smaller than a patch of {side} px: {n_small} images.",) if n_small else ()
    return replace(found, training=parts["training"], held_out=parts["held-out"], notes=notes)


@dataclass(frozen=True, slots=True)
class PatchStore:
    """Large patches of a training in a file that is mapped: `(N, S, S, 3)` uint8, and the FOV of each."""

    path: Path
    fov_ids: tuple[FovId, ...]

    def __len__(self) -> int:
        return len(self.fov_ids)

    def open_pixels(self) -> NDArray[np.uint8]:
        """Map the pixels read-only."""
        return np.asarray(np.load(self.path, mmap_mode="r"))


def build_patch_store(
    pictures: Sequence[Picture], settings: TrainUpscalerSettings, path: Path, *, tick: Tick = no_tick
) -> PatchStore:
    """Cut the training patches into a file.

    Raises:
        UserError: An image cannot be read, or the file cannot be written.
    """
    side, seed = settings.large_side, settings.seed
    windows = [
        (picture.fov, draw_windows(picture, side=side, count=settings.pairs.per_image, seed=seed))
        for picture in pictures
    ]
    fov_ids = tuple(fov.id for fov, squares in windows for _ in squares)
    pixels = open_pixel_file(path, (len(fov_ids), side, side, 3))
    number = 0
    for done, (fov, squares) in enumerate(windows):
        tick(done, len(windows))
        for patch in _cut(fov, squares):
            pixels[number] = patch
            number += 1
    pixels.flush()
    tick(len(windows), len(windows))
    return PatchStore(path, fov_ids)


def _cut(fov: FieldOfView, squares: Sequence[CropSquare]) -> Iterator[ImageArray]:
    if squares:
        image = open_fov(fov)
        for each in squares:
            yield cut_square(image, each, side=each.side, name=fov.name)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPairs:
    """Held-out pairs: `(N, s, s, 3)` and `(N, S, S, 3)` uint8, and the sample of each."""

    small: NDArray[np.uint8]
    large: NDArray[np.uint8]
    sample_ids: tuple[int, ...]


def read_held_out(
    pictures: Sequence[Picture], settings: TrainUpscalerSettings, *, most: int = MOST_JUDGED, tick: Tick = no_tick
) -> HeldOutPairs:
    """Cut the held-out pairs, as many of each picture as there can be; the small ones are as the settings spoil them.

    Raises:
        UserError: An image cannot be read.
    """
    chosen = pictures[:: max(1, -(-len(pictures) // most))]
    each_gives = max(1, most // len(chosen))
    large: list[ImageArray] = []
    small: list[ImageArray] = []
    samples: list[int] = []
    for done, picture in enumerate(chosen):
        tick(done, len(chosen))
        squares = spread_windows(picture, side=settings.large_side, count=each_gives)
        for patch in _cut(picture.fov, squares):
            rng = open_stream(settings.seed, PAIR_LOOKS, (1 << 40) + len(large))  # no step of a training
            large.append(patch)
            small.append(make_small(patch, settings.times, settings.pairs, rng))
            samples.append(int(picture.fov.sample_id))
    return HeldOutPairs(np.stack(small), np.stack(large), tuple(samples))


class PairBatches(StepBatches):
    """Small and large patches, `(N, s, s, 3)` and `(N, S, S, 3)` uint8: each patch once per pass, in a new order.

    Args:
        store: Has at least one patch.
        factor: How many times larger the large ones are.
        settings: What is done to the small ones.
        seed: Of order, turns and looks.
        batch_size: Pairs per step.
    """

    def __init__(self, store: PatchStore, *, factor: int, settings: PairSettings, seed: int, batch_size: int) -> None:
        super().__init__(batch_size)
        self._store, self._factor, self._settings, self._seed = store, factor, settings, seed
        self._pixels: NDArray[np.uint8] | None = None

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        if self._pixels is None:
            self._pixels = self._store.open_pixels()
        small, large = [], []
        for row, number in zip(rows, self._choose(numbers), strict=True):
            rng = open_stream(self._seed, PAIR_LOOKS, step * self.batch_size + row)
            turned = np.rot90(self._pixels[number], int(rng.integers(4)))
            patch = np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)
            large.append(patch)
            small.append(make_small(patch, self._factor, self._settings, rng))
        return torch.from_numpy(np.stack(small)), torch.from_numpy(np.stack(large))

    def _choose(self, numbers: Sequence[int]) -> list[int]:
        """Which patches stand at these places of the endless row of passes."""
        count = len(self._store)
        turns = {each // count for each in numbers}
        drawn = {turn: open_stream(self._seed, PAIR_ORDER, turn).permutation(count) for turn in turns}
        return [int(drawn[each // count][each % count]) for each in numbers]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_pixels": None}
