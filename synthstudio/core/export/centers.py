"""The centers format: beside each image a text file with `x y class` a line, in px; a folder per split.

The class is the number of a line in `classes.txt`, from 0.
"""

from pathlib import Path

from synthstudio.core.export.beside_images import write_beside
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, build_result, list_images
from synthstudio.core.export.notes import note_artifacts, note_boxes, note_states
from synthstudio.core.export.staging import staged_folder, write_staged
from synthstudio.domain.progress import Tick, no_tick


def write_centers(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write images with centre files; see `Writer`."""
    images = list_images(data, needs_boxes=False)
    numbers = {object_class.id: number for number, object_class in enumerate(data.classes)}

    def encode(image: ExportImage, file_name: str) -> bytes:
        marks = [(mark.annotation.x, mark.annotation.y, numbers[mark.object_class.id]) for mark in image.marks]
        return "".join(f"{float(x)!r} {float(y)!r} {number}\n" for x, y, number in marks).encode()

    with staged_folder(out) as partial:
        names = "".join(f"{' '.join(object_class.name.split())}\n" for object_class in data.classes)
        write_staged(partial / "classes.txt", names.encode("utf-8", errors="replace"))
        write_beside(images, partial, encode, suffix=".txt", tick=tick)
    return build_result(data, images, out, notes=[*note_boxes(images), *note_artifacts(images), *note_states(images)])
