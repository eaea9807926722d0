"""What every reader asks of a mark: a class that is wanted, numbers that lie on the image."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.annotations.planning import PlanBuilder
from synthstudio.core.annotations.texts import clean_name, clean_note
from synthstudio.core.fields.images import ImageFile
from synthstudio.core.geometry import clip_box, is_inside
from synthstudio.domain.plans import PlannedAnnotation
from synthstudio.domain.records import Box

# What tools that count from 0, or that include the end, may be off by.
TOLERANCE_PX = 1.0
MAX_SIZE_PX = 1e9

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file a mark stands: the name of its record, or its line."""

    record: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class MarkSource:
    """The annotation file that is being read, and the image that it speaks of."""

    path: Path
    image: ImageFile
    builder: PlanBuilder

    def report(self, message: str, place: Place) -> None:
        """Note what is wrong with one mark."""
        self.builder.report(self.path, f"{place.record}: {message}" if place.record else message, place.line)

    def check_class(self, text: str, place: Place) -> str | None:
        """Return the name of a class, or None after reporting that it is empty or not wanted."""
        name = clean_name(text)
        if not name:
            self.report("an object without a class name is skipped", place)
            return None
        if not self.builder.is_accepted(name):
            self.report(f"the class {name!r} is not in the list; object skipped", place)
            return None
        return name

    def check_center(
        self, class_name: str, point: Point, place: Place, *, size_px: float | None = None
    ) -> PlannedAnnotation | None:
        """Return a centre that lies on the image, or None after reporting that it does not."""
        x, y = point
        if not is_inside(x, y, self.image.width, self.image.height):
            self.report(f"the centre ({x:g}, {y:g}) of a {class_name!r} is outside the {self._size()}; skipped", place)
            return None
        usable = size_px is not None and 0 < size_px < MAX_SIZE_PX
        return PlannedAnnotation(class_name, x, y, size_px=size_px if usable else None)

    def check_box(self, class_name: str, box: Box, place: Place) -> PlannedAnnotation | None:
        """Return the part of a box on the image, or None after reporting that it has no area there."""
        shown = f"{box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g}"
        if not (box.width > 0 and box.height > 0):
            self.report(f"the box of a {class_name!r} has no area ({shown}); skipped", place)
            return None
        cut = self.cut_box(class_name, box, place, shown=shown)
        return None if cut is None else PlannedAnnotation(class_name, *cut.center, cut)

    def cut_box(self, class_name: str, box: Box, place: Place, *, shown: str) -> Box | None:
        """Return the part of a box inside the image, or None after reporting that there is none."""
        cut = clip_box(box, self.image.width, self.image.height)
        if cut is None or min(cut.width, cut.height) < 1 <= min(box.width, box.height):
            self.report(f"the box of a {class_name!r} ({shown}) is outside the {self._size()}; skipped", place)
            return None
        if max(cut.x0 - box.x0, cut.y0 - box.y0, box.x1 - cut.x1, box.y1 - cut.y1) > TOLERANCE_PX:
            text = f"the box of a {class_name!r} ({shown}) reaches out of the {self._size()}; it is cut at the edge"
            self.report(text, place)
        return cut

    def check_outline(self, class_name: str, points: Sequence[Point], place: Place) -> PlannedAnnotation | None:
        """Return the bounding box of an outline; that the outline itself is lost is reported."""
        if not points:
            self.report(f"the outline of a {class_name!r} has no points; skipped", place)
            return None
        found = self.check_box(class_name, bounding_box(points), place)
        if found is not None:
            self.report(f"the outline of a {class_name!r} is read as its bounding box", place)
        return found

    def check_stated_size(self, width: float | None, height: float | None) -> None:
        """Report where a file gives the image another size than it has; many tools write 0 for "unknown"."""
        if not width or not height or (width, height) == (self.image.width, self.image.height):
            return
        has = f"{self.image.width} x {self.image.height}"
        self.builder.report(
            self.path, f"says {width:g} x {height:g} px, but {self.image.path.name} has {has}; check that the marks fit"
        )

    def _size(self) -> str:
        return f"{self.image.width} x {self.image.height} px image"


def with_remarks(mark: PlannedAnnotation | None, *, note: str, is_flagged: bool) -> PlannedAnnotation | None:
    """Return a mark with what a person has remarked about it."""
    note = clean_note(note)
    return dataclasses.replace(mark, note=note, is_flagged=is_flagged) if mark and (note or is_flagged) else mark


def bounding_box(points: Sequence[Point]) -> Box:
    """Return the smallest box around points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(min(xs), min(ys), max(xs), max(ys))


def is_rectangle(points: Sequence[Point]) -> bool:
    """Whether an outline is the upright rectangle that its bounding box is, closed or not."""
    corners = list(points[:-1]) if len(points) == 5 and points[0] == points[-1] else list(points)
    if len(corners) != 4:
        return False
    box = bounding_box(corners)
    around = [(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)]
    start = around.index(corners[0]) if corners[0] in around else 0
    turned = around[start:] + around[:start]
    return corners == turned or corners == [turned[0], *turned[:0:-1]]
