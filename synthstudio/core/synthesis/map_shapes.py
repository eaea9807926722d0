"""From a picture made of overlapping boxes back to boxes that give the same picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole px, end exclusive."""

LabelArray = NDArray[np.int32]
"""`(S, S)`: number of the condition that is seen at each pixel, from 0; -1 where there is none."""


@dataclass(frozen=True, slots=True)
class LabelledRectangle:
    """A rectangle that is filled with one label."""

    label: int
    rectangle: Rectangle


def fill_rectangles(rectangles: Sequence[LabelledRectangle], side: int) -> LabelArray:
    """Draw rectangles over one another on an empty square, `(side, side)`."""
    labels = np.full((side, side), -1, np.int32)
    for each in rectangles:
        x0, y0, x1, y1 = each.rectangle
        labels[y0:y1, x0:x1] = each.label
    return labels


def find_rectangles(labels: LabelArray) -> list[LabelledRectangle]:
    """Rectangles that, drawn in this order, give these labels exactly; equal labels give equal rectangles.

    Each connected part of one label (sharing an edge) is taken for one rectangle, its bounding box, where what is
    missing of it can lie beneath other labels; these come later. A part for which that is impossible, such as two
    overlapping rectangles of one label that make no rectangle together, is split into runs of equal rows. Otherwise
    the order is from top to bottom, then left to right.
    """
    parts, numbers = _find_parts(labels)
    covering = [_find_covering(part, numbers, own) for own, part in enumerate(parts)]
    found: list[LabelledRectangle] = []
    waiting = list(range(len(parts)))
    while waiting:
        hidden = {upper for lower in waiting for upper in covering[lower] or ()}
        chosen = next((each for each in waiting if each not in hidden), None)
        if chosen is None:  # each lies over another in a ring: one of them is given up as a whole
            covering[next(each for each in waiting if covering[each])] = None
            continue
        part = parts[chosen]
        rectangles = [part.bounds] if covering[chosen] is not None else _split_rows(part)
        found += [LabelledRectangle(part.label, each) for each in rectangles]
        waiting.remove(chosen)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A connected part of one label; `pixels` is its mask within its bounding box."""

    label: int
    bounds: Rectangle
    pixels: NDArray[np.bool_]


def _find_parts(labels: LabelArray) -> tuple[list[_Part], LabelArray]:
    """Connected parts from top to bottom, then left to right, and at each pixel the number of its part, or -1."""
    parts: list[_Part] = []
    for label in np.unique(labels[labels >= 0]).tolist():
        mask = (labels == label).astype(np.uint8)
        n_parts, components, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for number in range(1, n_parts):
            x, y, width, height = (int(value) for value in stats[number][: cv2.CC_STAT_AREA])
            pixels = np.asarray(components[y : y + height, x : x + width] == number)
            parts.append(_Part(label, (x, y, x + width, y + height), pixels))
    parts.sort(key=lambda part: (part.bounds[1], part.bounds[0], part.bounds[3], part.bounds[2], part.label))
    numbers = np.full(labels.shape, -1, np.int32)
    for number, part in enumerate(parts):
        x0, y0, x1, y1 = part.bounds
        numbers[y0:y1, x0:x1][part.pixels] = number
    return parts, numbers


def _find_covering(part: _Part, numbers: LabelArray, own: int) -> set[int] | None:
    """Parts that must be drawn after this one if it is drawn as its bounding box; None where nothing may cover it."""
    x0, y0, x1, y1 = part.bounds
    inside = set(np.unique(numbers[y0:y1, x0:x1]).tolist())
    return None if -1 in inside else inside - {own}


def _split_rows(part: _Part) -> list[Rectangle]:
    """Disjoint rectangles that fill a part: equal neighbouring rows together."""
    left, top, _, _ = part.bounds
    changes = np.any(part.pixels[1:] != part.pixels[:-1], axis=1)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist(), len(part.pixels)]
    rectangles: list[Rectangle] = []
    for start, stop in itertools.pairwise(starts):
        edges = np.flatnonzero(np.diff(part.pixels[start].astype(np.int8), prepend=0, append=0)).tolist()
        rectangles += [
            (left + x0, top + start, left + x1, top + stop) for x0, x1 in zip(edges[::2], edges[1::2], strict=True)
        ]
    return rectangles
