"""What is exported, under which names, and what came of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from synthstudio.core.geometry import clip_box
from synthstudio.core.synthesis.instance_masks import InstanceMask
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Annotation, AnnotationState, Box, FieldOfView, ObjectClass

# Not allowed in file names on Windows, or meaningful in paths or lists.
UNSAFE_CHARACTERS = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')


@dataclass(frozen=True, slots=True)
class ExportData:
    """Images and marks to be written.

    Attributes:
        fovs: The images, in the order in which they are numbered.
        annotations: Marks of each FOV; an FOV without marks may be absent.
        classes: All classes, in the order in which they are numbered.
        keep_names: Keep the names of the images, and the notes. Otherwise the images get neutral names, and notes are
            left out: they may name a patient.
        labels: Which classes were marked present or absent on an image as a whole; only image folders have a place
            for them.
        masks: Instance masks of the images of a synthetic set that has some; only COCO has a place for them.
    """

    fovs: Sequence[FieldOfView]
    annotations: Mapping[FovId, Sequence[Annotation]]
    classes: Sequence[ObjectClass]
    keep_names: bool = False
    labels: Mapping[FovId, Mapping[ClassId, bool]] = field(default_factory=dict)
    masks: Mapping[FovId, InstanceMask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes:
        n_left_out: FOVs that nobody has annotated; in these formats they would pass for images without objects.
        notes: What the format could not say, in sentences for the user.
    """

    out: Path
    n_images: int
    n_annotations: int
    n_left_out: int
    notes: tuple[str, ...] = ()


class Writer(Protocol):
    """Writes a data set in one format into a new folder that is whole or absent.

    Raises:
        UserError: The folder exists and is not empty, cannot be written, an image is gone or changed, or a class with
            centre annotations has no size.
    """

    def __call__(self, data: ExportData, out: Path, *, tick: Tick = ...) -> ExportResult: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation as it is written.

    Attributes:
        box: The box, or for a centre the square of the object's or class's size, cut at the edges of the image; one
            pixel where there is no size, and the format needs none.
    """

    annotation: Annotation
    object_class: ObjectClass
    box: Box


@dataclass(frozen=True, slots=True)
class ExportImage:
    """One image as it is written.

    Attributes:
        stem: File name without suffix.
        sample: Neutral or own name of its sample.
    """

    fov: FieldOfView
    stem: str
    sample: str
    marks: tuple[Mark, ...]


def list_images(data: ExportData, *, needs_boxes: bool = True) -> list[ExportImage]:
    """Return the annotated images with their names in the export.

    Neutral names are `s0001_00001`: the number of the sample, by which the samples can be told apart again (pattern
    `^(s\\d+)_`), and the number of the image.

    Args:
        data: What is exported.
        needs_boxes: The format has no centres: each needs a size.

    Raises:
        UserError: A class with centre annotations has no size, and the format needs one.
    """
    samples: dict[str, str] = {}
    stems: dict[str, int] = {}
    images: list[ExportImage] = []
    for fov in data.fovs:
        if not is_annotated(fov, data):
            continue
        neutral = samples.setdefault(fov.sample_name, f"s{len(samples) + 1:04d}")
        stem = _keep_stem(fov.stem, stems) if data.keep_names else f"{neutral}_{len(images) + 1:05d}"
        stems.setdefault(stem.casefold(), 1)
        sample = fov.sample_name if data.keep_names else neutral
        images.append(ExportImage(fov, stem, sample, tuple(_iter_marks(fov, data, needs_boxes=needs_boxes))))
    return images


def build_result(
    data: ExportData, images: Sequence[ExportImage], out: Path, *, notes: Sequence[str] = ()
) -> ExportResult:
    """Count what was written."""
    n_marks = sum(len(image.marks) for image in images)
    return ExportResult(out, len(images), n_marks, len(data.fovs) - len(images), tuple(notes))


def is_annotated(fov: FieldOfView, data: ExportData) -> bool:
    """Whether anybody has looked at the FOV."""
    return fov.state is not AnnotationState.NONE or bool(data.annotations.get(fov.id))


def require_annotated(data: ExportData) -> None:
    """Raise UserError where nobody has annotated any of the images, or labelled one as a whole.

    The writers themselves make a valid empty data set of nothing; whoever has asked for one by name has mistaken
    something.
    """
    if not any(is_annotated(fov, data) or data.labels.get(fov.id) for fov in data.fovs):
        raise UserError(
            f"Nothing is exported: none of these {len(data.fovs):,} images is annotated.",
            "Annotate some first, or choose others.",
        )


def _keep_stem(own: str, taken: dict[str, int]) -> str:
    """Return a safe file name from the FOV's own, with a number where it is taken.

    `taken` holds the last number that was tried for each name: thousands of patients may have the same `image.png`.
    """
    base = UNSAFE_CHARACTERS.sub("_", own).strip(" .")[:120] or "image"
    stem = base
    number = taken.get(base.casefold(), 1)
    while stem.casefold() in taken:
        number += 1
        stem = f"{base}_{number}"
    if stem != base:
        taken[base.casefold()] = number
    return stem


def _iter_marks(fov: FieldOfView, data: ExportData, *, needs_boxes: bool) -> Iterator[Mark]:
    classes = {object_class.id: object_class for object_class in data.classes}
    for annotation in data.annotations.get(fov.id, ()):
        object_class = classes[annotation.class_id]
        size_px = annotation.size_px or object_class.size_in(fov.um_per_px)
        if needs_boxes and annotation.box is None and not size_px:
            raise UserError(
                f"The class {object_class.name!r} has no size, so its centres cannot be written as boxes.",
                "Set the mean size of the class, then export again.",
            )
        box = clip_box(annotation.extent(size_px or 1.0), fov.width, fov.height)
        if box is not None:
            shown = annotation if data.keep_names or not annotation.note else replace(annotation, note="")
            yield Mark(shown, object_class, box)
