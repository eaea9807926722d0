"""Figures of images that an earlier job has measured, in the folder of its run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.array_files import AnyArray, read_arrays, write_arrays
from synthstudio.core.review.image_figures import FIGURE_NAMES, FigureTable
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Run, RunStatus, content_key
from synthstudio.project.project import Project

FIGURES_NAME = "image_figures.npz"
KINDS = frozenset({"quality", "describe"})
"""Jobs that look at every image, and keep what earlier ones have seen."""


def list_contents(project: Project) -> tuple[list[str], NDArray[np.int64]]:
    """Return the content key and the tone (0 where there is none) of each FOV, in the order of their ids."""
    rows = project.database.tuples("SELECT sha256, page, coalesce(tone, 0) FROM fov ORDER BY id")
    keys = [content_key(str(sha256), None if page is None else int(page)) for sha256, page, _tone in rows]
    return keys, np.array([row[2] for row in rows], np.int64)


def list_surveys(project: Project) -> list[Run]:
    """Return the finished jobs that have looked at images, the newest first."""
    return [run for run in reversed(project.runs.list()) if run.kind in KINDS and run.status is RunStatus.FINISHED]


def newest_figures(project: Project) -> FigureTable:
    """Return what the newest of them knows of images; nothing where its file is gone, damaged or of another version."""
    for run in list_surveys(project):
        try:
            return read_arrays(project.run_folder(run.id) / FIGURES_NAME, _from_arrays)
        except UserError:  # the images can be looked at again
            continue
    return FigureTable({}, np.zeros((0, len(FIGURE_NAMES))))


def write_figures(folder: Path, table: FigureTable) -> None:
    """Write figures into the folder of a run. Raises UserError where that fails."""
    arrays = {
        "names": np.array(FIGURE_NAMES, np.str_),
        "keys": np.array(list(table.rows), np.str_),
        "values": table.values,
    }
    write_arrays(folder / FIGURES_NAME, arrays)


def _from_arrays(arrays: Mapping[str, AnyArray]) -> FigureTable:
    """The other way. Raises KeyError or ValueError where something is amiss."""
    keys, values = arrays["keys"].tolist(), np.asarray(arrays["values"], np.float64)
    if tuple(arrays["names"].tolist()) != FIGURE_NAMES or values.shape != (len(keys), len(FIGURE_NAMES)):
        raise ValueError("the figures are of another version")
    return FigureTable({str(key): row for row, key in enumerate(keys)}, values)
