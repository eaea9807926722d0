"""Pascal VOC: one XML file per image, splits in ImageSets/Main.

Coordinates. VOC counts pixels from 1 and includes the last one (Everingham et al. 2010, development kit): a box
`xmin, xmax` covers the pixels xmin..xmax, which in our end-exclusive coordinates is `x0 = xmin - 1, x1 = xmax`. BCCD
agrees: its boxes run from 1 to the width. Tools that count from 0 write `xmin = 0`; the pixel that then sticks out is
cut without a word. The subtraction is done in decimals, so that what `write_voc` wrote comes back exactly.
"""

from decimal import Context, Decimal
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_files
from synthstudio.core.annotations.mark_checks import MarkSource, Place
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import measure_box_sizes
from synthstudio.core.annotations.texts import clean_name
from synthstudio.core.annotations.voc_splits import VocSplits, read_voc_splits
from synthstudio.core.annotations.xml_nodes import XmlError, XmlNode, parse_xml
from synthstudio.core.fields.images import find_images
from synthstudio.core.geometry import is_inside
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, Box

# Enough digits for the difference of any two doubles.
EXACT = Context(prec=800)


def read_voc(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all VOC annotation files in the folder and below; see `Reader`.

    Images beside the annotated ones that have no annotation file come along without annotations.
    """
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    xml_paths = find_files(root, ".xml")
    if not xml_paths:
        raise UserError(f"{root} holds no Pascal VOC annotations (*.xml).", "Choose the folder that holds them.")
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    splits = read_voc_splits(root, builder)
    for number, path in enumerate(xml_paths):
        tick(number, len(xml_paths))
        _read_annotation_file(path, index, builder, splits)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=splits.find(path.stem)))
    splits.report_missing(builder)
    tick(len(xml_paths), len(xml_paths))
    return builder.build(list_classes(builder.fovs), sizes_px=measure_box_sizes(builder.fovs))


def _read_annotation_file(path: Path, index: ImageIndex, builder: PlanBuilder, splits: VocSplits) -> None:
    root = _parse(path, builder)
    if root is None:
        return
    stated = root.text_of("filename")
    image = builder.take_image(path, index.find(path, stated), stated or path.stem)
    if image is None:
        return
    source = MarkSource(path, image, builder)
    _check_stated_size(root, source)
    found = [_read_object(node, source) for node in root.find_all("object")]
    annotations = tuple(annotation for annotation in found if annotation is not None)
    builder.add(image, Marks(splits.find(path.stem), _read_state(root), annotations))


def _parse(path: Path, builder: PlanBuilder) -> XmlNode | None:
    data = builder.read_text(path)
    if data is None:
        return None
    try:
        root = parse_xml(data)
    except XmlError as error:
        builder.report(path, error.message, error.line)
        return None
    if root.name != "annotation":
        builder.report(path, f"is no Pascal VOC annotation: it begins with <{root.name[:40]}>", root.line)
        return None
    return root


def _read_state(root: XmlNode) -> AnnotationState:
    """VOC annotates every object of an image, unless the element of our own export says otherwise."""
    stated = root.text_of("annotation_state")
    return AnnotationState(stated) if stated in set(AnnotationState) else AnnotationState.EXHAUSTIVE


def _check_stated_size(root: XmlNode, source: MarkSource) -> None:
    size = root.find("size")
    if size is None:
        return
    stated = [_to_decimal(size.text_of(name)) for name in ("width", "height")]
    # Many tools write 0 x 0 where they do not know.
    if None in stated or 0 in stated or stated == [source.image.width, source.image.height]:
        return
    message = f"says {stated[0]:f} x {stated[1]:f} px, but the image has {source.image.width} x {source.image.height}"
    source.builder.report(source.path, f"{message}; check that the boxes fit", size.line)


def _read_object(node: XmlNode, source: MarkSource) -> PlannedAnnotation | None:
    """Return the annotation of one `<object>`, or None after reporting what is wrong with it."""
    class_name = clean_name(node.text_of("name"))
    if not class_name:
        source.builder.report(source.path, "an object without a class name is skipped", node.line)
        return None
    if not source.builder.is_accepted(class_name):
        source.builder.report(source.path, f"the class {class_name!r} is not in the list; object skipped", node.line)
        return None
    # The click first: the square around one at the very edge may have no area left.
    point = _read_point(node)
    if point is not None and is_inside(point[0], point[1], source.image.width, source.image.height):
        return PlannedAnnotation(class_name, point[0], point[1], size_px=point[2])
    box = _read_box(node, class_name, source)
    return None if box is None else PlannedAnnotation(class_name, *box.center, box)


def _read_box(node: XmlNode, class_name: str, source: MarkSource) -> Box | None:
    corners = node.find("bndbox")
    names = ("xmin", "ymin", "xmax", "ymax")
    values = [_to_decimal(corners.text_of(name)) if corners else None for name in names]
    xmin, ymin, xmax, ymax = values
    if xmin is None or ymin is None or xmax is None or ymax is None:
        source.builder.report(source.path, f"the box of a {class_name!r} lacks a number; object skipped", node.line)
        return None
    shown = f"{xmin:f}, {ymin:f}, {xmax:f}, {ymax:f}"
    if xmax <= xmin or ymax <= ymin:
        source.builder.report(source.path, f"the box of a {class_name!r} has no area ({shown}); skipped", node.line)
        return None
    box = Box(
        float(EXACT.subtract(xmin, Decimal(1))), float(EXACT.subtract(ymin, Decimal(1))), float(xmax), float(ymax)
    )
    return source.cut_box(class_name, box, Place(line=node.line), shown=shown)


def _read_point(node: XmlNode) -> tuple[float, float, float | None] | None:
    """Return centre and own size of an object that our export wrote as a square around a click."""
    point = node.find("point")
    if point is None:
        return None
    x, y, size = (_to_decimal(point.text_of(name)) for name in ("x", "y", "size"))
    if x is None or y is None:
        return None
    return float(x), float(y), float(size) if size and size > 0 else None


def _to_decimal(text: str) -> Decimal | None:
    """Return a number of a plausible size, or None: no image is larger than a billion pixels across."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() and abs(value) < 10**9 else None
