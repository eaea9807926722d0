"""Training batches by step number: the same whatever the number of loader processes, and after a resume.

A data set item is a whole uint8 batch: handing over single float samples is three times slower.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override

from synthstudio.core.imaging import save_array, translate_os_error
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.augmentation import N_FIRST_NUMBERS, N_FURTHER_NUMBERS, ImageAugmenter
from synthstudio.core.synthesis.composer import Composer
from synthstudio.domain.errors import UserError
from synthstudio.engine.data.crops import CropStore
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation

Batch = tuple[Tensor, Tensor]
"""Images `(N, S, S, 3)` uint8 and presence `(N, C)` float32."""

ORDER, LOOKS = 101, 102
"""Purposes of random streams, apart from those of the compositing."""


class CompositeBatches(Dataset[Batch]):
    """Batch `step` holds the composites `step * N .. (step + 1) * N`."""

    def __init__(
        self, bank: PatchBank, settings: CompositionSettings, *, seed: int, batch_size: int, scratch: Path
    ) -> None:
        self._pixels = scratch / "patches.npy"
        try:
            scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, scratch) from error
        save_array(self._pixels, bank.pixels)
        # The pixels go through the file: every process maps them, none copies them.
        self._bank = dataclasses.replace(bank, pixels=np.empty(0, np.uint8))
        self._settings = settings
        self._seed = seed
        self._batch_size = batch_size
        self._composer: Composer | None = None

    @override
    def __getitem__(self, step: int) -> Batch:
        if self._composer is None:
            bank = dataclasses.replace(self._bank, pixels=np.load(self._pixels, mmap_mode="r"))
            self._composer = Composer(bank, self._settings, seed=self._seed)
        first = step * self._batch_size
        images, presence = self._composer.compose_batch(range(first, first + self._batch_size))
        return torch.from_numpy(images), torch.from_numpy(presence.astype(np.float32))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_composer": None}


class CropBatches(Dataset[Batch]):
    """Crops of real FOVs, each once per pass in a new order, augmented like the composites and turned by quarters."""

    def __init__(self, store: CropStore, settings: ImageAugmentation, *, side: int, seed: int, batch_size: int) -> None:
        self._store = store
        self._settings = settings
        self._side = side
        self._seed = seed
        self._batch_size = batch_size
        self._pixels: NDArray[np.uint8] | None = None
        self._augmenter: ImageAugmenter | None = None

    @override
    def __getitem__(self, step: int) -> Batch:
        if self._pixels is None or self._augmenter is None:
            self._pixels = self._store.open_pixels()
            self._augmenter = ImageAugmenter(self._settings, size=(self._side, self._side), seed=self._seed)
        rows = self._rows(step)
        images = np.empty((len(rows), self._side, self._side, 3), np.uint8)
        stream = self._stream(LOOKS, step)
        numbers: list[list[float]] = stream.random((len(rows), N_FIRST_NUMBERS + 1)).tolist()
        further: list[list[float]] = stream.random((len(rows), N_FURTHER_NUMBERS)).tolist()
        for image, row, chosen, more in zip(images, rows, numbers, further, strict=True):
            turned = np.rot90(self._pixels[row], int(chosen[-1] * 4)) if self._settings.flip else self._pixels[row]
            image[:] = turned[:, ::-1] if self._settings.flip and chosen[-2] < 0.5 else turned
            self._augmenter.augment(image, (*chosen[:N_FIRST_NUMBERS], *more))
        return torch.from_numpy(images), torch.from_numpy(self._store.presence[rows].astype(np.float32))

    @property
    def presence(self) -> NDArray[np.bool_]:
        """Presence on all crops, `(M, C)`."""
        return self._store.presence

    def _rows(self, step: int) -> list[int]:
        first, count = step * self._batch_size, len(self._store)
        positions = range(first, first + self._batch_size)
        turns = {number // count for number in positions}
        drawn = {turn: self._stream(ORDER, turn).permutation(count) for turn in turns}
        return [int(drawn[number // count][number % count]) for number in positions]

    def _stream(self, purpose: int, index: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=(purpose << 64) | self._seed, counter=index << 128))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_pixels": None, "_augmenter": None}


def _start_worker(_: int) -> None:
    cv2.setNumThreads(1)


def iter_batches(batches: Dataset[Batch], *, start: int, stop: int, workers: int) -> Iterator[Batch]:
    """Yield the batches of the steps `start .. stop`, made by this process or by `workers` others.

    Raises:
        UserError: A worker process died.
    """
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(start, stop),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        # Spawned, never forked: the engine has threads of its own.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_start_worker,
        generator=torch.Generator().manual_seed(0),
    )
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            "A process that makes training images died, probably for lack of memory.",
            "Use fewer loader processes or less memory for patches; the training can be resumed.",
        ) from error


@dataclasses.dataclass(frozen=True, slots=True)
class Normalization:
    """Mean and spread of the training images per channel, in grey levels 0-255."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def measure(cls, images: Tensor) -> Normalization:
        """Measure on images `(N, H, W, 3)` uint8; a flat channel gets a spread of 1."""
        values = images.reshape(-1, 3).double()
        red, green, blue = values.mean(dim=0).tolist()
        # One spread for all channels: it keeps the hue that stains are told apart by.
        spread = max(1.0, float(values.std(dim=0).mean()))
        return cls((red, green, blue), (spread, spread, spread))

    def apply(self, images: Tensor, device: torch.device) -> Tensor:
        """Turn images `(N, H, W, 3)` uint8 into `(N, 3, H, W)` float32 on the device, channels last in memory."""
        mean = torch.tensor(self.mean, device=device)
        std = torch.tensor(self.std, device=device)
        return ((images.to(device, non_blocking=True).float() - mean) / std).permute(0, 3, 1, 2)
