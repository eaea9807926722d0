"""CSV tables: one mark a row, under a heading that names the columns.

`x, y` is a centre; `x0, y0, x1, y1` (end exclusive) or a corner with `width, height` is a box; a row with an image
alone says that it has no marks. Where there is no column for the image, the file belongs to the image of its stem.
Delimiter and encoding are found out; a decimal comma is understood where the comma does not delimit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthstudio.core.annotations.csv_rows import BadTable, Row, iter_rows
from synthstudio.core.annotations.image_index import ImageIndex, find_annotation_files
from synthstudio.core.annotations.json_values import MAX_COORDINATE
from synthstudio.core.annotations.mark_checks import MarkSource, Place, with_remarks
from synthstudio.core.annotations.planning import DEFAULT_OPTIONS, Marks, PlanBuilder, ReadOptions, list_classes
from synthstudio.core.annotations.sizes import find_sizes
from synthstudio.core.annotations.split_folders import find_folder_split, find_split
from synthstudio.core.annotations.texts import clean_name, decode_text
from synthstudio.core.fields.images import find_images
from synthstudio.domain.plans import ImportPlan, PlannedAnnotation
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import AnnotationState, Box, Split

MAX_TABLE_BYTES = 1 << 30

# What tools call the columns, in lower case without spaces, dashes and underscores.
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "filename", "file", "imagepath", "imagename", "imageid", "path", "img"),
    "class": ("class", "label", "classname", "category", "classification", "name", "type"),
    "center_x": ("cx", "centerx", "xcenter", "centroidx", "xcentre", "centrex"),
    "center_y": ("cy", "centery", "ycenter", "centroidy", "ycentre", "centrey"),
    "x": ("x", "xpx"),
    "y": ("y", "ypx"),
    "x0": ("x0", "xmin", "left", "bx"),
    "y0": ("y0", "ymin", "top", "by"),
    "x1": ("x1", "xmax", "right"),
    "y1": ("y1", "ymax", "bottom"),
    "width": ("width", "w"),
    "height": ("height", "h"),
    "size_px": ("sizepx", "size", "diameter"),
    "split": ("split", "subset", "set"),
    "sample": ("sample", "patient", "specimen"),
    "state": ("annotationstate",),
    "note": ("note", "notes", "comment", "remark"),
    "flagged": ("flagged",),
}
TEXTS = frozenset({"image", "class", "split", "sample", "state", "note", "flagged"})
YES = frozenset({"true", "yes", "1", "x"})
CORNERS = ("x0", "y0", "x1", "y1")


@dataclass(slots=True)
class _Table:
    """A table that is being read: its rows by what they call their image."""

    path: Path
    rows: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)


def read_csv(root: Path, options: ReadOptions = DEFAULT_OPTIONS, *, tick: Tick = no_tick) -> ImportPlan:
    """Read all tables in the folder and below, or one file; see `Reader`.

    Images beside the annotated ones that have no row come along without annotations.
    """
    paths, root = find_annotation_files(root, (".csv", ".tsv"), "tables (*.csv, *.tsv)")
    image_root = options.images or root
    index = ImageIndex(find_images(image_root))
    builder = PlanBuilder(root, options, default_naming="stem", image_root=image_root)
    for path in paths:
        _read_table(path, index, builder, root, tick=tick)
    for path in index.list_beside(builder.taken):
        if image := builder.open_image(path):
            builder.add(image, Marks(split=find_folder_split(path, root)))
    sizes_px, estimated = find_sizes(builder.fovs)
    return builder.build(list_classes(builder.fovs), sizes_px=sizes_px, estimated=estimated)


def _read_table(path: Path, index: ImageIndex, builder: PlanBuilder, root: Path, *, tick: Tick) -> None:
    data = builder.read_text(path, max_bytes=MAX_TABLE_BYTES)
    if data is None:
        return
    table = _Table(path)
    try:
        for line, row in _iter_rows(decode_text(data)):
            table.rows.setdefault(row.get("image", ""), []).append((line, row))
    except BadTable as error:
        builder.report(path, str(error), error.line)
    for number, stated in enumerate(table.rows):
        tick(number, len(table.rows))
        _read_image(table, stated, index, builder, root)
    tick(len(table.rows), len(table.rows))


def is_table_of_marks(beginning: str) -> bool:
    """Whether a table that begins so has the columns of marks; others list attributes of images."""
    try:
        next(_iter_rows(beginning), None)
    except (BadTable, StopIteration, RuntimeError):  # an empty table has no heading
        return False
    return True


def _iter_rows(text: str) -> Iterator[tuple[int, Row]]:
    """Yield the line number and the known columns of each row of marks. Raises BadTable."""
    rows = iter_rows(text, COLUMN_NAMES, texts=TEXTS)
    line, heading = next(rows)
    _check_columns(heading, line)
    yield from rows


def _check_columns(columns: Row, line: int) -> None:
    has_place = {"x", "y"} <= set(columns) or {"center_x", "center_y"} <= set(columns) or {"x0", "y0"} <= set(columns)
    if "class" not in columns or not has_place:
        expected = "image, class and x, y or x0, y0, x1, y1"
        raise BadTable(f"has no heading with the columns {expected}; the table is left out", line)


def _read_image(table: _Table, stated: str, index: ImageIndex, builder: PlanBuilder, root: Path) -> None:
    path, rows = table.path, table.rows[stated]
    image_path = index.find_named(path, stated) if stated else index.find(path)
    image = builder.take_image(path, image_path, stated or path.stem)
    if image is None:
        return
    source = MarkSource(path, image, builder)
    marks = tuple(mark for line, row in rows for mark in _read_row(row, source, Place(line=line)))
    first = rows[0][1]
    state = first.get("state", "")
    default = AnnotationState.PARTIAL if marks else AnnotationState.NONE
    builder.add(
        image,
        Marks(
            _read_split(first) or find_folder_split(image.path, root) or find_split(path.stem),
            AnnotationState(state) if state in set(AnnotationState) else default,
            marks,
        ),
        sample=clean_name(first.get("sample", "")),
    )


def _read_split(row: Row) -> Split | None:
    return find_split(row.get("split", ""))


def _read_row(row: Row, source: MarkSource, place: Place) -> list[PlannedAnnotation]:
    """Return the mark of a row; none where it is empty, as an image without marks has it, or after reporting why."""
    numbers = {name: value for name, value in row.items() if name not in TEXTS}
    if not row.get("class") and not any(numbers.values()):
        return []
    class_name = source.check_class(row.get("class", ""), place)
    if class_name is None:
        return []
    values: dict[str, float] = {}
    for name, text in numbers.items():
        if text:
            number = _to_number(text)
            if number is None:
                source.report(f"{name} is {text[:40]!r}, which is no number of px; row skipped", place)
                return []
            values[name] = number
    mark = _read_mark(class_name, values, source, place)
    mark = with_remarks(mark, note=row.get("note", ""), is_flagged=row.get("flagged", "").casefold() in YES)
    return [] if mark is None else [mark]


def _read_mark(class_name: str, values: dict[str, float], source: MarkSource, place: Place) -> PlannedAnnotation | None:
    has = values.keys()
    if {*CORNERS} <= has:
        return source.check_box(class_name, Box(*(values[name] for name in CORNERS)), place)
    if {"width", "height"} <= has and (corner := _corner(values)) is not None:
        x, y = corner
        return source.check_box(class_name, Box(x, y, x + values["width"], y + values["height"]), place)
    for x_name, y_name in (("center_x", "center_y"), ("x", "y")):
        if {x_name, y_name} <= has:
            return source.check_center(
                class_name, (values[x_name], values[y_name]), place, size_px=values.get("size_px")
            )
    source.report(f"a {class_name!r} has neither a centre nor a whole box; row skipped", place)
    return None


def _corner(values: dict[str, float]) -> tuple[float, float] | None:
    """Return the top left corner of a box with width and height: x, y mean it there, as in COCO and most tools."""
    if {"center_x", "center_y"} <= values.keys():
        return values["center_x"] - values["width"] / 2, values["center_y"] - values["height"] / 2
    names = ("x0", "y0") if {"x0", "y0"} <= values.keys() else ("x", "y")
    return (values[names[0]], values[names[1]]) if {*names} <= values.keys() else None


def _to_number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < MAX_COORDINATE else None
