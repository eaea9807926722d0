"""CSV: `annotations.csv` with one mark a row and `images/`.

A centre has `x, y` (and `size_px`, where it is the object's own), a box has its middle and `x0, y0, x1, y1`, end
exclusive. An image without marks has a row with nothing but its name, split, sample and state.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_artifacts
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.domain.progress import Tick, no_tick

COLUMNS = (
    "image",
    "class",
    "x",
    "y",
    "x0",
    "y0",
    "x1",
    "y1",
    "size_px",
    "note",
    "flagged",
    "split",
    "sample",
    "annotation_state",
)
N_VALUES = COLUMNS.index("split") - 1


def write_csv(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a table and the images; see `Writer`."""
    images = list_images(data, needs_boxes=False)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    with staged_folder(out) as partial:
        folder = make_folder(partial / "images")
        for number, image in enumerate(images):
            tick(number, len(images))
            clean = read_clean_image(image.fov)
            name = f"{image.stem}{clean.suffix}"
            write_staged(folder / name, clean.data)
            table.writerows(_iter_rows(image, f"images/{name}"))
        write_staged(partial / "annotations.csv", text.getvalue().encode("utf-8", errors="replace"))
        tick(len(images), len(images))
    return build_result(data, images, out, notes=note_artifacts(images))


def _iter_rows(image: ExportImage, name: str) -> Iterator[Sequence[str]]:
    about_image = (image.fov.split or "", image.sample, str(image.fov.state))
    for mark in image.marks:
        yield (name, *_to_values(mark), *about_image)
    if not image.marks:
        yield (name, *[""] * N_VALUES, *about_image)


def _to_values(mark: Mark) -> tuple[str, ...]:
    annotation, box = mark.annotation, mark.annotation.box
    corners = (box.x0, box.y0, box.x1, box.y1) if box else (None,) * 4
    numbers = (annotation.x, annotation.y, *corners, annotation.size_px)
    # repr is the shortest text that means this very float.
    texts = ("" if value is None else repr(float(value)) for value in numbers)
    return (mark.object_class.name, *texts, annotation.note, "true" if annotation.is_flagged else "")
