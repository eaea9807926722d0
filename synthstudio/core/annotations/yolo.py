"""YOLO: a text file per image with `class x_center y_center width height` a line, as shares of the image's sides.

The class is a number; its name stands in `data.yaml` (or `classes.txt`), where the splits stand as well. Outlines
(`class x1 y1 x2 y2 ...`) are read as their bounding boxes. A label file, even an empty one, says that every object of
its image is marked.

Shares times sides are rounded to a millionth of a px: without that, hardly any whole number would come back whole.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_files
from synthstudio.core.annotations.mark_checks import MarkSource, Place, bounding_box
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import measure_box_sizes
from synthstudio.core.annotations.texts import decode_text
from synthstudio.core.annotations.yolo_names import YoloFacts, is_other_text, read_yolo_facts
from synthstudio.core.fields.images import find_images
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, Box

DECIMALS = 6
# A share beyond this is no rounding error: the file has px, or is no YOLO file.
MAX_SHARE = 4.0
MAX_CLASS_DIGITS = 4


@dataclass(slots=True)
class _File:
    """A label file that is being read."""

    source: MarkSource
    facts: YoloFacts
    outlines: list[int] = field(default_factory=list)


def read_yolo(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all label files in the folder and below; see `Reader`.

    Images beside the annotated ones that have no label file come along without annotations.
    """
    if root.suffix.casefold() in (".yaml", ".yml") and root.is_file():
        root = root.parent
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    facts = read_yolo_facts(root, builder)
    paths = [path for path in find_files(root, ".txt") if not is_other_text(path) and not _is_list(path, facts)]
    if not paths:
        raise UserError(f"{root} holds no YOLO labels (*.txt).", "Choose the folder that holds them.")
    for number, path in enumerate(paths):
        tick(number, len(paths))
        _read_file(path, index, builder, facts, image_root=image_root)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=facts.find_split(path, image_root)))
    tick(len(paths), len(paths))
    named = [name for name in facts.names if builder.is_accepted(name)]
    classes = list(dict.fromkeys([*named, *list_classes(builder.fovs)]))
    return builder.build(classes, sizes_px=measure_box_sizes(builder.fovs))


def _is_list(path: Path, facts: YoloFacts) -> bool:
    return bool(facts.listed) and path.stem.casefold() in ("trainval", "validation", "valid")


def _read_file(path: Path, index: ImageIndex, builder: PlanBuilder, facts: YoloFacts, *, image_root: Path) -> None:
    data = builder.read_text(path)
    if data is None:
        return
    image = builder.take_image(path, index.find(path), path.stem)
    if image is None:
        return
    file = _File(MarkSource(path, image, builder), facts)
    found: list[PlannedAnnotation] = []
    for number, line in enumerate(decode_text(data).splitlines(), start=1):
        if line.strip() and (mark := _read_line(line.split(), file, Place(line=number))) is not None:
            found.append(mark)
    if file.outlines:
        n, first = len(file.outlines), file.outlines[0]
        what = "1 outline is read as its bounding box" if n == 1 else f"{n} outlines are read as their bounding boxes"
        builder.report(path, what, first)
    builder.add(image, Marks(facts.find_split(image.path, image_root), AnnotationState.EXHAUSTIVE, tuple(found)))


def _read_line(fields: list[str], file: _File, place: Place) -> PlannedAnnotation | None:
    source = file.source
    shares = [_to_share(text) for text in fields[1:]]
    good = [share for share in shares if share is not None]
    if len(good) < len(shares) or len(good) < 4:
        shown = " ".join(fields)[:60]
        source.report(f"{shown!r} is not of the form 'class x y width height' in shares of 1; line skipped", place)
        return None
    class_name = source.check_class(_class_name(fields[0], file, place), place)
    if class_name is None:
        return None
    is_outline = len(good) >= 6 and len(good) % 2 == 0 and not file.facts.has_keypoints
    box = source.check_box(class_name, _outline_box(good, file) if is_outline else _box(good, file), place)
    if box is not None and is_outline:
        file.outlines.append(place.line or 0)
    return box


def _class_name(text: str, file: _File, place: Place) -> str:
    """Return the name of a class number, or the text itself where it is none; an empty one after reporting."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_CLASS_DIGITS):
        return text
    names = file.facts.names
    if not names:
        return f"class {int(text)}"
    if int(text) >= len(names):
        file.source.report(f"class number {text} is beyond the {len(names)} class names", place)
        return ""
    return names[int(text)]


def _to_share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= MAX_SHARE else None


def _box(shares: list[float], file: _File) -> Box:
    x, y, width, height = shares[:4]
    return _scaled(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), file)


def _outline_box(shares: list[float], file: _File) -> Box:
    return _scaled(bounding_box(list(zip(shares[::2], shares[1::2], strict=True))), file)


def _scaled(shares: Box, file: _File) -> Box:
    width, height = file.source.image.width, file.source.image.height
    return Box(
        round(shares.x0 * width, DECIMALS),
        round(shares.y0 * height, DECIMALS),
        round(shares.x1 * width, DECIMALS),
        round(shares.y1 * height, DECIMALS),
    )
