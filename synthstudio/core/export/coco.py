"""COCO detection (cocodataset.org/#format-data): `images/` and `annotations/instances_SPLIT.json`.

Boxes are `[x0, y0, width, height]` in float pixels from 0, as ours. A centre annotation is written as the square of
its size, cut at the edges, and keeps its click under `attributes`, which the format leaves to tools. A box whose right
or lower edge is not `x + width` to the last bit keeps its corners there too. Images of no split stand in
`instances_default`.

Objects of a set with instance masks have what is seen of them as `segmentation`, in run lengths, and its area. One that
lies wholly behind later ones stays, as in all other formats: its mask is empty and its area 0, by which it can be left
out (`getAnnIds(areaRng=[0, inf])` does).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from synthstudio.core.export.clean_images import read_clean_image
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_centers
from synthstudio.core.export.run_lengths import encode_run_lengths
from synthstudio.core.export.staging import make_folder, staged_folder, write_staged
from synthstudio.core.synthesis.instance_masks import InstanceMask
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass

CocoRecord = dict[str, object]


def write_coco(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write a COCO data set; see `Writer`. Category ids are the same in all splits; the supercategory is the role."""
    images = list_images(data)
    category_ids = {object_class.id: number for number, object_class in enumerate(data.classes, start=1)}
    listed = {split: _Listed() for split in dict.fromkeys(image.fov.split for image in images) or (None,)}
    annotation_ids, n_hidden = count(1), 0
    with staged_folder(out) as partial:
        folder = make_folder(partial / "images")
        for number, image in enumerate(images, start=1):
            tick(number - 1, len(images))
            clean = read_clean_image(image.fov)
            name = f"{image.stem}{clean.suffix}"
            write_staged(folder / name, clean.data)
            segments = _find_segments(image, data.masks.get(image.fov.id))
            n_hidden += sum(segment["area"] == 0 for segment in segments.values())
            texts = listed[image.fov.split]
            texts.images.append(_dump(_to_image(number, image, name)))
            for mark in image.marks:
                record = _to_annotation(next(annotation_ids), number, mark, category_ids)
                texts.annotations.append(_dump(record | segments.get(mark.annotation.id, {})))
        categories = [_to_category(object_class, category_ids) for object_class in data.classes]
        folder = make_folder(partial / "annotations")
        for split, texts in listed.items():
            write_staged(folder / f"instances_{split or 'default'}.json", texts.encode(categories))
        tick(len(images), len(images))
    return build_result(data, images, out, notes=[*note_centers(images), *_note_hidden(n_hidden)])


@dataclass(frozen=True, slots=True)
class _Listed:
    """Images and annotations of a split as JSON: a set has millions of run lengths, too many to keep as objects."""

    images: list[str] = field(default_factory=list)
    annotations: list[str] = field(default_factory=list)

    def encode(self, categories: Sequence[CocoRecord]) -> bytes:
        """The document, one record a line."""
        info = {"description": "Boxes in float pixels; 'attributes.center' marks what was annotated by a click."}
        lists = {"categories": [_dump(each) for each in categories]}
        lists |= {"images": self.images, "annotations": self.annotations}
        texts = [f'"info": {_dump(info)}', '"licenses": []']
        texts += ['"{}": [\n{}\n]'.format(key, ",\n".join(records)) for key, records in lists.items()]
        return ("{\n" + ",\n".join(texts) + "\n}\n").encode("utf-8")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _find_segments(image: ExportImage, mask: InstanceMask | None) -> dict[AnnotationId, CocoRecord]:
    """Return mask and area of the objects of an image, by annotation; none where it has no instance mask.

    Raises:
        UserError: The mask cannot be read, or is that of another image.
    """
    if mask is None:
        return {}
    labels, size = mask.read(), (image.fov.height, image.fov.width)
    if labels.shape != size:
        raise UserError(f"{mask.path} is damaged: it is not as large as its image.", "Write the set again.")
    ids = [mark.annotation.id for mark in image.marks]
    encoded = encode_run_lengths(labels, [mask.numbers[each] for each in ids])
    return {
        each: {"area": sum(counts[1::2]), "segmentation": {"size": size, "counts": counts}}
        for each, counts in zip(ids, encoded, strict=True)
    }


def _note_hidden(n_hidden: int) -> list[str]:
    if not n_hidden:
        return []
    what = "1 object lies" if n_hidden == 1 else f"{n_hidden:,} objects lie"
    return [f"{what} wholly behind others: box and class are kept, with an empty mask of area 0."]


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
        # No mask is known, and none is made up from the box. Boxes alone are read and scored with or without the key;
        # with it pycocotools' `showAnns` opens them too. What asks for masks (`annToMask`) refuses either way.
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
