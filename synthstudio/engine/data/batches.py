"""Training batches by step number: the same whatever the number of loader processes, and after a resume.

A data set item is a whole uint8 batch: handing over single float samples is three times slower.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
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
from synthstudio.core.training.class_weights import draw_pass, sampling_weights
from synthstudio.domain.errors import UserError
from synthstudio.engine.data.crops import CropStore
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation

Batch = tuple[Tensor, Tensor]
"""Images `(N, S, S, 3)` uint8 and presence `(N, C)` float32."""

ORDER, LOOKS = 101, 102
"""Purposes of random streams, apart from those of the compositing."""


class StepBatches(Dataset[Batch], ABC):
    """Batches of `batch_size` images, of which any part can be made alone."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    @override
    def __getitem__(self, step: int) -> Batch:
        return self.part(step, range(self.batch_size))

    def part(self, step: int, rows: Sequence[int]) -> Batch:
        """Make these rows of the batch of a step."""
        return self.make(step, rows, [step * self.batch_size + row for row in rows])

    @abstractmethod
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        """Make images.

        Args:
            step: Of the training.
            rows: Where they stand in its batch.
            numbers: Which ones of the source, counted over the whole training. Those of one step ascend.
        """


class CompositeBatches(StepBatches):
    """Batch `step` holds the composites `step * N .. (step + 1) * N`."""

    def __init__(
        self, bank: PatchBank, settings: CompositionSettings, *, seed: int, batch_size: int, scratch: Path
    ) -> None:
        super().__init__(batch_size)
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
        self._composer: Composer | None = None

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        if self._composer is None:
            bank = dataclasses.replace(self._bank, pixels=np.load(self._pixels, mmap_mode="r"))
            self._composer = Composer(bank, self._settings, seed=self._seed)
        images, presence = self._composer.compose_batch(numbers)
        return torch.from_numpy(images), torch.from_numpy(presence.astype(np.float32))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_composer": None}


class CropBatches(StepBatches):
    """Crops of real FOVs, each once per pass in a new order, augmented like the composites and turned by quarters.

    Args:
        is_balanced: Those with rare classes more often than once in as long a pass, others less often.
    """

    def __init__(
        self,
        store: CropStore,
        settings: ImageAugmentation,
        *,
        side: int,
        seed: int,
        batch_size: int,
        is_balanced: bool = False,
    ) -> None:
        super().__init__(batch_size)
        self._store = store
        self._is_balanced = is_balanced
        self._settings = settings
        self._side = side
        self._seed = seed
        self._pixels: NDArray[np.uint8] | None = None
        self._augmenter: ImageAugmenter | None = None

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        if self._pixels is None or self._augmenter is None:
            self._pixels = self._store.open_pixels()
            self._augmenter = ImageAugmenter(self._settings, size=(self._side, self._side), seed=self._seed)
        chosen = self.choose(numbers)
        images = np.empty((len(rows), self._side, self._side, 3), np.uint8)
        stream = self._stream(LOOKS, step)
        # Drawn for the whole batch, so that a part of it looks as it does within the whole.
        looks: list[list[float]] = stream.random((self.batch_size, N_FIRST_NUMBERS + 1))[list(rows)].tolist()
        further: list[list[float]] = stream.random((self.batch_size, N_FURTHER_NUMBERS))[list(rows)].tolist()
        for image, crop, look, more in zip(images, chosen, looks, further, strict=True):
            turned = np.rot90(self._pixels[crop], int(look[-1] * 4)) if self._settings.flip else self._pixels[crop]
            image[:] = turned[:, ::-1] if self._settings.flip and look[-2] < 0.5 else turned
            self._augmenter.augment(image, (*look[:N_FIRST_NUMBERS], *more))
        return torch.from_numpy(images), torch.from_numpy(self._store.presence[chosen].astype(np.float32))

    @property
    def presence(self) -> NDArray[np.bool_]:
        """Presence on all crops, `(M, C)`."""
        return self._store.presence

    def choose(self, numbers: Sequence[int]) -> list[int]:
        """Which crops stand at these places of the endless row of passes."""
        count = len(self._store)
        drawn = {turn: self._pass(turn) for turn in {each // count for each in numbers}}
        return [int(drawn[each // count][each % count]) for each in numbers]

    def _pass(self, turn: int) -> NDArray[np.int64]:
        """Numbers of the crops in the order of a pass."""
        stream = self._stream(ORDER, turn)
        if not self._is_balanced:
            return stream.permutation(len(self._store))
        return draw_pass(sampling_weights(self.presence), rng=stream)

    def _stream(self, purpose: int, index: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=(purpose << 64) | self._seed, counter=index << 128))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_pixels": None, "_augmenter": None}


class MixBatches(StepBatches):
    """Real and synthetic images side by side, in every stretch of the training as many real ones as their share says.

    Image `n` is real where the share of `n + 1` images reaches the next whole number. So no random number decides,
    and each source gives its images in their order: every real crop once per pass, as when it is trained on alone.
    """

    def __init__(self, synthetic: StepBatches, real: StepBatches, *, real_share: float) -> None:
        super().__init__(synthetic.batch_size)
        self._synthetic = synthetic
        self._real = real
        self._share = real_share

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        n_real = [math.floor(number * self._share) for number in numbers]  # among the images before
        is_real = [
            math.floor((number + 1) * self._share) > before for number, before in zip(numbers, n_real, strict=True)
        ]
        parts = []
        for source, wanted in ((self._real, True), (self._synthetic, False)):
            places = [place for place, real in enumerate(is_real) if real is wanted]
            if places:
                own = [n_real[each] if wanted else numbers[each] - n_real[each] for each in places]
                parts.append((places, source.make(step, [rows[each] for each in places], own)))
        images = torch.empty((len(rows), *parts[0][1][0].shape[1:]), dtype=torch.uint8)
        labels = torch.empty((len(rows), *parts[0][1][1].shape[1:]))
        for places, (made, answers) in parts:
            images[places], labels[places] = made, answers
        return images, labels


def _start_worker(_: int) -> None:
    cv2.setNumThreads(1)


class _Part(Dataset[Batch]):
    """Some rows of every batch."""

    def __init__(self, batches: Dataset[Batch], rows: range) -> None:
        self._batches = batches
        self._rows = rows

    @override
    def __getitem__(self, step: int) -> Batch:
        if isinstance(self._batches, StepBatches):
            return self._batches.part(step, self._rows)
        images, labels = self._batches[step]
        return images[self._rows.start : self._rows.stop], labels[self._rows.start : self._rows.stop]


def iter_batches(
    batches: Dataset[Batch], *, start: int, stop: int, workers: int, rows: range | None = None
) -> Iterator[Batch]:
    """Yield the batches of the steps `start .. stop`, made by this process or by `workers` others.

    Args:
        batches: Gives the batch of each step.
        start, stop: First and end step.
        workers: Processes that make them.
        rows: The part of each batch that is wanted; all of it otherwise.

    Raises:
        UserError: A worker process died.
    """
    loader = DataLoader(
        batches if rows is None else _Part(batches, rows),
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
