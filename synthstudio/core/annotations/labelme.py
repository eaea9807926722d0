"""labelme: a JSON file beside each image, with `shapes` of points in float px from the top left corner.

A rectangle is a box, a point is a centre, a circle is a centre with its own size (the diameter). Every other shape is
read as its bounding box. A description is a note, the flag `flagged` a flag. `size_px` of a shape and `sample`,
`annotation_state` of the file are our own export's.
"""

import math
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_annotation_files
from synthstudio.core.annotations.json_values import (
    JsonRecord,
    as_list,
    as_number,
    as_point,
    as_record,
    as_text,
    read_json,
)
from synthstudio.core.annotations.mark_checks import MarkSource, Place, Point, bounding_box, with_remarks
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import find_sizes
from synthstudio.core.annotations.split_folders import find_folder_split
from synthstudio.core.fields.images import find_images
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState

SAME_PX = 1e-6
OUTLINES = frozenset({"polygon", "rectangle", "linestrip", "line", "oriented_rectangle"})


def read_labelme(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all labelme files in the folder and below, or one file; see `Reader`.

    Images beside the annotated ones that have no file come along without annotations. A folder called train, val or
    test gives the split.
    """
    paths, root = find_annotation_files(root, (".json",), "labelme files (*.json)")
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    for number, path in enumerate(paths):
        tick(number, len(paths))
        _read_file(path, index, builder, root)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=find_folder_split(path, root)))
    tick(len(paths), len(paths))
    sizes_px, estimated = find_sizes(builder.fovs)
    return builder.build(list_classes(builder.fovs), sizes_px=sizes_px, estimated=estimated)


def _read_file(path: Path, index: ImageIndex, builder: PlanBuilder, root: Path) -> None:
    value = read_json(path, builder)
    document = as_record(value)
    if not isinstance(document.get("shapes"), list):
        if value is not None:
            builder.report(path, "is no labelme file: it has no list 'shapes'")
        return
    stated = as_text(document.get("imagePath"))
    image_path = (index.find_named(path, stated) if stated else None) or index.find(path)
    image = builder.take_image(path, image_path, stated or path.stem)
    if image is None:
        return
    source = MarkSource(path, image, builder)
    source.check_stated_size(as_number(document.get("imageWidth")), as_number(document.get("imageHeight")))
    shapes = enumerate(as_list(document.get("shapes")), start=1)
    found = [_read_shape(as_record(shape), source, Place(f"shape {number}")) for number, shape in shapes]
    marks = tuple(mark for mark in found if mark is not None)
    stated_state = as_text(document.get("annotation_state"))
    default = AnnotationState.PARTIAL if marks else AnnotationState.NONE
    state = AnnotationState(stated_state) if stated_state in set(AnnotationState) else default
    builder.add(image, Marks(find_folder_split(path, root), state, marks), sample=as_text(document.get("sample")))


def _read_shape(shape: JsonRecord, source: MarkSource, place: Place) -> PlannedAnnotation | None:
    class_name = source.check_class(as_text(shape.get("label")), place)
    if class_name is None:
        return None
    points = [as_point(value) for value in as_list(shape.get("points"))]
    good = [point for point in points if point is not None]
    kind = as_text(shape.get("shape_type")) or "polygon"
    if not good or len(good) < len(points):
        source.report(f"the {kind[:40]} of a {class_name!r} lacks a number; skipped", place)
        return None
    mark = _read_points(class_name, kind, good, source, place, own_size=as_number(shape.get("size_px")))
    is_flagged = as_record(shape.get("flags")).get("flagged") is True
    return with_remarks(mark, note=as_text(shape.get("description")), is_flagged=is_flagged)


def _read_points(
    class_name: str, kind: str, points: list[Point], source: MarkSource, place: Place, *, own_size: float | None
) -> PlannedAnnotation | None:
    match kind, len(points):
        case "point", 1:
            return source.check_center(class_name, points[0], place, size_px=own_size)
        case "circle", 2:
            size_px = _diameter(points[0], points[1], own_size)
            return source.check_center(class_name, points[0], place, size_px=size_px)
        case "rectangle" | "mask", 2:
            return source.check_box(class_name, bounding_box(points), place)
        case _ if kind in OUTLINES:
            return source.check_outline(class_name, points, place)
    source.report(f"a {kind[:40]!r} of {len(points)} points marks no object; skipped", place)
    return None


def _diameter(center: Point, edge: Point, own_size: float | None) -> float:
    """Return the diameter, to the last bit where our export wrote it beside the circle and it is still so large."""
    diameter = 2 * math.hypot(edge[0] - center[0], edge[1] - center[1])
    return own_size if own_size is not None and abs(own_size - diameter) < SAME_PX else diameter
