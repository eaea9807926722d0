"""Batches of semantic maps and their real crops: the same for a step whatever came before, and after a resume."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.synthesis.streams import open_stream
from synthstudio.core.training.class_weights import draw_pass, sampling_weights
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.data.batches import LOOKS, ORDER, Batch, StepBatches
from synthstudio.engine.data.crops import open_pixel_file


class CutCrop(Protocol):
    """A crop around regions, with its pixels."""

    @property
    def image(self) -> ImageArray: ...
    @property
    def request(self) -> MapRequest: ...


@dataclass(frozen=True, slots=True)
class RegionStore:
    """Crops of a training, cut once.

    They lie in a file that is mapped, so that the system keeps in memory what there is room for: a crop takes
    3 bytes a px, 40 000 crops of 256 px 7.9 GB.

    Attributes:
        path: File of the pixels, `(N, S, S, 3)` uint8.
        requests: What each of them shows.
    """

    path: Path
    requests: tuple[MapRequest, ...]

    def __len__(self) -> int:
        return len(self.requests)

    def open_pixels(self) -> NDArray[np.uint8]:
        """Map the pixels read-only."""
        return np.asarray(np.load(self.path, mmap_mode="r"))

    def pixel_range(self) -> tuple[NDArray[np.float64], float]:
        """Mean of each channel, `(3,)`, of pixels from -1 to 1, and the root mean square of their distance from it."""
        pixels = self.open_pixels()
        mean = pixels.mean(axis=(0, 1, 2), dtype=np.float64)
        # Crop by crop: the whole as floats would be eight times as large as the file.
        square = np.mean([np.square(crop - mean).mean() for crop in pixels])
        return mean / 127.5 - 1.0, float(np.sqrt(square)) / 127.5

    def presence(self, class_names: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each condition is on each crop, `(N, C)`."""
        shown = [{region.class_name for region in each.regions} for each in self.requests]
        return np.array([[name in each for name in class_names] for each in shown], np.bool_).reshape(len(shown), -1)


def build_region_store(
    crops: Iterable[CutCrop], path: Path, *, n_crops: int, side: int, tick: Tick = no_tick
) -> RegionStore:
    """Write crops into a file.

    Args:
        crops: As many as `n_crops`, of `side` px; one at a time is in memory.

    Raises:
        UserError: An image cannot be read, or the file cannot be written.
    """
    pixels = open_pixel_file(path, (n_crops, side, side, 3))
    requests = []
    for number, each in enumerate(crops):
        tick(number, n_crops)
        pixels[number] = each.image
        requests.append(each.request)
    pixels.flush()
    tick(n_crops, max(1, n_crops))
    return RegionStore(path, tuple(requests))


class RegionBatches(StepBatches):
    """Maps and crops, `(N, S, S, 3)` uint8 both: each crop once per pass in a new order.

    Args:
        store: Has at least one crop.
        coding: Of the maps.
        seed: Of order and mirroring.
        batch_size: Crops per step.
        flips: Mirror a crop and its map left to right, half of the time.
        turns: Turn both by a number of quarters.
        is_balanced: Crops with rare conditions come more often than once in as long a pass, others less often.
    """

    def __init__(
        self,
        store: RegionStore,
        coding: MapCoding,
        *,
        seed: int,
        batch_size: int,
        flips: bool,
        is_balanced: bool,
        turns: bool = False,
    ) -> None:
        super().__init__(batch_size)
        self._pixels = store.open_pixels()
        self._requests = store.requests
        self._coding = coding
        self._seed = seed
        self._flips, self._turns = flips, turns
        weights = sampling_weights(store.presence(coding.class_names)) if is_balanced else np.ones(len(store))
        self._weights: NDArray[np.float64] = weights

    @override
    def make(self, step: int, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        # Drawn for the whole batch, so that a part of it is mirrored as it is within the whole.
        rng = open_stream(self._seed, LOOKS, step)
        is_mirrored = (rng.random(self.batch_size) < 0.5) & self._flips
        quarters = rng.integers(4, size=self.batch_size) * self._turns
        maps, images = [], []
        for row, crop in zip(rows, self.choose(numbers), strict=True):
            order = -1 if is_mirrored[row] else 1
            drawn, pixels = self._coding.draw(self._requests[crop]), self._pixels[crop]
            maps.append(np.rot90(drawn[:, ::order], int(quarters[row])))
            images.append(np.rot90(pixels[:, ::order], int(quarters[row])))
        return torch.from_numpy(np.stack(maps)), torch.from_numpy(np.stack(images))

    def choose(self, numbers: Sequence[int]) -> list[int]:
        """Which crops stand at these places of the endless row of passes."""
        count = len(self._requests)
        turns = {each // count for each in numbers}
        drawn = {turn: draw_pass(self._weights, rng=open_stream(self._seed, ORDER, turn)) for turn in turns}
        return [int(drawn[each // count][each % count]) for each in numbers]


def to_network(pixels: Tensor, device: torch.device) -> Tensor:
    """Turn `(N, S, S, 3)` uint8 into `(N, 3, S, S)` float32 in -1..1 on the device, channels last in memory."""
    return (pixels.to(device, non_blocking=True).float() / 127.5 - 1.0).permute(0, 3, 1, 2)


def from_network(images: Tensor) -> NDArray[np.uint8]:
    """Turn `(N, 3, S, S)` in -1..1 into `(N, S, S, 3)` uint8."""
    levels = ((images.detach().float() + 1.0) * 127.5).round().clamp(0, 255)
    return levels.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy()
