"""Training images with boxes, by step number: composites, crops of real FOVs, or both.

The same whatever the number of loader processes, and after a resume.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.geometry import BoxArray
from synthstudio.core.imaging import save_array
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.augmentation import N_FIRST_NUMBERS, N_FURTHER_NUMBERS, ImageAugmenter
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.training.crops import MarkedImage, visible_objects
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.batches import Batch, StepBatches
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.settings.compose import CompositionSettings

MIX, PLACES = 103, 104
"""Purposes of random streams, apart from those of the compositing and the crops."""

NO_CLASS = -1.0  # fills up the boxes of images with fewer of them
Maker = Callable[[int, NDArray[np.uint8]], NDArray[np.float32]]
"""Fills an image `(S, S, 3)` by its number and returns its boxes `(M, 5)`: class, x0, y0, x1, y1 in px."""


@dataclass(frozen=True, slots=True)
class FieldStore:
    """Marked FOVs at the working scale in one file that processes map.

    Attributes:
        path: Flat uint8.
        shapes: Rows and columns of each FOV.
        offsets: Where each begins.
        extents, labels: Boxes `(M, 4)` in px and classes `(M,)` of each.
    """

    path: Path
    shapes: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    extents: tuple[BoxArray, ...]
    labels: tuple[NDArray[np.int64], ...]


def build_field_store(reader: MarkedReader, fovs: Sequence[FieldOfView], path: Path, *, tick: Tick) -> FieldStore:
    """Read FOVs one after the other into a file. Raises UserError where one cannot be read or the disk is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts: list[NDArray[np.uint8]] = []
    marks: list[MarkedImage] = []
    for done, marked in enumerate(reader.iter_read(fovs)):
        tick(done, len(fovs))
        parts.append(marked.image.reshape(-1))
        marks.append(dataclasses.replace(marked, image=np.empty((*marked.image.shape[:2], 0), np.uint8)))
    save_array(path, np.concatenate(parts))
    return FieldStore(
        path=path,
        shapes=tuple((each.image.shape[0], each.image.shape[1]) for each in marks),
        offsets=tuple(np.cumsum([0, *(len(part) for part in parts[:-1])]).tolist()),
        extents=tuple(each.extents for each in marks),
        labels=tuple(each.labels for each in marks),
    )


class DetectionBatches(StepBatches):
    """Batch `step` holds the images `step * N .. (step + 1) * N` and their boxes `(N, M, 5)`, filled up.

    Args:
        bank: Patches for composites, or stored images in place of them; None where all images are real.
        store: FOVs for real images; None where all are composites.
        real_share: How many images are real where there are both.
        settings: Size, augmentation, and how patches become an image.
        seed: Of everything.
        batch_size: Images per step.
        scratch: Folder for the file through which processes share the patches.
    """

    def __init__(
        self,
        bank: PatchBank | FieldStore | None,
        store: FieldStore | None,
        *,
        real_share: float,
        settings: CompositionSettings,
        seed: int,
        batch_size: int,
        scratch: Path,
    ) -> None:
        super().__init__(batch_size)
        if bank is None and store is None:
            raise UserError("There is nothing to train on.", "Annotate some training images.")
        self._patches = scratch / "patches.npy"
        if isinstance(bank, PatchBank):
            scratch.mkdir(parents=True, exist_ok=True)
            save_array(self._patches, bank.pixels)
            bank = dataclasses.replace(bank, pixels=np.empty(0, np.uint8))
        self._bank, self._store = bank, store
        self._real_share = 0.0 if store is None else 1.0 if bank is None else real_share
        self._settings, self._seed = settings, seed
        self._makers: tuple[Maker | None, Maker | None] | None = None

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        compose, crop = self._open()
        side = self._settings.canvas_px
        images = np.empty((len(rows), side, side, 3), np.uint8)
        marks: list[NDArray[np.float32]] = []
        for number, image in zip(numbers, images, strict=True):
            make = crop if _stream(self._seed, MIX, number).random() < self._real_share else compose
            assert make is not None  # the share is 0 or 1 where one of them is missing
            marks.append(make(number, image))
        filled = np.full((len(images), max(1, *(len(each) for each in marks)), 5), NO_CLASS, np.float32)
        for row, each in enumerate(marks):
            filled[row, : len(each)] = each
        return torch.from_numpy(images), torch.from_numpy(filled)

    def _open(self) -> tuple[Maker | None, Maker | None]:
        if self._makers is None:
            compose: Maker | None = None
            crop: Maker | None = None
            if isinstance(self._bank, FieldStore):
                compose = _CropImages(self._bank, self._settings, seed=self._seed)
            elif self._bank is not None:
                bank = dataclasses.replace(self._bank, pixels=np.load(self._patches, mmap_mode="r"))
                compose = _ComposeImages(Composer(bank, self._settings, seed=self._seed))
            if self._store is not None:
                crop = _CropImages(self._store, self._settings, seed=self._seed)
            self._makers = compose, crop
        return self._makers

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_makers": None}


