"""Where the class activation maps lay on each crop, kept beside the scores, so that two runs can be paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import check_shapes, read_arrays, write_arrays
from synthstudio.core.evaluation.confusion import PRESENT, Confusion
from synthstudio.core.stats import FloatArray
from synthstudio.domain.records import CropSquare

MAP_SCORES_NAME = "map-scores.npz"
ON_MARK, OFF_MARKS = "on a mark", "off all marks"


@dataclass(frozen=True, slots=True, eq=False)
class CropMapScores:
    """One row for each class on each crop that holds it, class by class, FOV by FOV, crops row by row.

    Attributes:
        class_names: `C` names.
        columns: `(K,)` class of each row.
        fov_ids, sample_ids: `(K,)`.
        hits: `(K,)` whether the hottest point lies on an object of the class.
        energies: `(K,)` share of the map's positive mass on objects, 0-1; NaN for a map without any.
        boxes: `(K, 4)` x, y, width, height of the crop in full-resolution px; None in files of earlier versions.
        tops: `(K, 2)` x and y of the hottest point in full-resolution px; None where `boxes` is.
    """

    class_names: tuple[str, ...]
    columns: NDArray[np.int64]
    fov_ids: NDArray[np.int64]
    sample_ids: NDArray[np.int64]
    hits: NDArray[np.bool_]
    energies: FloatArray
    boxes: NDArray[np.int64] | None = None
    tops: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        n = len(self.columns)
        check_shapes(self, dict.fromkeys(("fov_ids", "sample_ids", "hits", "energies"), (n,)))
        if self.boxes is not None or self.tops is not None:
            check_shapes(self, {"boxes": (n, 4), "tops": (n, 2)})
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
    square: CropSquare
    top: tuple[int, int]


def pointing_cells(scores: CropMapScores, name: str) -> NDArray[np.bool_]:
    """Which rows have their hottest point on a mark of this class, and which off all of them, `(K, 1, 2)`."""
    of_class = np.zeros(len(scores.columns), np.bool_)
    of_class[scores.of_class(name)] = True
    return np.stack([of_class & scores.hits, of_class & ~scores.hits], axis=1)[:, None, :]


def pointing_counts(cells: NDArray[np.bool_]) -> Confusion:
    """Count `pointing_cells`, as a matrix of one row."""
    counts = cells.sum(axis=0, dtype=np.int64)
    return Confusion((PRESENT,), (ON_MARK, OFF_MARKS), counts, counts.sum(axis=1))


def collect_map_scores(class_names: Sequence[str], rows: Sequence[MapRow]) -> CropMapScores:
    """Put rows in one record, in their order."""
    return CropMapScores(
        class_names=tuple(class_names),
        columns=np.array([row.column for row in rows], np.int64),
        fov_ids=np.array([row.fov_id for row in rows], np.int64),
        sample_ids=np.array([row.sample_id for row in rows], np.int64),
        hits=np.array([row.hit for row in rows], np.bool_),
        energies=np.array([np.nan if row.energy is None else row.energy for row in rows], np.float64),
        boxes=np.array(
            [(row.square.x, row.square.y, row.square.side, row.square.side) for row in rows], np.int64
        ).reshape(-1, 4),
        tops=np.array([row.top for row in rows], np.int64).reshape(-1, 2),
    )


def write_map_scores(path: Path, scores: CropMapScores) -> None:
    """Write map scores whole or not at all. Raises UserError where that fails."""
    places = {} if scores.boxes is None or scores.tops is None else {"boxes": scores.boxes, "tops": scores.tops}
    write_arrays(
        path,
        {
            **places,
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
            boxes=np.asarray(arrays["boxes"], np.int64) if "boxes" in arrays else None,
            tops=np.asarray(arrays["tops"], np.int64) if "tops" in arrays else None,
        ),
    )
