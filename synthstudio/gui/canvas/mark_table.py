"""Marks of one FOV as columns: culling and hit testing are a few comparisons over arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import Box, ObjectClass

GRAB_MIN_PX, GRAB_MAX_PX = 5.0, 10.0
"""Widget px around a centre within which a press takes hold of it instead of setting a new one."""
POINT_RADIUS_PX = 8.0
"""Widget px: the smallest half extent a mark is hit at, however small it is drawn."""

PIECE = 4096
"""Records that become columns in one call: where a table is made off the GUI thread, that one waits no longer."""

_N_NUMBERS = 8  # id, class row, centre x, y, extent x0, y0, x1, y1


class Mark(Protocol):
    """What a record must have to be drawn and hit: a place, a class, and a box or a size."""

    @property
    def id(self) -> int: ...
    @property
    def class_id(self) -> ClassId: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def box(self) -> Box | None: ...
    @property
    def size_px(self) -> float | None: ...


MarkId = TypeVar("MarkId", bound=int)
Record = TypeVar("Record", bound=Mark)
Number = TypeVar("Number", bound=np.generic)


def widened(columns: NDArray[Number], capacity: int) -> NDArray[Number]:
    """Columns (..., N) with room for `capacity` rows instead of N, the new ones 0; each step to another FOV asks it."""
    wide = np.zeros((*columns.shape[:-1], capacity), dtype=columns.dtype)
    wide[..., : columns.shape[-1]] = columns
    return wide


class MarkColumns:
    """What is drawn of the marks, whatever kind of record they are: rows in drawing order, later ones on top."""

    def __init__(self, classes: Mapping[ClassId, ObjectClass], um_per_px: float | None) -> None:
        self.classes = tuple(classes.values())
        self._class_row = {object_class.id: row for row, object_class in enumerate(self.classes)}
        self._class_size = [object_class.size_in(um_per_px) or 0.0 for object_class in self.classes]
        self._class_shown = np.ones(len(self.classes), dtype=bool)
        self._n_rows = 0
        self._numbers = np.zeros((_N_NUMBERS, 0), dtype=np.float64)
        self._is_box, self._drawn, self._alive = (np.zeros(0, dtype=bool) for _ in range(3))

    def _reserve(self, capacity: int) -> None:
        self._numbers = widened(self._numbers, capacity)
        self._is_box, self._drawn, self._alive = (
            widened(flags, capacity) for flags in (self._is_box, self._drawn, self._alive)
        )

    def class_rows_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(K,) row in `classes` of each of these rows."""
        found: NDArray[np.int64] = self._numbers[1, rows].astype(np.int64)
        return found

    @property
    def is_box(self) -> NDArray[np.bool_]:
        """(N,) bool per row."""
        return self._is_box[: self._n_rows]

    @property
    def remarks(self) -> NDArray[np.uint8]:
        """(N,) uint8 per row: what a person has remarked about it, 0 for nothing."""
        return np.zeros(self._n_rows, dtype=np.uint8)

    @property
    def centers(self) -> NDArray[np.float64]:
        """(2, N) float64, x and y in image px."""
        return self._numbers[2:4, : self._n_rows]

    @property
    def extents(self) -> NDArray[np.float64]:
        """(4, N) float64, x0, y0, x1, y1 in image px; a centre without any size has none (x0 = x1)."""
        return self._numbers[4:8, : self._n_rows]

    @property
    def living_rows(self) -> NDArray[np.int64]:
        """(K,) rows that are there, drawn or not."""
        return np.flatnonzero(self._alive[: self._n_rows])

    def class_of(self, row: int) -> ObjectClass:
        return self.classes[int(self._numbers[1, row])]

    def class_row(self, class_id: ClassId) -> int:
        return self._class_row[class_id]

    def find_class_row(self, class_id: ClassId) -> int | None:
        return self._class_row.get(class_id)

    def class_size_px(self, class_id: ClassId) -> float:
        """The class's mean side in image px; 0 where it has none."""
        return self._class_size[self._class_row[class_id]]

    def rows_in(self, area: Box) -> NDArray[np.int64]:
        """(K,) drawn rows whose extent meets the area, in drawing order."""
        x0, y0, x1, y1 = self.extents
        meets = self._drawn[: self._n_rows] & (x1 >= area.x0) & (x0 <= area.x1)
        meets &= (y1 >= area.y0) & (y0 <= area.y1)
        return np.flatnonzero(meets)


