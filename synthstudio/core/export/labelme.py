"""labelme: a JSON file beside each image; a folder per split.

A box is a rectangle, a centre a point, a centre with its own size a circle of that diameter. The keys beyond labelme's
own (`size_px` of a shape; `sample`, `annotation_state`) are kept by labelme when it saves the file.
"""

import json
from pathlib import Path

from synthstudio.core.export.beside_images import write_beside
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_artifacts
from synthstudio.core.export.staging import staged_folder
from synthstudio.domain.progress import Tick, no_tick

FORMAT_VERSION = "5.5.0"
"""The version of labelme whose keys these are; it warns of files of another major version."""

LabelmeRecord = dict[str, object]


def write_labelme(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a folder for labelme; see `Writer`."""
    images = list_images(data, needs_boxes=False)
    with staged_folder(out) as partial:
        write_beside(images, partial, encode_labels, suffix=".json", tick=tick)
    return build_result(data, images, out, notes=note_artifacts(images))


def encode_labels(image: ExportImage, file_name: str) -> bytes:
    """Return the label file of an image; the image itself is not embedded."""
    document: LabelmeRecord = {
        "version": FORMAT_VERSION,
        "flags": {},
        "shapes": [_to_shape(mark) for mark in image.marks],
        "imagePath": file_name,
        "imageData": None,
        "imageHeight": image.fov.height,
        "imageWidth": image.fov.width,
        "sample": image.sample,
        "annotation_state": str(image.fov.state),
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", errors="replace")


def _to_shape(mark: Mark) -> LabelmeRecord:
    annotation = mark.annotation
    center = [annotation.x, annotation.y]
    shape: LabelmeRecord = {"label": mark.object_class.name}
    if annotation.box is not None:
        box = annotation.box
        shape |= {"points": [[box.x0, box.y0], [box.x1, box.y1]], "shape_type": "rectangle"}
    elif annotation.size_px is not None:
        edge = [annotation.x + annotation.size_px / 2, annotation.y]
        shape |= {"points": [center, edge], "shape_type": "circle", "size_px": annotation.size_px}
    else:
        shape |= {"points": [center], "shape_type": "point"}
    flags = {"flagged": True} if annotation.is_flagged else {}
    return {**shape, "group_id": None, "description": annotation.note, "flags": flags, "mask": None}
