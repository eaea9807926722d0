"""The BCCD images as records, read with nothing but the standard library: for tests below the importers."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree  # our own data, not a stranger's

from synthstudio.core.imaging import ImageArray, read_image
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, SampleId
from synthstudio.domain.records import (
    Annotation,
    AnnotationState,
    Box,
    FieldOfView,
    ObjectClass,
    Role,
    Split,
    Storage,
)

CLASS_NAMES = ("RBC", "WBC", "Platelets")


def blood_classes() -> list[ObjectClass]:
    return [
        ObjectClass(ClassId(number), name, "#000000", "", Role.OBJECT, None, None)
        for number, name in enumerate(CLASS_NAMES, start=1)
    ]


def load_blood(
    folder: Path, *, split: str = "train", limit: int | None = None
) -> tuple[list[FieldOfView], list[Annotation]]:
    """FOVs of a split and their boxes."""
    fovs: list[FieldOfView] = []
    annotations: list[Annotation] = []
    names = (folder / "ImageSets" / "Main" / f"{split}.txt").read_text().split()[:limit]
    for number, name in enumerate(names, start=1):
        root = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        fovs.append(_fov(number, name, folder / "JPEGImages" / f"{name}.jpg", split=split))
        for node in root.iter("object"):
            x0, y0, x1, y1 = (float(node.findtext(f"bndbox/{key}") or 0) for key in ("xmin", "ymin", "xmax", "ymax"))
            class_id = ClassId(CLASS_NAMES.index(node.findtext("name") or "") + 1)
            mark = Annotation(AnnotationId(len(annotations) + 1), FovId(number), class_id, 0.0, 0.0)
            annotations.append(mark.with_box(Box(x0, y0, x1, y1)))
    return fovs, annotations


def _fov(number: int, name: str, path: Path, *, split: str) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(number),
        sample_name=name,
        split=Split(split),
        name=name,
        path=str(path),
        storage=Storage.REFERENCE,
        sha256="",
        width=640,
        height=480,
        um_per_px=None,
        tone=None,
        state=AnnotationState.EXHAUSTIVE,
    )


def read_fov(fov: FieldOfView) -> ImageArray:
    return read_image(Path(fov.path))
