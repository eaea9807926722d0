"""What the pointer is doing, as frozen records: where it is, what lies under it, the draft, the wishes that arise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Box

ToolName = Literal["select", "center", "box", "lasso", "ruler", "calibrate"]


class Handle(NamedTuple):
    """A grip of a box: -1, 0, 1 for its left, middle, right and top, middle, bottom."""

    side_x: int
    side_y: int


HANDLES = tuple(Handle(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != (0, 0))


class Line(NamedTuple):
    """A straight way between two places in image px."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def length(self) -> float:
        return math.hypot(self.x1 - self.x0, self.y1 - self.y0)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, in image px and in widget px, and which modifiers are held."""

    x: float
    y: float
    widget_x: float
    widget_y: float
    shift: bool = False
    ctrl: bool = False
    alt: bool = False

    @property
    def place(self) -> tuple[float, float]:
        """x, y in image px."""
        return self.x, self.y


@dataclass(frozen=True, slots=True)
class Target:
    """What lies under a press: a grip, a centre within grabbing distance, a mark."""

    handle: tuple[AnnotationId, Handle] | None = None
    grabbed: AnnotationId | None = None
    mark: AnnotationId | None = None


@dataclass(frozen=True, slots=True)
class MarkPress:
    """A press on a mark that is not yet a drag. `adds`: Shift was held, the selection is extended."""

    id: AnnotationId
    start: Pointer
    adds: bool


@dataclass(frozen=True, slots=True)
class MoveDraft:
    """Marks being dragged by (dx, dy) image px; `bounds` is what must stay inside the image."""

    ids: frozenset[AnnotationId]
    start: Pointer
    bounds: Box
    dx: float = 0.0
    dy: float = 0.0


@dataclass(frozen=True, slots=True)
class BandDraft:
    """A rubber band from its start to the pointer."""

    start: Pointer
    end: Pointer
    adds: bool

    @property
    def area(self) -> Box:
        return box_between(self.start.place, self.end.place)


@dataclass(frozen=True, slots=True)
class BoxDraft:
    """A box being drawn from its start to the pointer.

    Attributes:
        mark: What a click without a drag selects.
        is_pinned: The first corner was clicked, and the button is up: the next click sets the second.
    """

    start: Pointer
    end: Pointer
    box: Box
    mark: AnnotationId | None
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class ResizeDraft:
    """A box whose grip is being dragged."""

    id: AnnotationId
    handle: Handle
    original: Box
    start: Pointer
    box: Box


@dataclass(frozen=True, slots=True)
class LassoDraft:
    """A loop being drawn round what is to be selected, in image px."""

    start: Pointer
    end: Pointer
    points: tuple[tuple[float, float], ...]
    adds: bool


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line being drawn to measure, or to calibrate, in image px."""

    start: Pointer
    line: Line
    calibrates: bool


Draft = MarkPress | MoveDraft | BandDraft | BoxDraft | ResizeDraft | LassoDraft | LineDraft


@dataclass(frozen=True, slots=True)
class SelectWish:
    ids: frozenset[AnnotationId]


@dataclass(frozen=True, slots=True)
class BandWish:
    """Select what has its centre in the area; `adds` keeps what is selected already."""

    area: Box
    adds: bool


@dataclass(frozen=True, slots=True)
class CenterWish:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class BoxWish:
    box: Box


@dataclass(frozen=True, slots=True)
class MoveWish:
    ids: frozenset[AnnotationId]
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class ResizeWish:
    id: AnnotationId
    box: Box


@dataclass(frozen=True, slots=True)
class LassoWish:
    """Select what has its centre in the loop; `adds` keeps what is selected already."""

    points: tuple[tuple[float, float], ...]
    adds: bool


@dataclass(frozen=True, slots=True)
class LineWish:
    """Keep the ruler's line in view, or calibrate by it."""

    line: Line
    calibrates: bool


Wish = SelectWish | BandWish | CenterWish | BoxWish | MoveWish | ResizeWish | LassoWish | LineWish


def box_between(first: tuple[float, float], last: tuple[float, float]) -> Box:
    """The box with these two corners, whichever lies further left or up."""
    return Box(min(first[0], last[0]), min(first[1], last[1]), max(first[0], last[0]), max(first[1], last[1]))
