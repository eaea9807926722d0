"""Image folders for classifiers: `[SPLIT/]CLASS/*.png`, one square cut-out per mark.

An image without marks that a person has labelled with exactly one class is written whole. The split folders are there
where any image has a split; images of none lie in `unsplit` then.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image, read_page, read_unchanged
from synthstudio.core.export.datasets import (
    UNSAFE_CHARACTERS,
    ExportData,
    ExportImage,
    ExportResult,
    Mark,
    list_images,
)
from synthstudio.core.export.notes import note_artifacts
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.core.imaging import ImageArray, decode_image, encode_png, read_image_header
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, FieldOfView, ObjectClass

CONTEXT = 1.25
"""Side of a cut-out per longest side of the object: a little of what surrounds it."""

UNSPLIT = "unsplit"

N_WRITERS = 4
"""Cut-outs that are encoded and written at a time; both happen outside the interpreter's lock."""


def write_imagefolder(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write cut-outs and labelled images by class; see `Writer`."""
    images = list_images(_with_labelled(data))
    folders = _name_folders(data.classes)
    has_splits = any(image.fov.split for image in images)
    n_images = n_marks = n_used = 0
    with staged_folder(out) as partial, ThreadPoolExecutor(N_WRITERS) as pool:
        for number, image in enumerate(images):
            tick(number, len(images))
            home = partial / (image.fov.split or UNSPLIT) if has_splits else partial
            only = _only_label(data, image)
            if image.marks:
                _write_marks(image, home, folders, pool)
            elif only is not None:
                clean = read_clean_image(image.fov)
                write_staged(make_folder(home / folders[only]) / f"{image.stem}{clean.suffix}", clean.data)
            n_used += bool(image.marks) or only is not None
            n_images += len(image.marks) or only is not None
            n_marks += len(image.marks)
        tick(len(images), len(images))
    return ExportResult(out, n_images, n_marks, len(data.fovs) - n_used, tuple(note_artifacts(images)))


def _with_labelled(data: ExportData) -> ExportData:
    """Count FOVs with image labels among the annotated ones."""
    fovs = [
        replace(fov, state=AnnotationState.PARTIAL)
        if fov.state is AnnotationState.NONE and data.labels.get(fov.id)
        else fov
        for fov in data.fovs
    ]
    return replace(data, fovs=fovs)


def _only_label(data: ExportData, image: ExportImage) -> ClassId | None:
    present = [class_id for class_id, is_there in data.labels.get(image.fov.id, {}).items() if is_there]
    return present[0] if len(present) == 1 and not image.marks else None


def _name_folders(classes: Sequence[ObjectClass]) -> dict[ClassId, str]:
    """Return a folder for each class that every file system takes and no other class has."""
    names: dict[ClassId, str] = {}
    taken: set[str] = set()
    for object_class in classes:
        base = UNSAFE_CHARACTERS.sub("_", object_class.name).strip(" .")[:80] or "class"
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.casefold())
        names[object_class.id] = name
    return names


def _read_pixels(fov: FieldOfView) -> ImageArray:
    if fov.page is not None:
        return read_page(fov)
    path, data = Path(fov.path), read_unchanged(fov)
    return decode_image(data, path, read_image_header(path))


def _write_marks(image: ExportImage, home: Path, folders: dict[ClassId, str], pool: Executor) -> None:
    pixels = _read_pixels(image.fov)
    for class_id in {mark.object_class.id for mark in image.marks}:
        make_folder(home / folders[class_id])

    def write(numbered: tuple[int, Mark]) -> None:
        number, mark = numbered
        place = home / folders[mark.object_class.id] / f"{image.stem}_{number:04d}.png"
        write_staged(place, encode_png(_cut(pixels, mark)))

    for _ in pool.map(write, enumerate(image.marks, start=1)):
        pass  # raises what a write has raised


def _cut(pixels: ImageArray, mark: Mark) -> ImageArray:
    """Return the square around a mark, moved into the image where it reaches out, smaller where it does not fit."""
    rows, columns = pixels.shape[:2]
    side = max(1, round(CONTEXT * max(mark.box.width, mark.box.height)))
    x, y = mark.box.center
    left = min(max(round(x - side / 2), 0), max(columns - side, 0))
    top = min(max(round(y - side / 2), 0), max(rows - side, 0))
    return pixels[top : top + side, left : left + side].copy()
