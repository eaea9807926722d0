"""A map of pictures as a file of a run: which picture lies where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import AnyArray, read_arrays, write_arrays
from synthstudio.core.evaluation.feature_store import KEY_BYTES, Key

MAP_NAME = "map.npz"
LayoutMethod = Literal["t-sne", "pca"]
Positions = NDArray[np.float32]
"""`(N, 2)`, -1 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureMap:
    """Where pictures lie.

    Attributes:
        keys: Of N pictures, each once.
        positions: `(N, 2)`.
    """

    keys: tuple[Key, ...]
    positions: Positions

    def place(self, keys: Sequence[Key]) -> Positions:
        """Where pictures lie, `(M, 2)`; nan for one that is not on the map."""
        rows = {key: row for row, key in enumerate(self.keys)}
        found = np.fromiter((rows.get(key, -1) for key in keys), np.int64, len(keys))
        placed = np.full((len(found), 2), np.nan, np.float32)
        placed[found >= 0] = self.positions[found[found >= 0]]
        return placed


NO_MAP = PictureMap((), np.zeros((0, 2), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """The map of the images, and that of the objects on them."""

    images: PictureMap = NO_MAP
    objects: PictureMap = NO_MAP


def write_maps(folder: Path, maps: FeatureMaps) -> None:
    """Write the maps into a run's folder. Raises UserError where that fails."""
    arrays: dict[str, AnyArray] = {}
    for name, each in (("image", maps.images), ("object", maps.objects)):
        arrays[f"{name}_keys"] = np.array(list(each.keys), f"S{2 * KEY_BYTES}")
        arrays[f"{name}_positions"] = each.positions
    write_arrays(folder / MAP_NAME, arrays)


def read_maps(folder: Path) -> FeatureMaps:
    """Read the maps of a run. Raises UserError where they are missing or damaged."""
    return read_arrays(folder / MAP_NAME, _from_arrays)


def _from_arrays(arrays: Mapping[str, AnyArray]) -> FeatureMaps:
    return FeatureMaps(_one(arrays, "image"), _one(arrays, "object"))


def _one(arrays: Mapping[str, AnyArray], name: str) -> PictureMap:
    """Raises KeyError or ValueError where something is amiss."""
    keys, positions = arrays[f"{name}_keys"], np.asarray(arrays[f"{name}_positions"], np.float32)
    if positions.shape != (len(keys), 2):
        raise ValueError("keys and positions differ in number")
    return PictureMap(tuple(keys.tolist()), positions)
