"""GeoJSON as QuPath writes it: beside each image a file of the same stem with features in px of the full image.

A Point is a centre, each point of a MultiPoint is one; an upright rectangle is a box; any other outline is read as its
bounding box. The class is `properties.classification`, with its colour. The measurement `size_px` of a feature and
`sample`, `annotation_state` among the properties of the collection are our own export's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_annotation_files
from synthstudio.core.annotations.json_values import (
    JsonRecord,
    JsonValue,
    as_list,
    as_number,
    as_point,
    as_record,
    as_text,
    read_json,
)
from synthstudio.core.annotations.mark_checks import MarkSource, Place, Point, bounding_box, is_rectangle, with_remarks
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import find_sizes
from synthstudio.core.annotations.split_folders import find_folder_split
from synthstudio.core.fields.images import find_images
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState

NOTE_KEY = "ANNOTATION_DESCRIPTION"
"""What QuPath calls the description of an annotation among its metadata."""
FLAG_KEY = "flagged"


@dataclass(slots=True)
class _Collected:
    """What the features say about the classes."""

    colors: dict[str, str] = field(default_factory=dict)


def read_geojson(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all GeoJSON files in the folder and below, or one file; see `Reader`.

    Images beside the annotated ones that have no file come along without annotations. A folder called train, val or
    test gives the split.
    """
    paths, root = find_annotation_files(root, (".geojson", ".json"), "GeoJSON files (*.geojson, *.json)")
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    collected = _Collected()
    for number, path in enumerate(paths):
        tick(number, len(paths))
        _read_file(path, index, builder, root, collected)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=find_folder_split(path, root)))
    tick(len(paths), len(paths))
    sizes_px, estimated = find_sizes(builder.fovs)
    names = list_classes(builder.fovs)
    colors = {name: color for name, color in collected.colors.items() if name in names}
    return builder.build(names, sizes_px=sizes_px, estimated=estimated, colors=colors)


def _read_file(path: Path, index: ImageIndex, builder: PlanBuilder, root: Path, collected: _Collected) -> None:
    value = read_json(path, builder)
    if value is None:
        return
    features = _list_features(value)
    if features is None:
        builder.report(path, "is no GeoJSON: it has neither features nor a geometry")
        return
    # `slide.tif.geojson` belongs to slide.tif, `slide.geojson` to any image of that stem.
    image = builder.take_image(path, index.find(path, path.stem), path.stem)
    if image is None:
        return
    source = MarkSource(path, image, builder)
    found: list[PlannedAnnotation] = []
    for number, feature in enumerate(features, start=1):
        found.extend(_read_feature(as_record(feature), source, Place(f"feature {number}"), collected))
    facts = as_record(as_record(value).get("properties"))
    stated = as_text(facts.get("annotation_state"))
    default = AnnotationState.PARTIAL if found else AnnotationState.NONE
    state = AnnotationState(stated) if stated in set(AnnotationState) else default
    marks = Marks(find_folder_split(path, root), state, tuple(found))
    builder.add(image, marks, sample=as_text(facts.get("sample")))


def _list_features(value: JsonValue) -> list[object] | None:
    """Return the features of a collection, of a bare list (QuPath before 0.3), or the single one."""
    if isinstance(value, list):
        return value
    record = as_record(value)
    if isinstance(record.get("features"), list):
        return as_list(record.get("features"))
    return [record] if isinstance(record.get("geometry"), dict) else None


def _read_feature(
    feature: JsonRecord, source: MarkSource, place: Place, collected: _Collected
) -> Iterator[PlannedAnnotation]:
    facts = as_record(feature.get("properties"))
    classification = as_record(facts.get("classification"))
    class_name = source.check_class(_class_text(facts.get("classification")), place)
    if class_name is None:
        return
    if color := _read_color(classification):
        collected.colors.setdefault(class_name, color)
    geometry = as_record(feature.get("geometry"))
    coordinates = geometry.get("coordinates")
    size_px = as_number(as_record(facts.get("measurements")).get("size_px"))
    match kind := as_text(geometry.get("type")):
        case "Point" | "MultiPoint":
            points = [coordinates] if kind == "Point" else as_list(coordinates)
            found = [_read_center(class_name, point, source, place, size_px) for point in points]
        case "Polygon" | "MultiPolygon" | "LineString" | "MultiLineString":
            found = [_read_outline(class_name, coordinates, source, place)]
        case _:
            source.report(f"a geometry {kind[:40]!r} marks no object; skipped", place)
            return
    remarks = as_record(facts.get("metadata"))
    note, is_flagged = as_text(remarks.get(NOTE_KEY)), as_text(remarks.get(FLAG_KEY)) == "true"
    remarked = (with_remarks(mark, note=note, is_flagged=is_flagged) for mark in found)
    yield from (mark for mark in remarked if mark is not None)


def _class_text(classification: JsonValue) -> str:
    """Return the class of a feature: QuPath has written it as a record, and as a list of the parts of its name."""
    if isinstance(classification, str):
        return as_text(classification)
    record = as_record(classification)
    parts = [as_text(part) for part in as_list(record.get("names"))]
    return as_text(record.get("name")) or ": ".join(part for part in parts if part)


def _read_color(classification: JsonRecord) -> str | None:
    """Return `#RRGGBB` from `color: [r, g, b]`, or from the packed integer that older versions wrote."""
    packed = classification.get("colorRGB")
    if isinstance(packed, int) and not isinstance(packed, bool):
        return f"#{packed & 0xFFFFFF:06X}"
    values = [as_number(value) for value in as_list(classification.get("color"))]
    levels = [int(value) for value in values if value is not None and 0 <= value <= 255]
    return "#{:02X}{:02X}{:02X}".format(*levels) if len(levels) == len(values) == 3 else None


def _read_center(
    class_name: str, value: JsonValue, source: MarkSource, place: Place, size_px: float | None
) -> PlannedAnnotation | None:
    point = as_point(value)
    if point is None:
        source.report(f"the point of a {class_name!r} lacks a number; skipped", place)
        return None
    return source.check_center(class_name, point, place, size_px=size_px)


def _read_outline(
    class_name: str, coordinates: JsonValue, source: MarkSource, place: Place
) -> PlannedAnnotation | None:
    points, n_bad = _flatten(coordinates)
    if n_bad:
        source.report(f"the outline of a {class_name!r} lacks a number; skipped", place)
        return None
    if is_rectangle(points):
        return source.check_box(class_name, bounding_box(points), place)
    return source.check_outline(class_name, points, place)


def _flatten(coordinates: JsonValue) -> tuple[list[Point], int]:
    """Return all points of nested rings, and how many entries are none; without recursion, whatever the depth."""
    points: list[Point] = []
    n_bad = 0
    waiting = as_list(coordinates)[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list) and value and all(isinstance(part, list) for part in value):
            waiting.extend(value[::-1])
        elif (point := as_point(value)) is not None:
            points.append(point)
        else:
            n_bad += 1
    return points, n_bad
