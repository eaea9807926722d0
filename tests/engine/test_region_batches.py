"""Batches of maps and crops: they belong together, and depend on their number alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthstudio.core.synthesis.semantic_maps import MapCoding, region_mask
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.engine.data.batches import iter_batches
from synthstudio.engine.data.region_batches import (
    RegionBatches,
    RegionStore,
    build_region_store,
    from_network,
    to_network,
)

SIDE = 16
CODING = MapCoding(("common", "rare"), 2, has_unknown=False)
N_CROPS = 12


@dataclass(frozen=True)
class DrawnCrop:
    image: NDArray[np.uint8]
    request: MapRequest


def crop(number: int) -> DrawnCrop:
    """White where its region is, dark elsewhere; its number is the level of blue."""
    box = Box(1 + number % 4, 2, 6 + number % 4, 9)
    request = MapRequest(SIDE, 1 + number % 2, (MapRegion("rare" if number == 0 else "common", box),))
    image = np.full((SIDE, SIDE, 3), 20, np.uint8)
    image[region_mask(request)] = 200
    image[..., 2] = number
    return DrawnCrop(image, request)


def store(folder: Path, n_crops: int = N_CROPS) -> RegionStore:
    return build_region_store(map(crop, range(n_crops)), folder / "crops.npy", n_crops=n_crops, side=SIDE)


def batches(made: RegionStore, *, batch_size: int = 5, flips: bool = True, is_balanced: bool = False) -> RegionBatches:
    return RegionBatches(made, CODING, seed=3, batch_size=batch_size, flips=flips, is_balanced=is_balanced)


def numbers_shown(made: RegionBatches, steps: int) -> list[int]:
    return [number for step in range(steps) for number in made[step][1][:, 0, 0, 2].tolist()]


def test_that_a_map_and_its_crop_are_mirrored_together(tmp_path: Path) -> None:
    made, n_mirrored = batches(store(tmp_path)), 0
    for step in range(10):
        for drawn, image in zip(*(each.numpy() for each in made[step]), strict=True):
            assert np.array_equal(drawn[..., 1:].any(axis=2), image[..., 0] == 200)
            n_mirrored += not np.array_equal(image[..., 0], crop(int(image[0, 0, 2])).image[..., 0])
    assert 10 <= n_mirrored <= 40
    still = batches(store(tmp_path), flips=False)
    for image in still[0][1].numpy():
        assert np.array_equal(image, crop(int(image[0, 0, 2])).image)


def test_that_batches_depend_on_their_number_alone_and_parts_are_those_of_the_whole(tmp_path: Path) -> None:
    made = store(tmp_path)
    whole = [batches(made)[step] for step in range(7)]
    late = list(iter_batches(batches(made), start=4, stop=7, workers=0))
    for found, expected in zip(late, whole[4:], strict=True):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    part = batches(made).part(5, range(2, 4))
    assert all(torch.equal(one, other[2:4]) for one, other in zip(part, whole[5], strict=True))


def test_that_every_crop_comes_once_in_a_pass(tmp_path: Path) -> None:
    shown = numbers_shown(batches(store(tmp_path), batch_size=N_CROPS), 3)
    passes = [shown[start : start + N_CROPS] for start in range(0, len(shown), N_CROPS)]
    assert [sorted(each) for each in passes] == [list(range(N_CROPS))] * 3
    assert passes[0] != passes[1]


def test_that_rare_conditions_come_more_often_where_that_is_wanted(tmp_path: Path) -> None:
    made = batches(store(tmp_path), batch_size=N_CROPS, is_balanced=True)
    counts = Counter(numbers_shown(made, 20))
    assert counts[0] > 5 * max(counts[number] for number in range(1, N_CROPS))
    assert set(counts) == set(range(N_CROPS))


def test_that_pixels_survive_the_way_through_a_network() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3).contiguous()
    tensors = to_network(pixels, torch.device("cpu"))
    assert tensors.shape == (1, 3, 16, 16)
    assert (float(tensors.min()), float(tensors.max())) == (-1.0, 1.0)
    assert tensors.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(from_network(tensors), pixels.numpy())
