"""Finding places for objects on a canvas, one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.synthesis.looks import Look
from synthstudio.settings.compose import CompositionSettings

N_FIRST_TRIES = 3  # most objects find a place in the first few
MAX_PRESS = 0.15  # part of the distance by which objects of a cluster are pressed into each other at most


DrawnObject = tuple[int, int, Look]
"""Patch, variant and look of an object that has no place yet."""

Box = tuple[int, int, int, int, int]
"""Number of an object, and left, top, right, bottom of its window within the canvas, in px."""


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
    """Finds places for the objects of an image, one after the other, where they cover no earlier one too much.

    Plain numbers: NumPy costs more than it saves for 20 boxes. And few calls: placing is half of the time of a plan.
    """

    def __init__(self, settings: CompositionSettings) -> None:
        self._settings = settings
        self._width, self._height = settings.size
        self._overhang = settings.overhang
        self._corners: dict[tuple[int, int], tuple[float, float, float, float]] = {}  # by size of the window

    def place(
        self, drawn: Sequence[DrawnObject], tries: NDArray[np.float64], anchors: Sequence[Sequence[float]]
    ) -> tuple[PlannedObject, ...]:
        """Return those objects that find a place, from bottom to top.

        Args:
            drawn: The objects in the order in which they look for a place.
            tries: `(n, 2 k)` uniform numbers, two for each try of each object.
            anchors: For each object two uniform numbers: whether it joins a cluster, and beside which earlier object;
                empty where there are no clusters.
        """
        # Only what is looked at becomes Python's numbers: that costs more than drawing them.
        first_tries: list[list[float]] = tries[:, : 2 * N_FIRST_TRIES].tolist()
        n_tries = tries.shape[1] // 2
        side_x, side_y, overlap = self._width, self._height, self._settings.max_overlap
        find_corners = self._corners.get
        placed: list[tuple[DrawnObject, int, int]] = []
        boxes: list[Box] = []
        limits: list[float] = []  # how much of each object others may cover, in px^2
        covered: list[int] = []  # how much they do
        for number, item in enumerate(drawn):
            look, numbers = item[2], first_tries[number]
            width, height = look[0], look[1]
            low_x, low_y, span_x, span_y = find_corners((width, height)) or self._find_corners(width, height)
            beside = self._choose_touched(anchors[number], placed) if anchors else None
            for attempt in range(n_tries):
                if attempt == N_FIRST_TRIES:
                    numbers = tries[number].tolist()
                across, down = numbers[2 * attempt], numbers[2 * attempt + 1]
                if beside is None:
                    left, top = floor(low_x + across * span_x), floor(low_y + down * span_y)
                else:
                    left, top = self._place_beside(beside, look, across, down)
                    if not (low_x <= left <= low_x + span_x and low_y <= top <= low_y + span_y):
                        continue
                # Conditions instead of min and max, and no call for each try: those take half of the time of a plan.
                right, bottom = left + width, top + height
                x0, y0 = (left if left > 0 else 0), (top if top > 0 else 0)
                x1, y1 = (right if right < side_x else side_x), (bottom if bottom < side_y else side_y)
                covers = []
                for other, other_x0, other_y0, other_x1, other_y1 in boxes:
                    if other_x0 < x1 and x0 < other_x1 and other_y0 < y1 and y0 < other_y1:
                        across_px = (other_x1 if other_x1 < x1 else x1) - (other_x0 if other_x0 > x0 else x0)
                        down_px = (other_y1 if other_y1 < y1 else y1) - (other_y0 if other_y0 > y0 else y0)
                        area = across_px * down_px
                        if area > limits[other] - covered[other]:
                            break  # too much of that one: the next try
                        covers.append((other, area))
                else:
                    for other, area in covers:
                        covered[other] += area
                    placed.append((item, left, top))
                    boxes.append((len(boxes), x0, y0, x1, y1))
                    limits.append(overlap * ((x1 - x0) * (y1 - y0)) if overlap < 1.0 else math.inf)
                    covered.append(0)
                    break
        return self._see(placed, boxes, covered)

    def _find_corners(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Where the corner of a window may lie: least x and y, and how far it may be from there, in px."""
        low_x, low_y = -self._overhang * width, -self._overhang * height
        span_x, span_y = self._width - width - 2 * low_x, self._height - height - 2 * low_y
        if span_x < 0.0:  # larger than the canvas: anywhere as long as it fills it
            low_x, span_x = self._width - width, width - self._width
        if span_y < 0.0:
            low_y, span_y = self._height - height, height - self._height
        found = self._corners[width, height] = (low_x, low_y, span_x, span_y)
        return found

    def _choose_touched(
        self, anchor: Sequence[float], placed: Sequence[tuple[DrawnObject, int, int]]
    ) -> tuple[DrawnObject, int, int] | None:
        """The earlier object, with its corner, that the next one lies beside; None where it may lie anywhere."""
        if not placed or anchor[0] >= self._settings.clustering:
            return None
        return placed[int(anchor[1] * len(placed))]

    def _place_beside(
        self, touched: tuple[DrawnObject, int, int], look: Look, turn: float, depth: float
    ) -> tuple[int, int]:
        """Corner of a window whose inscribed ellipse touches that of an earlier one in a drawn direction.

        The windows, not the ellipses, must be disjoint where nothing may overlap: overlap is counted by windows.
        """
        (_, _, other), x0, y0 = touched
        cosine, sine = math.cos(2.0 * math.pi * turn), math.sin(2.0 * math.pi * turn)
        reach_x, reach_y = (other.width + look.width) / 2, (other.height + look.height) / 2
        if self._settings.max_overlap > 0.0:
            press = 1.0 - MAX_PRESS * depth
            way = press / math.hypot(cosine / reach_x, sine / reach_y)
        else:
            way = min(reach_x / max(abs(cosine), 1e-9), reach_y / max(abs(sine), 1e-9)) + 1.0
        x, y = x0 + other.width / 2 + way * cosine, y0 + other.height / 2 + way * sine
        return floor(x - look.width / 2), floor(y - look.height / 2)

    def _see(
        self, placed: Sequence[tuple[DrawnObject, int, int]], boxes: Sequence[Box], covered: Sequence[int]
    ) -> tuple[PlannedObject, ...]:
        """The objects, each with its visible share."""
        objects, least, full_canvas = [], self._settings.min_visible, self._width * self._height
        new = tuple.__new__  # half of the time of calling the class
        for ((patch, variant, look), left, top), (number, x0, y0, x1, y1), hidden in zip(
            placed, boxes, covered, strict=True
        ):
            window = look[0] * look[1]
            full = window if window < full_canvas else full_canvas  # a crop of a real image fills more than the canvas
            seen = ((x1 - x0) * (y1 - y0) - hidden) / full
            # The sum counts twice what two others cover both; only where that could matter it is counted exactly.
            if hidden and (seen < least or seen <= 0.0):
                seen = _visible_px(number, boxes) / full
            objects.append(new(PlannedObject, (patch, variant, left, top, look, seen if seen > 0.0 else 0.0)))
        return tuple(objects)


def _visible_px(number: int, boxes: Sequence[Box]) -> int:
    """How much of an object's box the later ones leave to be seen, in px^2."""
    _, x0, y0, x1, y1 = boxes[number]
    seen = np.ones((y1 - y0, x1 - x0), np.bool_)
    for _, left, top, right, bottom in boxes[number + 1 :]:
        seen[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
    return int(np.count_nonzero(seen))