class _ComposeImages:
    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._column = {item.id: number for number, item in enumerate(composer.label_classes)}

    def __call__(self, number: int, out: NDArray[np.uint8]) -> NDArray[np.float32]:
        composite = self._composer.compose(number, out)
        rows = [
            (self._column[item.class_id], item.box.x0, item.box.y0, item.box.x1, item.box.y1)
            for item in composite.objects
            if item.has_label
        ]
        return np.array(rows, np.float32).reshape(-1, 5)


class _CropImages:
    """Crops of real FOVs, turned and mirrored, augmented like the composites.

    Half of them lie at random places, half about an object of a class that is drawn with equal probability: a rare
    class would hardly be seen otherwise.
    """

    def __init__(self, store: FieldStore, settings: CompositionSettings, *, seed: int) -> None:
        self._store, self._settings, self._seed = store, settings, seed
        self._pixels: NDArray[np.uint8] = np.load(store.path, mmap_mode="r")
        self._augmenter = ImageAugmenter(settings.image, size=settings.size, seed=seed)
        areas = np.array([rows * columns for rows, columns in store.shapes], np.float64)
        self._upper = np.cumsum(areas / areas.sum())  # a large field gives more crops
        owners = np.concatenate([np.full(len(each), number) for number, each in enumerate(store.labels)])
        boxes, labels = np.concatenate(store.extents), np.concatenate(store.labels)
        self._objects = [
            (owners[labels == label], boxes[labels == label]) for label in np.unique(labels)
        ]  # field and box of each object, by class

    def __call__(self, number: int, out: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = self._settings.canvas_px
        stream = _stream(self._seed, PLACES, number)
        which, x, y, turn, mirror, aim, kind = stream.random(7).tolist()
        field, left, top = self._aim(which, x, y, kind) if aim < 0.5 and self._objects else self._place(which, x, y)
        rows, columns = self._store.shapes[field]
        offset = self._store.offsets[field]
        image = self._pixels[offset : offset + rows * columns * 3].reshape(rows, columns, 3)
        crop = image[top : top + side, left : left + side]
        boxes, labels = self._seen(field, left, top)
        if self._settings.image.flip:
            quarters, is_mirrored = int(turn * 4), mirror < 0.5
            crop, boxes = np.rot90(crop, quarters), turn_boxes(boxes, quarters, side=side)
            if is_mirrored:
                crop, boxes = crop[:, ::-1], mirror_boxes(boxes, side=side)
        out[:] = crop
        self._augmenter.augment(out, tuple(stream.random(N_FIRST_NUMBERS + N_FURTHER_NUMBERS).tolist()))
        return np.hstack([labels[:, None], boxes]).astype(np.float32)

    def _place(self, which: float, x: float, y: float) -> tuple[int, int, int]:
        """Field and corner of a crop anywhere, from uniform numbers."""
        side = self._settings.canvas_px
        field = min(int(np.searchsorted(self._upper, which, side="right")), len(self._upper) - 1)
        rows, columns = self._store.shapes[field]
        return field, int(x * (columns - side + 1)), int(y * (rows - side + 1))

    def _aim(self, which: float, x: float, y: float, kind: float) -> tuple[int, int, int]:
        """Field and corner of a crop that shows an object of a drawn class, from uniform numbers."""
        side = self._settings.canvas_px
        owners, boxes = self._objects[int(kind * len(self._objects))]
        number = int(which * len(owners))
        field, (x0, y0, x1, y1) = int(owners[number]), boxes[number].tolist()
        rows, columns = self._store.shapes[field]
        left, top = (x0 + x1) / 2 - x * side, (y0 + y1) / 2 - y * side
        return field, int(min(max(left, 0), columns - side)), int(min(max(top, 0), rows - side))

    def _seen(self, field: int, left: int, top: int) -> tuple[BoxArray, NDArray[np.int64]]:
        """Boxes within the crop, and classes, of the objects of which enough can be seen."""
        side, extents = self._settings.canvas_px, self._store.extents[field]
        is_seen = visible_objects(extents, [(left, top)], side=side, min_visible=self._settings.min_visible)[0]
        boxes = extents[is_seen] - np.array([left, top, left, top], np.float64)
        return np.clip(boxes, 0.0, float(side)), self._store.labels[field][is_seen]


def turn_boxes(boxes: BoxArray, quarters: int, *, side: int) -> BoxArray:
    """Turn boxes `(N, 4)` on a square image counter-clockwise by quarters, as `numpy.rot90` turns the image."""
    for _ in range(quarters % 4):
        boxes = np.stack([boxes[:, 1], side - boxes[:, 2], boxes[:, 3], side - boxes[:, 0]], axis=1)
    return boxes


def mirror_boxes(boxes: BoxArray, *, side: int) -> BoxArray:
    """Mirror boxes `(N, 4)` left-right on an image `side` px wide."""
    return np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], axis=1)


def _stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=(purpose << 64) | seed, counter=index << 128))
