"""Records as a project would hold them, for what writes data sets."""

from itertools import count
from pathlib import Path

import numpy as np

from synthstudio.core.export.datasets import ExportData
from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation, PlannedFov
from synthstudio.domain.records import Annotation, AnnotationState, Box, FieldOfView, ObjectClass, Role, Split, Storage

WIDTH, HEIGHT = 100, 80
CELL = ObjectClass(ClassId(7), "Zelle <&> 细胞", "#E69F00", "1", Role.OBJECT, None, 20.0)
DUST = ObjectClass(ClassId(9), "dust", "#8A8A8A", "", Role.ARTIFACT, 4.0, None)


def build_fov(
    path: Path, *, number: int = 1, sample: str = "Jane Doe", split: Split | None = None, um_per_px: float | None = None
) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(1),
        sample_name=sample,
        split=split,
        name=path.name,
        path=str(path),
        storage=Storage.REFERENCE,
        sha256=sha256_of_file(path),
        width=WIDTH,
        height=HEIGHT,
        um_per_px=um_per_px,
        tone=None,
        state=AnnotationState.PARTIAL,
    )


def write_fov(folder: Path, name: str = "Jane Doe 1950.png", **options: object) -> FieldOfView:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    write_png(folder / name, rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    return build_fov(folder / name, **options)  # type: ignore[arg-type]


def box_mark(box: Box, object_class: ObjectClass = CELL, fov_id: int = 1) -> Annotation:
    x, y = box.center
    return Annotation(AnnotationId(1), FovId(fov_id), object_class.id, x, y, box)


def center_mark(x: float, y: float, *, size_px: float | None = None, object_class: ObjectClass = CELL) -> Annotation:
    return Annotation(AnnotationId(2), FovId(1), object_class.id, x, y, size_px=size_px)


def build_data(fov: FieldOfView, *marks: Annotation, keep_names: bool = False) -> ExportData:
    return ExportData((fov,), {fov.id: marks}, (CELL, DUST), keep_names)


def record_plan(plan: ImportPlan) -> ExportData:
    """Turn a plan into the records that a project would hold."""
    ids = {name: ClassId(number) for number, name in enumerate(plan.class_names, start=1)}
    classes = [
        ObjectClass(ids[name], name, "#000000", "", Role.OBJECT, None, plan.class_sizes_px.get(name))
        for name in plan.class_names
    ]
    numbers = count(1)
    fovs = [_record_fov(fov, FovId(number)) for number, fov in enumerate(plan.fovs, start=1)]
    annotations = {
        fov.id: [_record_mark(mark, fov.id, ids, next(numbers)) for mark in planned.annotations]
        for fov, planned in zip(fovs, plan.fovs, strict=True)
    }
    return ExportData(fovs, annotations, classes)


def _record_fov(fov: PlannedFov, fov_id: FovId) -> FieldOfView:
    return FieldOfView(
        id=fov_id,
        sample_id=SampleId(fov_id),
        sample_name=fov.sample,
        split=fov.split,
        name=fov.name,
        path=str(fov.path),
        storage=Storage.REFERENCE,
        sha256=fov.sha256,
        width=fov.width,
        height=fov.height,
        um_per_px=None,
        tone=None,
        state=fov.state,
    )


def _record_mark(mark: PlannedAnnotation, fov_id: FovId, ids: dict[str, ClassId], number: int) -> Annotation:
    return Annotation(AnnotationId(number), fov_id, ids[mark.class_name], mark.x, mark.y, mark.box, mark.size_px)
