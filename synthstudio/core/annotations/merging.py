"""Which marks of an import an FOV does not have yet."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthstudio.core.geometry import clip_box
from synthstudio.domain.plans import PlannedAnnotation, PlannedFov, Problem
from synthstudio.domain.records import Box

SAME_PX = 0.5
"""Marks of a class whose corners differ by no more are the same: half a pixel is less than a click's precision."""

Cell = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Extent:
    """A mark as far as its being the same as another goes.

    Attributes:
        box: The box, or the square of the size around a centre, cut at the edges of the image; the point itself where
            there is no size.
        is_click: It is a centre.
    """

    class_name: str
    x: float
    y: float
    box: Box
    is_click: bool


def build_extent(mark: PlannedAnnotation, size_px: float | None, *, width: int, height: int) -> Extent:
    """Return the extent of a mark on an image of this size; `size_px` is that of its class."""
    if mark.box is not None:
        return Extent(mark.class_name, *mark.box.center, mark.box, is_click=False)
    half = (mark.size_px or size_px or 0.0) / 2
    square = Box(mark.x - half, mark.y - half, mark.x + half, mark.y + half)
    return Extent(mark.class_name, mark.x, mark.y, clip_box(square, width, height) or square, is_click=True)


def find_new(planned: Sequence[Extent], existing: Iterable[Extent]) -> list[int]:
    """Return the indices of the planned marks that are not there yet.

    A centre is also the same as the box of its size: formats without centres give it back as one. Each existing mark
    stands for one planned mark, so that two equal marks of a file stay two.
    """
    grid: dict[Cell, list[Extent]] = defaultdict(list)
    for extent in existing:
        grid[_cell(extent)].append(extent)
    new: list[int] = []
    for index, extent in enumerate(planned):
        twin = next((other for other in _iter_near(extent, grid) if _is_same(extent, other)), None)
        if twin is None:
            new.append(index)
        else:
            grid[_cell(twin)].remove(twin)
    return new


def find_twins(fovs: Iterable[PlannedFov]) -> list[Problem]:
    """Name each image that a data set has twice, under two names: merged, its marks are the sum of two opinions."""
    firsts: dict[tuple[str, int | None], PlannedFov] = {}
    twins: list[Problem] = []
    for fov in fovs:
        first = firsts.setdefault(fov.content, fov)
        if first is not fov and fov.annotations:
            twins.append(Problem(fov.path.name, f"is the same image as {first.path.name}; the marks of both are kept"))
    return twins


def _cell(extent: Extent) -> Cell:
    x, y = extent.box.center
    return extent.class_name, int(x // 2), int(y // 2)


def _iter_near(extent: Extent, grid: dict[Cell, list[Extent]]) -> Iterable[Extent]:
    name, column, row = _cell(extent)
    for dx in (0, -1, 1):
        for dy in (0, -1, 1):
            yield from grid.get((name, column + dx, row + dy), ())


def _is_same(first: Extent, second: Extent) -> bool:
    if first.is_click and second.is_click:
        return abs(first.x - second.x) <= SAME_PX and abs(first.y - second.y) <= SAME_PX
    one, other = first.box, second.box
    differences = (one.x0 - other.x0, one.y0 - other.y0, one.x1 - other.x1, one.y1 - other.y1)
    return all(abs(difference) <= SAME_PX for difference in differences)
