"""A tiny annotated data set of drawn discs on an uneven background, for tests of patches and compositing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
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
from synthstudio.settings.compose import PatchSettings

DISC_COLORS = {1: (200, 120, 130), 2: (90, 60, 160), 3: (60, 60, 60)}
SIDES_PX = {1: 40.0, 2: 60.0, 3: 14.0}


@dataclass(frozen=True)
class Cells:
    """FOVs with their pixels, annotations and classes."""

    fovs: list[FieldOfView]
    annotations: list[Annotation]
    classes: list[ObjectClass]
    images: dict[FovId, ImageArray]

    def read(self, fov: FieldOfView) -> ImageArray:
        return self.images[fov.id]


def make_classes() -> list[ObjectClass]:
    names = (("round", Role.OBJECT), ("large", Role.OBJECT), ("dirt", Role.ARTIFACT))
    return [
        ObjectClass(ClassId(number), name, "#000000", "", role, None, SIDES_PX[number])
        for number, (name, role) in enumerate(names, start=1)
    ]


def make_fov(number: int, *, width: int = 320, height: int = 240) -> FieldOfView:
    return FieldOfView(
        id=FovId(number),
        sample_id=SampleId(number),
        sample_name=f"sample {number}",
        split=Split.TRAIN,
        name=f"fov {number}",
        path=f"/nowhere/{number}.png",
        storage=Storage.REFERENCE,
        sha256="",
        width=width,
        height=height,
        um_per_px=None,
        tone=None,
        state=AnnotationState.EXHAUSTIVE,
    )


def make_cells(
    *, n_fovs: int = 3, background: tuple[int, int, int] = (215, 210, 205), noise: float = 2.0, boxes: bool = False
) -> Cells:
    """Draw discs of three classes, one an artifact, on a background that is darker to the right."""
    rng = np.random.default_rng(7)
    fovs: list[FieldOfView] = []
    annotations: list[Annotation] = []
    images: dict[FovId, ImageArray] = {}
    for number in range(1, n_fovs + 1):
        fov = make_fov(number)
        light = np.linspace(1.04, 0.96, fov.width, dtype=np.float32)[None, :, None]
        image = np.ones((fov.height, fov.width, 3), np.float32) * np.array(background, np.float32) * light
        for place in range(9):
            class_id = 1 + place % 3
            x, y = 45.0 + 110 * (place // 3) + rng.uniform(-8, 8), 45.0 + 75 * (place % 3) + rng.uniform(-8, 8)
            half = SIDES_PX[class_id] / 2
            color = tuple(value * background[0] / 215 for value in DISC_COLORS[class_id])
            cv2.circle(image, (round(x), round(y)), round(half * 0.9), color, -1, cv2.LINE_AA)
            box = Box(x - half, y - half, x + half, y + half) if boxes else None
            annotations.append(Annotation(AnnotationId(len(annotations) + 1), fov.id, ClassId(class_id), x, y, box=box))
        image += rng.normal(0, noise, image.shape).astype(np.float32)
        images[fov.id] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        fovs.append(fov)
    return Cells(fovs, annotations, make_classes(), images)


def make_bank(cells: Cells | None = None, settings: PatchSettings | None = None) -> PatchBank:
    cells = cells or make_cells()
    return build_patch_bank(
        cells.fovs, cells.annotations, cells.classes, settings=settings or PatchSettings(), read=cells.read
    )
