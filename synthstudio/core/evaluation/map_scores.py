"""Where the class activation maps lay on each crop, kept beside the scores, so that two runs can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import check_shapes, read_arrays, write_arrays
from synthstudio.core.stats import FloatArray

MAP_SCORES_NAME = "map-scores.npz"


@dataclass(frozen=True, slots=True, eq=False)
class CropMapScores:
    """One row for each class on each crop that holds it, class by class, FOV by FOV, crops row by row.

    Attributes:
        class_names: `C` names.
        columns: `(K,)` class of each row.
        fov_ids, sample_ids: `(K,)`.
        hits: `(K,)` whether the hottest point lies on an object of the class.
        energies: `(K,)` share of the map's positive mass on objects, 0-1; NaN for a map without any.
    """

    class_names: tuple[str, ...]
    columns: NDArray[np.int64]
    fov_ids: NDArray[np.int64]
    sample_ids: NDArray[np.int64]
    hits: NDArray[np.bool_]
    energies: FloatArray

    def __post_init__(self) -> None:
        n = len(self.columns)
        check_shapes(self, dict.fromkeys(("fov_ids", "sample_ids", "hits", "energies"), (n,)))
        if n and not 0 <= self.columns.min() <= self.columns.max() < len(self.class_names):
            raise ValueError("columns name classes that are not there")

    def of_class(self, name: str) -> NDArray[np.int64]:
        """Rows of a class, by FOV, in the order of its crops."""
        rows = np.flatnonzero(self.columns == self.class_names.index(name))
        return rows[np.argsort(self.fov_ids[rows], kind="stable")]


@dataclass(frozen=True, slots=True)
class MapRow:
    """One class on one crop, as it is collected; `energy` is None for a map without positive mass."""

    column: int
    fov_id: int
    sample_id: int
    hit: bool
    energy: float | None


def collect_map_scores(class_names: Sequence[str], rows: Sequence[MapRow]) -> CropMapScores:
    """Put rows in one record, in their order."""
    return CropMapScores(
        class_names=tuple(class_names),
        columns=np.array([row.column for row in rows], np.int64),
        fov_ids=np.array([row.fov_id for row in rows], np.int64),
        sample_ids=np.array([row.sample_id for row in rows], np.int64),
        hits=np.array([row.hit for row in rows], np.bool_),
        energies=np.array([np.nan if row.energy is None else row.energy for row in rows], np.float64),
    )


def write_map_scores(path: Path, scores: CropMapScores) -> None:
    """Write map scores whole or not at all. Raises UserError where that fails."""
    write_arrays(
        path,
        {
            "class_names": np.array(scores.class_names, np.str_),
            "columns": scores.columns,
            "fov_ids": scores.fov_ids,
            "sample_ids": scores.sample_ids,
            "hits": scores.hits,
            "energies": scores.energies,
        },
    )


def read_map_scores(path: Path) -> CropMapScores:
    """Read what `write_map_scores` wrote. Raises UserError where it is missing, damaged or of another version."""
    return read_arrays(
        path,
        lambda arrays: CropMapScores(
            class_names=tuple(str(name) for name in arrays["class_names"]),
            columns=np.asarray(arrays["columns"], np.int64),
            fov_ids=np.asarray(arrays["fov_ids"], np.int64),
            sample_ids=np.asarray(arrays["sample_ids"], np.int64),
            hits=np.asarray(arrays["hits"], np.bool_),
            energies=np.asarray(arrays["energies"], np.float64),
        ),
    )
