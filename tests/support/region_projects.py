"""Projects of photographs with boxed regions and tones, for tests of the semantic-map GAN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, read_image_size, sha256_of_file, write_png
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Annotation, AnnotationState, Box, ObjectClass, Role, Split, Storage
from synthstudio.domain.tones import ToneScale
from synthstudio.project import Project
from synthstudio.project.files import stored_path
from synthstudio.project.tones import set_tone_scale

CONDITIONS = {"nevus": (96, 60, 40), "rash": (200, 60, 70)}
TONES = ToneScale(("light", "medium", "dark"))
_SKIN = {None: (190, 160, 140), 1: (235, 205, 185), 2: (190, 145, 110), 3: (110, 75, 55)}


def make_region_project(
    folder: Path, *, splits: Sequence[Split | None] = (Split.TRAIN,) * 4 + (Split.VAL, Split.TEST)
) -> Project:
    """One photograph of 160 x 120 px per split, each its own sample, with both conditions; tones in turn."""
    project = Project.create(folder)
    set_tone_scale(project, TONES)
    for name in CONDITIONS:
        project.classes.add(name)
    project.classes.add("ruler", role=Role.ARTIFACT)
    for number, split in enumerate(splits):
        tone = number % 3 + 1
        boxes = {
            "nevus": Box(30.0 + number, 40.0, 54.0 + number, 60.0),
            "rash": Box(100.0, 50.0, 140.0, 86.0),
        }
        path = folder.parent / f"photo{number}.png"
        write_png(path, draw_photo(boxes, tone=tone))
        add_photo(project, path, boxes, split=split, tone=tone)
    return project


def draw_photo(boxes: dict[str, Box], *, tone: int | None, width: int = 160, height: int = 120) -> ImageArray:
    """Plain skin with an ellipse in each box, `(height, width, 3)` uint8 RGB."""
    image = np.full((height, width, 3), _SKIN[tone], np.uint8)
    for name, box in boxes.items():
        center = tuple(round(value) for value in box.center)
        cv2.ellipse(image, center, (round(box.width / 2), round(box.height / 2)), 0, 0, 360, CONDITIONS[name], -1)
    return image


def add_photo(
    project: Project, path: Path, boxes: dict[str, Box], *, split: Split | None = Split.TRAIN, tone: int | None = None
) -> FovId:
    """Enter a photograph that lies on disk, as a sample of its own, with its boxes."""
    width, height = read_image_size(path)
    sample = project.samples.get_or_add(path.stem, split=split)
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
    if tone is not None:
        project.fovs.set_tones({fov_id: tone})
    by_name = {each.name: each for each in project.classes.list()}
    project.annotations.add([_mark(fov_id, by_name[name], box) for name, box in boxes.items()])
    return fov_id


def _mark(fov_id: FovId, object_class: ObjectClass, box: Box) -> Annotation:
    return Annotation(AnnotationId(0), fov_id, object_class.id, 0.0, 0.0).with_box(box)
