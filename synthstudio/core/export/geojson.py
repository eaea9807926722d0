"""GeoJSON for QuPath: beside each image a file of the same stem with one annotation object a mark; a folder per split.

QuPath: drag the `.geojson` file onto the open image. A centre is a Point, a box a rectangle. The own size of an object
is its measurement `size_px`; `sample` and `annotation_state` stand among the properties of the collection, which
GeoJSON leaves free (RFC 7946, 6.1).
"""

import json
import uuid
from pathlib import Path

from synthstudio.core.annotations.geojson import FLAG_KEY, NOTE_KEY
from synthstudio.core.export.beside_images import write_beside
from synthstudio.core.export.datasets import ExportData, ExportImage, ExportResult, Mark, build_result, list_images
from synthstudio.core.export.notes import note_artifacts
from synthstudio.core.export.staging import staged_folder
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass

GeoRecord = dict[str, object]


def write_geojson(data: ExportData, out: Path, *, tick: Tick = no_tick) -> ExportResult:
    """Write images with GeoJSON files; see `Writer`."""
    images = list_images(data, needs_boxes=False)
    with staged_folder(out) as partial:
        write_beside(images, partial, encode_features, suffix=".geojson", tick=tick)
    return build_result(data, images, out, notes=note_artifacts(images))


def encode_features(image: ExportImage, file_name: str) -> bytes:
    """Return the feature collection of an image."""
    document: GeoRecord = {
        "type": "FeatureCollection",
        "properties": {"image": file_name, "sample": image.sample, "annotation_state": str(image.fov.state)},
        "features": [_to_feature(mark, image.fov.content_key, number) for number, mark in enumerate(image.marks)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", errors="replace")


def _to_feature(mark: Mark, image_key: str, number: int) -> GeoRecord:
    properties: GeoRecord = {"objectType": "annotation", "classification": _to_classification(mark.object_class)}
    if mark.annotation.size_px is not None:
        properties["measurements"] = {"size_px": mark.annotation.size_px}
    remarks = {NOTE_KEY: mark.annotation.note} if mark.annotation.note else {}
    if mark.annotation.is_flagged:
        remarks[FLAG_KEY] = "true"
    if remarks:
        properties["metadata"] = remarks
    return {
        "type": "Feature",
        # QuPath wants a UUID; one that follows from the content makes the same export twice the same bytes.
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{image_key}/{number}")),
        "geometry": _to_geometry(mark),
        "properties": properties,
    }


def _to_geometry(mark: Mark) -> GeoRecord:
    box = mark.annotation.box
    if box is None:
        return {"type": "Point", "coordinates": [mark.annotation.x, mark.annotation.y]}
    corners = [[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1], [box.x0, box.y0]]
    return {"type": "Polygon", "coordinates": [corners]}


def _to_classification(object_class: ObjectClass) -> GeoRecord:
    color = bytes.fromhex(object_class.color.removeprefix("#"))
    return {"name": object_class.name, "color": list(color)}
