"""A small project on disk with drawn cells, for tests of engine and command line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from synthstudio.core.imaging import read_image_size, sha256_of_file, write_png
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import AnnotationState, Split, Storage
from synthstudio.project import Project
from synthstudio.project.files import stored_path
from tests.support.cells import Cells, make_cells


def make_cell_project(
    folder: Path, *, cells: Cells | None = None, splits: tuple[Split | None, ...] = (), with_sizes: bool = True
) -> Project:
    """Make a project whose images lie beside it; the first FOVs get the given splits, the others train."""
    cells = cells or make_cells()
    project = Project.create(folder)
    class_ids = {}
    for item in cells.classes:
        size_px = item.size_px if with_sizes else None
        class_ids[item.id] = project.classes.add(item.name, role=item.role, size_px=size_px).id
    for number, fov in enumerate(cells.fovs):
        path = folder.parent / f"image{number}.png"
        write_png(path, cells.images[fov.id])
        width, height = read_image_size(path)
        sample = project.samples.get_or_add(
            fov.sample_name, split=splits[number] if number < len(splits) else Split.TRAIN
        )
        fov_id = project.fovs.add(
            sample_id=sample.id,
            name=path.name,
            stored_path=stored_path(project.folder, path),
            storage=Storage.REFERENCE,
            sha256=sha256_of_file(path),
            width=width,
            height=height,
            state=AnnotationState.EXHAUSTIVE,
        )
        project.annotations.add(
            [
                dataclasses.replace(mark, id=AnnotationId(0), fov_id=fov_id, class_id=class_ids[mark.class_id])
                for mark in cells.annotations
                if mark.fov_id == fov.id
            ]
        )
    return project
