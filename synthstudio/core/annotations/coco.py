"""COCO detection (cocodataset.org/#format-data): JSON files with `images`, `categories` and `annotations`.

The split comes from the name of the file (`instances_val2017.json`) or of its folder. One key point without a box is a
centre. `attributes.center` is how our own export keeps a click, `attributes.box` how it keeps a box whose corners
`x + width` would not give to the last bit.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_annotation_files
from synthstudio.core.annotations.json_values import (
    JsonRecord,
    as_id,
    as_list,
    as_number,
    as_point,
    as_record,
    as_text,
    read_json,
)
from synthstudio.core.annotations.mark_checks import MarkSource, Place, Point, with_remarks
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import find_sizes
from synthstudio.core.annotations.split_folders import find_split
from synthstudio.core.fields.images import find_images
from synthstudio.core.geometry import is_inside
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, Box, Role

NumberedRecord = tuple[int, JsonRecord]
EXACT_PX = 1e-6


@dataclass(slots=True)
class _Classes:
    """What the categories of all files say about the classes."""

    own: dict[str, None] = field(default_factory=dict)
    artifacts: set[str] = field(default_factory=set)
    sizes_px: dict[str, float] = field(default_factory=dict)


def read_coco(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all COCO files in the folder and below, or one file; see `Reader`.

    An image that several files list has its annotations from the first of them.
    """
    paths, root = find_annotation_files(root, (".json",), "COCO files (*.json)")
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    classes = _Classes()
    for path in paths:
        _read_file(path, index, builder, classes, tick=tick)
    named = [name for name in classes.own if builder.is_accepted(name)]
    sizes_px, estimated = find_sizes(builder.fovs, stated=classes.sizes_px)
    return builder.build(
        list(dict.fromkeys([*named, *list_classes(builder.fovs)])),
        sizes_px=sizes_px,
        estimated=estimated,
        artifacts=frozenset(classes.artifacts),
    )


def _read_file(path: Path, index: ImageIndex, builder: PlanBuilder, classes: _Classes, *, tick: Tick) -> None:
    value = read_json(path, builder)
    document = as_record(value)
    images = _records(document, "images", path, builder)
    if images is None:
        if value is not None:
            builder.report(path, "is no COCO file: it has no list 'images'")
        return
    names = _read_categories(document, path, builder, classes)
    by_image = _group_annotations(document, path, builder)
    known: set[str] = set()
    for number, record in images:
        tick(number, len(images))
        image_id = as_id(record.get("id"))
        if image_id is None or image_id in known:
            builder.report(path, f"image {number}: has no id of its own; left out")
            continue
        known.add(image_id)
        _read_image(record, by_image.pop(image_id, []), index, names, _Origin(path, builder, f"image {number}"))
    for image_id, found in by_image.items():
        message = f"annotation {found[0][0]}: belongs to image {image_id[:40]!r}, which is not listed"
        builder.report(path, f"{message}; {len(found)} such are left out" if len(found) > 1 else f"{message}; left out")


@dataclass(frozen=True, slots=True)
class _Origin:
    """The file and the record of the image that is being read."""

    path: Path
    builder: PlanBuilder
    record: str

    def report(self, message: str) -> None:
        self.builder.report(self.path, f"{self.record}: {message}")


def _records(document: JsonRecord, key: str, path: Path, builder: PlanBuilder) -> list[NumberedRecord] | None:
    """Return the JSON objects in a list with their numbers from 1, or None; anything else in it is reported."""
    if not isinstance(document.get(key), list):
        if key != "images":
            builder.report(path, f"has no list {key!r}")
        return None
    found: list[NumberedRecord] = []
    for number, value in enumerate(as_list(document.get(key)), start=1):
        if isinstance(value, dict):
            found.append((number, value))
        else:
            builder.report(path, f"{key} {number}: is no record; left out")
    return found


def _read_categories(document: JsonRecord, path: Path, builder: PlanBuilder, classes: _Classes) -> dict[str, str]:
    """Return class names by category id; note roles and sizes that our own export wrote."""
    names: dict[str, str] = {}
    for number, record in _records(document, "categories", path, builder) or []:
        category_id, name = as_id(record.get("id")), as_text(record.get("name"))
        if category_id is None or not name:
            builder.report(path, f"category {number}: has no id or no name; left out")
            continue
        names[category_id] = name
        role = as_text(record.get("supercategory"))
        if role in set(Role):
            # Ours: it is a class of the project, even where nothing is marked with it yet.
            classes.own[name] = None
            if role == Role.ARTIFACT:
                classes.artifacts.add(name)
        size = as_number(record.get("size_px"))
        if size is not None and size > 0:
            classes.sizes_px[name] = size
    return names