class MarkTable(MarkColumns, Generic[MarkId, Record]):
    """The records of the marks with their columns; a removed row stays as a gap until the next rebuild."""

    def __init__(
        self, marks: Sequence[Record], classes: Mapping[ClassId, ObjectClass], um_per_px: float | None
    ) -> None:
        super().__init__(classes, um_per_px)
        self._reserve(max(1024, len(marks) * 5 // 4))
        self._records: list[Record] = []
        self._row_of: dict[int, int] = {}
        self.add(marks)

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, mark_id: MarkId) -> bool:
        return mark_id in self._row_of

    def get(self, mark_id: MarkId) -> Record:
        """Return the record with this id; KeyError where there is none."""
        return self._records[self._row_of[mark_id]]

    def add(self, marks: Sequence[Record]) -> None:
        """Append marks on top of all others."""
        if not marks:
            return
        start, stop = self._n_rows, self._n_rows + len(marks)
        if stop > self._alive.size:
            self._reserve(max(stop, 2 * self._alive.size))
        self._n_rows = stop
        self._records.extend(marks)
        self._row_of.update((mark.id, start + i) for i, mark in enumerate(marks))
        for first in range(0, len(marks), PIECE):
            piece = marks[first : first + PIECE]
            self._fill(slice(start + first, start + first + len(piece)), piece)

    def replace(self, marks: Sequence[Record]) -> None:
        """Put changed marks in the place of those with the same ids."""
        for mark in marks:
            row = self._row_of[mark.id]
            self._records[row] = mark
            self._fill(slice(row, row + 1), [mark])

    def remove(self, ids: Iterable[MarkId]) -> None:
        """Drop marks; ids that are not here are passed over."""
        for mark_id in ids:
            row = self._row_of.pop(mark_id, None)
            if row is not None:
                self._alive[row] = self._drawn[row] = False

    def _fill(self, rows: slice, marks: Sequence[Record]) -> None:
        self._numbers[:, rows] = np.array([self._numbers_of(mark) for mark in marks]).T
        self._is_box[rows] = [mark.box is not None for mark in marks]
        self._alive[rows] = True
        self._drawn[rows] = self._wanted(rows)

    def _wanted(self, rows: slice | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these rows are drawn and hit."""
        shown: NDArray[np.bool_] = self._class_shown[self._numbers[1, rows].astype(np.int64)]
        return self._alive[rows] & shown

    def _choose_drawn(self) -> None:
        everything = slice(0, self._n_rows)
        self._drawn[everything] = self._wanted(everything)

    def _numbers_of(self, mark: Record) -> tuple[float, ...]:
        class_row = self._class_row[mark.class_id]
        x, y, box = mark.x, mark.y, mark.box
        if box is not None:
            return mark.id, class_row, x, y, box.x0, box.y0, box.x1, box.y1
        half = (mark.size_px or self._class_size[class_row]) / 2
        return mark.id, class_row, x, y, x - half, y - half, x + half, y + half

    def hide_classes(self, hidden: Collection[ClassId]) -> None:
        """Draw and hit no mark of these classes; show all others."""
        self._class_shown = np.array([object_class.id not in hidden for object_class in self.classes], dtype=bool)
        self._choose_drawn()

    def resize_class(self, class_id: ClassId, size_px: float) -> None:
        """Give a class another mean size, px; its centres without a size of their own follow."""
        class_row = self._class_row[class_id]
        self._class_size[class_row] = size_px
        n = self._n_rows
        mine = self._alive[:n] & ~self._is_box[:n] & (self._numbers[1, :n] == class_row)
        rows = [row for row in np.flatnonzero(mine) if not self._records[row].size_px]
        x, y = self._numbers[2:4, rows]
        self._numbers[4:8, rows] = x - size_px / 2, y - size_px / 2, x + size_px / 2, y + size_px / 2

    def rows_of(self, ids: Iterable[MarkId]) -> NDArray[np.int64]:
        """(K,) drawn rows of those ids that are here, in drawing order."""
        rows = sorted(self._row_of[i] for i in ids if i in self._row_of)
        found = np.array(rows, dtype=np.int64)
        return found[self._drawn[found]]

    def extents_of(self, ids: Iterable[MarkId]) -> NDArray[np.float64]:
        """(4, K) float64: the extents of those that are here, drawn or not."""
        rows = np.array([self._row_of[i] for i in ids if i in self._row_of], dtype=np.int64)
        return self.extents[:, rows]

    def ids_of(self, rows: NDArray[np.int64]) -> tuple[MarkId, ...]:
        return cast(tuple[MarkId, ...], tuple(int(i) for i in self._numbers[0, rows]))

    def ids_with_center_in(self, area: Box) -> tuple[MarkId, ...]:
        """Drawn marks whose centre lies in the area."""
        x, y = self.centers
        inside = self._drawn[: self._n_rows] & (x >= area.x0) & (x <= area.x1) & (y >= area.y0) & (y <= area.y1)
        return self.ids_of(np.flatnonzero(inside))

    def ids_with_center_within(self, loop: NDArray[np.float64]) -> tuple[MarkId, ...]:
        """Drawn marks whose centre lies in a loop, (N, 2) float64 image px, closed by a straight way back."""
        (x0, y0), (x1, y1) = loop.min(axis=0), loop.max(axis=0)
        x, y = self.centers
        rows = np.flatnonzero(self._drawn[: self._n_rows] & (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
        x, y = x[rows], y[rows]
        inside = np.zeros(rows.size, dtype=bool)
        for (from_x, from_y), (to_x, to_y) in zip(loop, np.roll(loop, -1, axis=0), strict=True):
            crosses = (from_y > y) != (to_y > y)
            # Each side that a ray to the right crosses turns out into in; a level side crosses none.
            inside ^= crosses & (x < from_x + (y - from_y) * (to_x - from_x) / ((to_y - from_y) or 1.0))
        return self.ids_of(rows[inside])

    def find_at(self, x: float, y: float, *, scale: float) -> MarkId | None:
        """The mark under a point: of several the smallest, of equal ones the topmost.

        Args:
            x: Image px.
            y: Image px.
            scale: Widget px per image px; even a tiny mark is hit within `POINT_RADIUS_PX` widget px.
        """
        slack = POINT_RADIUS_PX / scale
        rows = self.rows_in(Box(x - slack, y - slack, x + slack, y + slack))
        if not rows.size:
            return None
        center_x, center_y = self.centers[:, rows]
        x0, y0, x1, y1 = self.extents[:, rows]
        half_x, half_y = np.maximum((x1 - x0) / 2, slack), np.maximum((y1 - y0) / 2, slack)
        off_x, off_y = np.abs(x - center_x), np.abs(y - center_y)
        in_circle = np.hypot(off_x, off_y) <= half_x
        hit = np.where(self.is_box[rows], (off_x <= half_x) & (off_y <= half_y), in_circle)
        if not hit.any():
            return None
        rows, areas = rows[hit], (half_x * half_y)[hit]
        smallest = rows[areas <= areas.min() * 1.0001]
        return self.ids_of(smallest[-1:])[0]

    def find_center_at(self, x: float, y: float, *, scale: float) -> MarkId | None:
        """The mark whose centre is close enough to be grabbed there, or None. Arguments as in `find_at`."""
        slack = GRAB_MAX_PX / scale
        center_x, center_y = self.centers
        rows = np.flatnonzero((center_x >= x - slack) & (center_x <= x + slack))  # then few are left to look at
        rows = rows[self._drawn[rows] & (np.abs(center_y[rows] - y) <= slack)]
        if not rows.size:
            return None
        x0, y0, x1, y1 = self.extents[:, rows]
        reach = np.clip(0.2 * (x1 - x0 + y1 - y0) / 2, GRAB_MIN_PX / scale, slack)
        distance = np.hypot(center_x[rows] - x, center_y[rows] - y)
        rows, distance = rows[distance <= reach], distance[distance <= reach]
        return self.ids_of(rows[[int(distance.argmin())]])[0] if rows.size else None

    def bounds_of(self, ids: Iterable[MarkId]) -> Box | None:
        """What must stay inside the image when these move: boxes as a whole, of centres the middle."""
        rows = self.rows_of(ids)
        if not rows.size:
            return None
        is_box = self.is_box[rows]
        x, y = self.centers[:, rows]
        x0, y0, x1, y1 = self.extents[:, rows]
        return Box(
            float(np.where(is_box, x0, x).min()),
            float(np.where(is_box, y0, y).min()),
            float(np.where(is_box, x1, x).max()),
            float(np.where(is_box, y1, y).max()),
        )
