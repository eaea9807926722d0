"""COCO detection (cocodataset.org/#format-data): `images/` and `annotations/instances_SPLIT.json`.

Boxes are `[x0, y0, width, height]` in float pixels from 0, as ours. A centre annotation is written as the square of
its size, cut at the edges, and keeps its click under `attributes`, which the format leaves to tools. A box whose right
or lower edge is not `x + width` to the last bit keeps its corners there too. Images of no split stand in
`instances_default`.
"""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_centers
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.domain.ids import ClassId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass

CocoRecord = dict[str, object]


def write_coco(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a COCO data set; see `Writer`. Category ids are the same in all splits; the supercategory is the role."""
    images = list_images(data)
    with staged_folder(out) as partial:
        folder = make_folder(partial / "images")
        names: list[str] = []
        for number, image in enumerate(images):
            tick(number, len(images))
            clean = read_clean_image(image.fov)
            names.append(f"{image.stem}{clean.suffix}")
            write_staged(folder / names[-1], clean.data)
        _write_instances(make_folder(partial / "annotations"), images, names, data.classes)
        tick(len(images), len(images))
    return build_result(data, images, out, notes=note_centers(images))


def _write_instances(
    folder: Path, images: Sequence[ExportImage], names: Sequence[str], classes: Sequence[ObjectClass]
) -> None:
    category_ids = {object_class.id: number for number, object_class in enumerate(classes, start=1)}
    categories = [_to_category(object_class, category_ids) for object_class in classes]
    splits = dict.fromkeys(image.fov.split for image in images) or {None: None}
    annotation_ids = count(1)
    for split in splits:
        chosen = [(i, image) for i, image in enumerate(images, start=1) if image.fov.split == split]
        document = {
            "info": {"description": "Boxes in float pixels; 'attributes.center' marks what was annotated by a click."},
            "licenses": [],
            "categories": categories,
            "images": [_to_image(i, image, names[i - 1]) for i, image in chosen],
            "annotations": [
                _to_annotation(next(annotation_ids), i, mark, category_ids)
                for i, image in chosen
                for mark in image.marks
            ],
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        write_staged(folder / f"instances_{split or 'default'}.json", text.encode("utf-8"))


def _to_category(object_class: ObjectClass, category_ids: dict[ClassId, int]) -> CocoRecord:
    record: CocoRecord = {
        "id": category_ids[object_class.id],
        "name": object_class.name,
        "supercategory": str(object_class.role),
    }
    return record if object_class.size_px is None else {**record, "size_px": object_class.size_px}


def _to_image(image_id: int, image: ExportImage, file_name: str) -> CocoRecord:
    return {
        "id": image_id,
        "file_name": file_name,
        "width": image.fov.width,
        "height": image.fov.height,
        "sample": image.sample,
        "annotation_state": str(image.fov.state),
    }


def _to_annotation(annotation_id: int, image_id: int, mark: Mark, category_ids: dict[ClassId, int]) -> CocoRecord:
    box = mark.box
    record: CocoRecord = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_ids[mark.object_class.id],
        "bbox": [box.x0, box.y0, box.width, box.height],
        "area": box.width * box.height,
        "iscrowd": 0,
        "segmentation": [],
    }
    annotation = mark.annotation
    if not annotation.is_box:
        attributes: CocoRecord = {"center": [annotation.x, annotation.y], "size_px": annotation.size_px}
    elif (box.x0 + box.width, box.y0 + box.height) != (box.x1, box.y1):
        attributes = {"box": [box.x0, box.y0, box.x1, box.y1]}
    else:
        attributes = {}
    if annotation.note:
        attributes["note"] = annotation.note
    if annotation.is_flagged:
        attributes["flagged"] = True
    return {**record, "attributes": attributes} if attributes else record