def _group_annotations(document: JsonRecord, path: Path, builder: PlanBuilder) -> dict[str, list[NumberedRecord]]:
    grouped: dict[str, list[NumberedRecord]] = defaultdict(list)
    for number, record in _records(document, "annotations", path, builder) or []:
        image_id = as_id(record.get("image_id"))
        if image_id is None:
            builder.report(path, f"annotation {number}: names no image; left out")
        else:
            grouped[image_id].append((number, record))
    return grouped


def _read_image(
    record: JsonRecord, annotations: list[NumberedRecord], index: ImageIndex, names: dict[str, str], origin: _Origin
) -> None:
    stated = as_text(record.get("file_name"))
    if not stated:
        origin.report("has no file_name; left out")
        return
    image = origin.builder.take_image(origin.path, index.find_named(origin.path, stated), stated)
    if image is None:
        return
    source = MarkSource(origin.path, image, origin.builder)
    source.check_stated_size(as_number(record.get("width")), as_number(record.get("height")))
    found = [_read_annotation(each, names, source, Place(f"annotation {number}")) for number, each in annotations]
    state = as_text(record.get("annotation_state"))
    marks = Marks(
        find_split(origin.path.stem) or find_split(origin.path.parent.name),
        AnnotationState(state) if state in set(AnnotationState) else AnnotationState.EXHAUSTIVE,
        tuple(mark for mark in found if mark is not None),
    )
    origin.builder.add(image, marks, sample=as_text(record.get("sample")))


def _read_annotation(
    record: JsonRecord, names: dict[str, str], source: MarkSource, place: Place
) -> PlannedAnnotation | None:
    category_id = as_id(record.get("category_id"))
    if category_id is None or category_id not in names:
        source.report(f"its category {str(record.get('category_id'))[:40]!r} is not listed; skipped", place)
        return None
    class_name = source.check_class(names[category_id], place)
    if class_name is None:
        return None
    point = _only_keypoint(record)
    mark = source.check_center(class_name, point, place) if point else _read_box(record, class_name, source, place)
    remarks = as_record(record.get("attributes"))
    return with_remarks(mark, note=as_text(remarks.get("note")), is_flagged=remarks.get("flagged") is True)


def _read_box(record: JsonRecord, class_name: str, source: MarkSource, place: Place) -> PlannedAnnotation | None:
    """Return the box of an annotation, or the click that our own export wrote it for."""
    values = [as_number(value) for value in as_list(record.get("bbox"))]
    if not values and record.get("segmentation"):
        return source.check_outline(class_name, _outline_points(record), place)
    if len(values) != 4 or any(value is None for value in values):
        source.report(f"the box of a {class_name!r} lacks a number; skipped", place)
        return None
    x, y, width, height = (value for value in values if value is not None)
    box = Box(x, y, x + width, y + height)
    attributes = as_record(record.get("attributes"))
    click = as_point(attributes.get("center"))
    if click is not None and is_inside(*click, source.image.width, source.image.height):
        return source.check_center(class_name, click, place, size_px=as_number(attributes.get("size_px")))
    return source.check_box(class_name, _exact_box(box, attributes), place)


def _only_keypoint(record: JsonRecord) -> Point | None:
    """Return the point of an annotation that is nothing else: one key point `x, y, visibility`, and no area."""
    keypoints, box = as_list(record.get("keypoints")), as_list(record.get("bbox"))
    has_area = len(box) == 4 and all((as_number(side) or 0) > 0 for side in box[2:])
    return as_point(keypoints) if len(keypoints) == 3 and as_number(keypoints[2]) and not has_area else None


def _exact_box(box: Box, attributes: JsonRecord) -> Box:
    """Return the corners that our export wrote beside the box, where they still mean the same box."""
    values = [as_number(value) for value in as_list(attributes.get("box"))]
    if len(values) != 4:
        return box
    corners = (box.x0, box.y0, box.x1, box.y1)
    exact = [
        value for value, near in zip(values, corners, strict=True) if value is not None and abs(value - near) < EXACT_PX
    ]
    return Box(*exact) if len(exact) == 4 else box


def _outline_points(record: JsonRecord) -> list[Point]:
    """Return the points of all polygons of an annotation without a box; a mask in run lengths gives none."""
    points: list[Point] = []
    for polygon in as_list(record.get("segmentation")):
        numbers = [as_number(value) for value in as_list(polygon)]
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        points.extend((x, y) for x, y in pairs if x is not None and y is not None)
    return points
