"""A small project of drawn images full of sharp edges: what super-resolution can show its use on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthstudio.core.imaging import ImageArray, sha256_of_file, write_png
from synthstudio.domain.records import AnnotationState, Split, Storage
from synthstudio.project import Project

SIDE = 96
_FINER = 3
_N_DISCS = 12


def draw_sharp(rng: np.random.Generator, side: int = SIDE) -> ImageArray:
    """Draw overlapping discs of even colours, `(side, side, 3)` uint8; their rims are smooth, as in photographs."""
    rows, columns = np.mgrid[: side * _FINER, : side * _FINER] / _FINER
    image = np.full((*rows.shape, 3), rng.uniform(180, 230, 3))
    for _ in range(_N_DISCS):
        x, y, radius = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(4, 14)
        image[np.hypot(columns - x, rows - y) <= radius] = rng.uniform(40, 230, 3)
    small = image.reshape(side, _FINER, side, _FINER, 3).mean(axis=(1, 3))
    return np.rint(small).astype(np.uint8)


def build_sharp_project(folder: Path, *, n_train: int = 8, n_val: int = 4, n_test: int = 2) -> Project:
    """Make a project of such images, one sample each."""
    project = Project.create(folder / "project")
    rng = np.random.default_rng(5)
    splits = [Split.TRAIN] * n_train + [Split.VAL] * n_val + [Split.TEST] * n_test
    for number, split in enumerate(splits):
        path = folder / "images" / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        write_png(path, draw_sharp(rng))
        project.fovs.add(
            sample_id=project.samples.get_or_add(f"s{number}", split=split).id,
            name=path.name,
            stored_path=str(path),
            storage=Storage.REFERENCE,
            sha256=sha256_of_file(path),
            width=SIDE,
            height=SIDE,
            um_per_px=None,
            state=AnnotationState.NONE,
        )
    return project
