"""Finding places for objects on a canvas, one after the other."""

from __future__ import annotations

import math
from math import floor
from typing import NamedTuple

import numpy as np

from synthstudio.core.synthesis.looks import Look
from synthstudio.settings.compose import CompositionSettings

MAX_PRESS = 0.15  # part of the distance by which objects of a cluster are pressed into each other at most


class PlannedObject(NamedTuple):
    """One patch on the canvas.

    Attributes:
        patch: Index in the bank.
        variant: Number of the prepared variant, or `FRESH`.
        left, top: Corner of the window in px; may be negative where the edge cuts it.
        look: How it is drawn; its width and height are those of the window.
        visible: Share of the window (of the canvas, where that is smaller) that later objects and the edge leave to
            be seen.
    """

    patch: int
    variant: int
    left: int
    top: int
    look: Look
    visible: float


class Placing:
    """Finds places for objects one after the other. Plain floats: NumPy costs more than it saves for 20 boxes."""

    def __init__(self, settings: CompositionSettings) -> None:
        self._settings = settings
        self._width, self._height = settings.size
        self._overhang = settings.overhang
        self._objects: list[tuple[int, int, Look, int, int]] = []
        # left, top, right, bottom within the canvas, and how much of it others may still cover, in px^2
        self._boxes: list[tuple[int, int, int, int]] = []
        self._free: list[float] = []
        self._covered: list[float] = []

    def try_to_place(self, item: tuple[int, int, Look], places: list[float], touched: int | None) -> bool:
        """Put an object at the first of the given places that covers no earlier object too much; tell whether one did.

        Args:
            item: Patch, variant and look.
            places: Two uniform numbers for each try.
            touched: The earlier object that it lies beside, or None where it may lie anywhere.
        """
        look = item[2]
        width, height = look.width, look.height
        side_x, side_y, overhang = self._width, self._height, self._overhang
        low_x, low_y = -overhang * width, -overhang * height
        span_x, span_y = side_x - width - 2 * low_x, side_y - height - 2 * low_y
        if span_x < 0.0:  # larger than the canvas: anywhere as long as it fills it
            low_x, span_x = side_x - width, width - side_x
        if span_y < 0.0:
            low_y, span_y = side_y - height, height - side_y
        for step in range(0, len(places), 2):
            if touched is None:
                left, top = floor(low_x + places[step] * span_x), floor(low_y + places[step + 1] * span_y)
            else:
                left, top = self._place_beside(touched, look, places[step], places[step + 1])
                if not (low_x <= left <= low_x + span_x and low_y <= top <= low_y + span_y):
                    continue
            right, bottom = left + width, top + height
            # Conditions instead of min and max: this is half of the time of a plan.
            box = (
                left if left > 0 else 0,
                top if top > 0 else 0,
                right if right < side_x else side_x,
                bottom if bottom < side_y else side_y,
            )
            covers = self._find_covers(box)
            if covers is not None:
                self._accept((*item, left, top), box, covers)
                return True
        return False

    def choose_touched(self, anchor: list[float]) -> int | None:
        """Number of the earlier object that the next one lies beside, or None where it may lie anywhere.

        Args:
            anchor: Two uniform numbers: whether it joins a cluster, and beside which object.
        """
        if not self._objects or anchor[0] >= self._settings.clustering:
            return None
        return int(anchor[1] * len(self._objects))

    def _place_beside(self, touched: int, look: Look, turn: float, depth: float) -> tuple[int, int]:
        """Corner of a window whose inscribed ellipse touches that of an earlier one in a drawn direction.

        The windows, not the ellipses, must be disjoint where nothing may overlap: overlap is counted by windows.
        """
        _, _, other, x0, y0 = self._objects[touched]
        cosine, sine = math.cos(2.0 * math.pi * turn), math.sin(2.0 * math.pi * turn)
        reach_x, reach_y = (other.width + look.width) / 2, (other.height + look.height) / 2
        if self._settings.max_overlap > 0.0:
            press = 1.0 - MAX_PRESS * depth
            way = press / math.hypot(cosine / reach_x, sine / reach_y)
        else:
            way = min(reach_x / max(abs(cosine), 1e-9), reach_y / max(abs(sine), 1e-9)) + 1.0
        x, y = x0 + other.width / 2 + way * cosine, y0 + other.height / 2 + way * sine
        return floor(x - look.width / 2), floor(y - look.height / 2)

    def _find_covers(self, box: tuple[int, int, int, int]) -> list[tuple[int, float]] | None:
        """Areas of earlier objects that `box` covers, or None where one of them would be covered too much."""
        left, top, right, bottom = box
        covers: list[tuple[int, float]] = []
        number = -1
        for x0, y0, x1, y1 in self._boxes:
            number += 1
            if x0 < right and left < x1 and y0 < bottom and top < y1:
                area = float((min(x1, right) - max(x0, left)) * (min(y1, bottom) - max(y0, top)))
                if area > self._free[number]:
                    return None
                covers.append((number, area))
        return covers

    def _accept(
        self, item: tuple[int, int, Look, int, int], box: tuple[int, int, int, int], covers: list[tuple[int, float]]
    ) -> None:
        for number, area in covers:
            self._free[number] -= area
            self._covered[number] += area
        overlap = self._settings.max_overlap
        area = (box[2] - box[0]) * (box[3] - box[1])
        self._objects.append(item)
        self._boxes.append(box)
        self._free.append(overlap * area if overlap < 1.0 else math.inf)
        self._covered.append(0.0)

    def placed_objects(self) -> tuple[PlannedObject, ...]:
        """The objects from bottom to top, each with its visible share."""
        placed, least, full_canvas = [], self._settings.min_visible, self._width * self._height
        for number, (patch, variant, look, left, top) in enumerate(self._objects):
            x0, y0, x1, y1 = self._boxes[number]
            # Of the canvas where the window is larger, as on crops of real images.
            full = min(look.width * look.height, full_canvas)
            covered = self._covered[number]
            seen = ((x1 - x0) * (y1 - y0) - covered) / full
            # The sum counts twice what two others cover both; only where that could matter it is counted exactly.
            if (seen < least or seen <= 0.0) and covered > 0.0:
                seen = self._visible_px(number) / full
            placed.append(PlannedObject(patch, variant, left, top, look, seen if seen > 0.0 else 0.0))
        return tuple(placed)

    def _visible_px(self, number: int) -> int:
        x0, y0, x1, y1 = self._boxes[number]
        seen = np.ones((y1 - y0, x1 - x0), np.bool_)
        for left, top, right, bottom in self._boxes[number + 1 :]:
            seen[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
        return int(np.count_nonzero(seen))
