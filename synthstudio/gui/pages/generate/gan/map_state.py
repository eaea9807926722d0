"""The map that is being edited, as a frozen record: every change gives another one, so that undo is going back."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Annotation, Box

NO_FOV = FovId(0)
NEW_BOX_SHARE = 0.4
"""Side of a box that the keyboard makes, as a share of the map's."""


@dataclass(frozen=True, slots=True)
class MapState:
    """A map with its seed.

    Attributes:
        side: Of the square map in px.
        seed: Of the noise.
        boxes: The regions as the canvas knows them, in drawing order; their edges lie between pixels.
    """

    side: int
    tone: int = UNKNOWN_TONE
    seed: int = 0
    boxes: tuple[Annotation, ...] = ()

    @classmethod
    def of(cls, request: MapRequest, ids: Mapping[str, ClassId], *, seed: int) -> MapState:
        """The state that a request describes; `ids` names the conditions."""
        state = cls(request.side, request.tone, seed)
        for region in request.regions:
            state = state.with_box(ids[region.class_name], region.box)
        return state

    def request(self, names: Mapping[ClassId, str]) -> MapRequest:
        """What a GAN is asked for."""
        regions = tuple(MapRegion(names[each.class_id], each.box) for each in self.boxes if each.box is not None)
        return MapRequest(self.side, self.tone, regions)

    @property
    def ids(self) -> tuple[AnnotationId, ...]:
        return tuple(each.id for each in self.boxes)

    def box_of(self, box_id: AnnotationId) -> Box:
        """The box with this id; KeyError where there is none."""
        found = {each.id: each.box for each in self.boxes}[box_id]
        assert found is not None
        return found

    def with_box(self, class_id: ClassId, box: Box) -> MapState:
        """With one more box, on top."""
        new_id = AnnotationId(max((each.id for each in self.boxes), default=0) + 1)
        box = self._snapped(box)
        return replace(self, boxes=(*self.boxes, Annotation(new_id, NO_FOV, class_id, *box.center, box)))

    def with_middle_box(self, class_id: ClassId) -> MapState:
        """With one more box in the middle."""
        half, reach = self.side / 2, self.side * NEW_BOX_SHARE / 2
        return self.with_box(class_id, Box(half - reach, half - reach, half + reach, half + reach))

    def with_tone(self, tone: int) -> MapState:
        """With another tone."""
        return replace(self, tone=tone)

    def with_seed(self, seed: int) -> MapState:
        """With another seed."""
        return replace(self, seed=seed)

    def without(self, ids: Collection[AnnotationId]) -> MapState:
        """Without some boxes."""
        return replace(self, boxes=tuple(each for each in self.boxes if each.id not in ids))

    def moved(self, ids: Collection[AnnotationId], dx: float, dy: float) -> MapState:
        """With boxes moved together, as far as all of them stay on the map."""
        boxes = [self.box_of(each) for each in ids]
        if not boxes:
            return self
        dx = min(max(round(dx), -min(box.x0 for box in boxes)), self.side - max(box.x1 for box in boxes))
        dy = min(max(round(dy), -min(box.y0 for box in boxes)), self.side - max(box.y1 for box in boxes))
        return self._changed(ids, lambda box: box.moved(dx, dy))

    def resized(self, box_id: AnnotationId, box: Box) -> MapState:
        """With another extent of one box."""
        return self._changed((box_id,), lambda _: box)

    def stretched(self, ids: Collection[AnnotationId], *, wider: int, taller: int) -> MapState:
        """With the right and lower edges of boxes moved by whole px."""
        return self._changed(
            ids, lambda box: Box(box.x0, box.y0, max(box.x1 + wider, box.x0 + 1), max(box.y1 + taller, box.y0 + 1))
        )

    def grown(self, ids: Collection[AnnotationId], factor: float) -> MapState:
        """With boxes larger or smaller about their middles, by at least a pixel on each side."""
        return self._changed(ids, lambda box: _grown(box, factor))

    def of_class(self, ids: Collection[AnnotationId], class_id: ClassId) -> MapState:
        """With another condition in some boxes."""
        boxes = tuple(replace(each, class_id=class_id) if each.id in ids else each for each in self.boxes)
        return replace(self, boxes=boxes)

    def _changed(self, ids: Collection[AnnotationId], change: Callable[[Box], Box]) -> MapState:
        boxes = tuple(
            each.with_box(self._snapped(change(each.box))) if each.id in ids and each.box is not None else each
            for each in self.boxes
        )
        return replace(self, boxes=boxes)

    def _snapped(self, box: Box) -> Box:
        """The box between whole px, on the map, and at least a pixel wide and high."""
        x0, x1 = _snapped_edges(box.x0, box.x1, self.side)
        y0, y1 = _snapped_edges(box.y0, box.y1, self.side)
        return Box(x0, y0, x1, y1)


def _snapped_edges(start: float, stop: float, side: int) -> tuple[float, float]:
    low = min(max(math.floor(start + 0.5), 0), side - 1)
    high = min(max(math.floor(stop + 0.5), low + 1), side)
    return float(low), float(high)


def _grown(box: Box, factor: float) -> Box:
    """By the factor, but so that it is seen: at least a pixel on each side, and never to nothing."""
    sign = 1 if factor > 1 else -1
    dx = max(abs(factor - 1) * box.width / 2, 1.0) * sign
    dy = max(abs(factor - 1) * box.height / 2, 1.0) * sign
    if box.width + 2 * dx < 1 or box.height + 2 * dy < 1:
        return box
    return Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy)
