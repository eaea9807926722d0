"""The centers format: a text file per image with one object a line, `x y class`, in px.

The class is a name, or a number that counts the lines of a file of class names from 0. Without such a file, class
number 3 is called "class 3": a bare "3" would look like the key that selects a class. Coordinates are taken as they
stand: the centre of the top left pixel may be meant by 0 or by 0.5, half a pixel is less than a click's precision.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from synthstudio.core.annotations.image_index import ImageIndex, find_files
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import estimate_center_sizes
from synthstudio.core.annotations.split_folders import find_folder_split
from synthstudio.core.annotations.texts import clean_name, decode_text
from synthstudio.core.annotations.yolo_names import is_other_text, read_class_names
from synthstudio.core.fields.images import ImageFile, find_images, natural_key
from synthstudio.core.geometry import is_inside
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState

SEPARATORS = re.compile(r"[\s,;]+")


def read_centers(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all centre files in the folder and below; see `Reader`.

    Images beside the annotated ones that have no text file come along without annotations.
    """
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    text_paths = [path for path in find_files(root, ".txt") if not is_other_text(path)]
    if not text_paths:
        raise UserError(f"{root} holds no centre files (*.txt).", "Choose the folder that holds them.")
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    names = _ClassNames(read_class_names(root, builder), options.known_classes)
    for number, path in enumerate(text_paths):
        tick(number, len(text_paths))
        _read_text_file(path, index, builder, names, root)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=find_folder_split(path, root)))
    tick(len(text_paths), len(text_paths))
    sizes_px = estimate_center_sizes(builder.fovs)
    classes = names.in_order(list_classes(builder.fovs))
    return builder.build(classes, sizes_px=sizes_px, estimated=frozenset(sizes_px))


def _read_text_file(path: Path, index: ImageIndex, builder: PlanBuilder, names: "_ClassNames", root: Path) -> None:
    data = builder.read_text(path)
    if data is None:
        return
    image = builder.take_image(path, index.find(path), path.stem)
    if image is None:
        return
    found: list[PlannedAnnotation] = []
    for number, line in enumerate(decode_text(data).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#") or (number == 1 and _is_heading(line)):
            continue
        try:
            found.append(_parse_line(line, image, names, builder))
        except _BadLine as error:
            builder.report(path, str(error), number)
    state = AnnotationState.PARTIAL if found else AnnotationState.NONE
    builder.add(image, Marks(find_folder_split(path, root), state, tuple(found)))


class _BadLine(Exception):
    """A line that is skipped, and why."""


def _is_heading(line: str) -> bool:
    return [field.casefold() for field in SEPARATORS.split(line.strip())[:2]] == ["x", "y"]


def _parse_line(line: str, image: ImageFile, names: "_ClassNames", builder: PlanBuilder) -> PlannedAnnotation:
    fields = SEPARATORS.split(line.strip(), maxsplit=2)
    if len(fields) != 3 or not clean_name(fields[2]):
        raise _BadLine(f"{line.strip()[:60]!r} is not of the form 'x y class'; line skipped")
    try:
        x, y = float(fields[0]), float(fields[1])
    except ValueError:
        raise _BadLine(f"{line.strip()[:60]!r} does not begin with two numbers; line skipped") from None
    if not (math.isfinite(x) and math.isfinite(y) and is_inside(x, y, image.width, image.height)):
        raise _BadLine(
            f"the centre ({x:g}, {y:g}) is outside the {image.width} x {image.height} px image; line skipped"
        )
    class_name = names.find(clean_name(fields[2]))
    if not builder.is_accepted(class_name):
        raise _BadLine(f"the class {class_name!r} is not in the list; line skipped")
    return PlannedAnnotation(class_name, x, y)


class _ClassNames:
    """Turns what stands in a line into the name of a class."""

    def __init__(self, listed: Sequence[str], known: Sequence[str] | None) -> None:
        # A project's fixed list serves as the file of names where the data set brings none.
        self._listed = list(listed) or [
            name for name in known or () if not any(name.isdecimal() for name in known or ())
        ]

    def find(self, text: str) -> str:
        """Return the class name for a name or a number.

        Raises:
            _BadLine: The number is beyond the end of the list of names.
        """
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            return text
        if not self._listed:
            return f"class {int(text)}"
        if int(text) >= len(self._listed):
            raise _BadLine(f"class number {text} is beyond the {len(self._listed)} class names; line skipped")
        return self._listed[int(text)]

    def in_order(self, names: Sequence[str]) -> list[str]:
        """Return the classes in the order of the list, else sorted as people count."""
        return sorted(names, key=lambda name: (self._rank(name), natural_key(name)))

    def _rank(self, name: str) -> int:
        return self._listed.index(name) if name in self._listed else len(self._listed)
