"""What editing annotations is to do, in plain Python: no Qt, no database, and nothing of the editor's own code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Corners = tuple[float, float, float, float]


class Mark(NamedTuple):
    """One annotation."""

    class_id: int
    x: float
    y: float
    box: Corners | None
    size: float | None


Marks = dict[int, Mark]


@dataclass(frozen=True)
class Step:
    """One step of undo: everything before it and after it.

    Attributes:
        fov: Where the edit was made; None for one of a class.
        joins: Steps in a row with the same value, other than None, are one.
    """

    before: Everything
    after: Everything
    fov: int | None
    joins: object


@dataclass(frozen=True)
class Everything:
    """All annotations by FOV and the classes' sizes."""

    marks: dict[int, Marks]
    sizes: dict[int, float]


@dataclass
class EditingModel:
    """The truth that the real window is compared with."""

    width: float
    height: float
    now: Everything
    fov: int
    steps: list[Step] = field(default_factory=list)
    n_done: int = 0

    @property
    def shown(self) -> Marks:
        return self.now.marks[self.fov]

    def change(self, marks: Marks, *, joins: object = None) -> None:
        """Make a step that leaves these annotations on the shown FOV; none where nothing changes."""
        if marks != self.shown:
            self._push(Everything({**self.now.marks, self.fov: marks}, self.now.sizes), self.fov, joins)

    def change_size(self, class_id: int, size: float, *, joins: object) -> None:
        self._push(Everything(self.now.marks, {**self.now.sizes, class_id: size}), None, joins)

    def _push(self, after: Everything, fov: int | None, joins: object) -> None:
        del self.steps[self.n_done :]
        last = self.steps[-1] if self.steps else None
        if last is not None and joins is not None and last.joins == joins:
            self.steps[-1] = Step(last.before, after, fov, joins)
        else:
            self.steps.append(Step(self.now, after, fov, joins))
        self.n_done = len(self.steps)
        self.now = after

    def undo(self) -> None:
        if self.n_done:
            self.n_done -= 1
            self._go(self.steps[self.n_done], self.steps[self.n_done].before)

    def redo(self) -> None:
        if self.n_done < len(self.steps):
            self._go(self.steps[self.n_done], self.steps[self.n_done].after)
            self.n_done += 1

    def _go(self, step: Step, state: Everything) -> None:
        self.now = state
        if step.fov is not None:
            self.fov = step.fov

    # What each edit makes of the annotations

    def each(self, ids: Sequence[int], changed: Callable[[Mark], Mark]) -> Marks:
        return {**self.shown, **{number: changed(self.shown[number]) for number in ids}}

    def moved(self, ids: Sequence[int], dx: float, dy: float) -> Marks:
        def move(mark: Mark) -> Mark:
            box = mark.box and (mark.box[0] + dx, mark.box[1] + dy, mark.box[2] + dx, mark.box[3] + dy)
            return mark._replace(x=mark.x + dx, y=mark.y + dy, box=box)

        return self.each(ids, move)

    def limited(self, ids: Sequence[int], dx: float, dy: float) -> tuple[float, float]:
        """How far these may go: boxes stay inside as a whole, centres with their middle."""
        reaches = [self.shown[i].box or (self.shown[i].x, self.shown[i].y) * 2 for i in ids]
        left, top = min(each[0] for each in reaches), min(each[1] for each in reaches)
        right, bottom = max(each[2] for each in reaches), max(each[3] for each in reaches)
        return (
            min(max(dx, min(-left, 0)), max(self.width - right, 0)),
            min(max(dy, min(-top, 0)), max(self.height - bottom, 0)),
        )

    def cut(self, box: Corners) -> Corners:
        return max(box[0], 0), max(box[1], 0), min(box[2], self.width), min(box[3], self.height)

    def grown(self, ids: Sequence[int], factor: float) -> Marks:
        longest = max(self.width, self.height)

        def grow(mark: Mark) -> Mark:
            if mark.box is None:
                side = (mark.size or self.now.sizes[mark.class_id]) * factor
                return mark._replace(size=min(max(side, 1.0), longest))
            x0, y0, x1, y1 = mark.box
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            half_x = min(max((x1 - x0) * factor, 1.0), longest) / 2
            half_y = min(max((y1 - y0) * factor, 1.0), longest) / 2
            box = self.cut((x - half_x, y - half_y, x + half_x, y + half_y))
            return boxed(mark, box) if box != mark.box else mark

        return self.each(ids, grow)

    def converted(self, ids: Sequence[int]) -> Marks:
        def to_center(mark: Mark) -> Mark:
            x0, y0, x1, y1 = mark.box or (0, 0, 0, 0)
            return mark._replace(x=(x0 + x1) / 2, y=(y0 + y1) / 2, box=None, size=((x1 - x0) * (y1 - y0)) ** 0.5)

        def to_box(mark: Mark) -> Mark:
            if mark.box is not None:
                return mark
            half = (mark.size or self.now.sizes[mark.class_id]) / 2
            box = self.cut((mark.x - half, mark.y - half, mark.x + half, mark.y + half))
            return boxed(mark, box)._replace(size=None)

        return self.each(ids, to_center if all(self.shown[i].box for i in ids) else to_box)


def boxed(mark: Mark, box: Corners) -> Mark:
    return mark._replace(x=(box[0] + box[2]) / 2, y=(box[1] + box[3]) / 2, box=box)
