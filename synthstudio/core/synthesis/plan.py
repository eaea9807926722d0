"""What an image will hold, decided before anything is drawn: a plan depends on (settings, seed, index, bank) alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.looks import N_LOOK_NUMBERS, Look, draw_look
from synthstudio.core.synthesis.streams import IMAGES, VARIANTS, open_stream
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.settings.compose import CompositionSettings

N_IMAGE_NUMBERS = 16  # drawn first for each image, before the classes that take part
MAX_PRESS = 0.15  # part of the distance by which objects of a cluster are pressed into each other at most
FRESH = -1  # variant number of an object that is drawn anew


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


@dataclass(frozen=True, slots=True)
class CompositePlan:
    """Everything that decides an image.

    Attributes:
        index: Number of the image in its set.
        canvas: Uniform number that chooses the background.
        grain: Two uniform numbers that place the noise of the background.
        augmentation: Eight uniform numbers for the whole image, see `augmentation`.
        objects: From bottom to top.
        n_wanted: Objects drawn; those beyond `len(objects)` found no place.
    """

    index: int
    canvas: float
    grain: tuple[float, float]
    augmentation: tuple[float, ...]
    objects: tuple[PlannedObject, ...]
    n_wanted: int


class Planner:
    """Tables that all plans of one (bank, settings, seed) share. Cheap to build."""

    def __init__(self, bank: PatchBank, settings: CompositionSettings, *, seed: int) -> None:
        self._bank = bank
        self._settings = settings
        self._seed = seed
        self._patches = _patches_by_class(bank, settings)
        sizes = np.array([len(patches) for patches in self._patches], np.float64)
        self._weights = _class_weights(sizes, settings)
        self.n_variants = _count_variants(bank, self._patches, settings) if settings.render == "cached" else 0
        self._looks: dict[tuple[int, int], Look] = {}
        self._variant_numbers: NDArray[np.float64] = (
            open_stream(seed, VARIANTS, 0).random((len(bank.patches), self.n_variants, N_LOOK_NUMBERS))
            if self.n_variants
            else np.empty((0, 0, N_LOOK_NUMBERS))
        )

    def plan(self, index: int) -> CompositePlan:
        """Plan image `index`."""
        settings = self._settings
        stream = open_stream(self._seed, IMAGES, index)
        head: list[float] = stream.random(N_IMAGE_NUMBERS + len(self._patches)).tolist()
        span = settings.n_objects_max - settings.n_objects_min + 1
        n_wanted = settings.n_objects_min + int(head[0] * span)
        limits = self._class_limits(head[N_IMAGE_NUMBERS:], head[1])
        # The places are drawn in a second block so that the number of tries does not move the other numbers.
        block: list[list[float]] = stream.random((n_wanted, 2 + N_LOOK_NUMBERS)).tolist()
        places: list[list[float]] = stream.random((n_wanted, 2 * settings.tries)).tolist()
        anchors: list[list[float]] = stream.random((n_wanted, 2)).tolist() if settings.clustering else []
        drawn = [self._draw_object(numbers, limits) for numbers in block]
        if settings.stacking == "small_on_top":
            # What is placed later lies on top. The sort is stable, so equal sizes keep their drawn order.
            drawn.sort(key=lambda item: -item[2].width * item[2].height)
        placing = _Placing(settings)
        for number, (patch, variant, look) in enumerate(drawn):
            anchor = anchors[number] if anchors else None
            placing.try_to_place(patch, variant, look, places[number], anchor)
        return CompositePlan(
            index=index,
            canvas=head[2],
            grain=(head[3], head[4]),
            augmentation=tuple(head[5:13]),
            objects=placing.placed_objects(),
            n_wanted=n_wanted,
        )

    def look(self, patch: int, variant: int) -> Look:
        """The look of a prepared variant."""
        key = (patch, variant)
        found = self._looks.get(key)
        if found is None:
            numbers: list[float] = self._variant_numbers[patch, variant].tolist()
            found = self._looks[key] = draw_look(self._bank.patches[patch], numbers, self._settings)
        return found

    def _class_limits(self, numbers: Sequence[float], choice: float) -> list[float]:
        """Upper ends of the classes' shares of [0, 1); a class that takes no part has an empty share."""
        takes_part = [number < self._settings.class_presence for number in numbers]
        if not any(takes_part):
            takes_part[int(choice * len(takes_part))] = True
        weights = [weight if part else 0.0 for weight, part in zip(self._weights, takes_part, strict=True)]
        total, upper, limits = sum(weights), 0.0, []
        for weight in weights:
            upper += weight / total
            limits.append(upper)
        last = max(rank for rank, part in enumerate(takes_part) if part)
        limits[last:] = [1.0] * (len(limits) - last)  # rounding must not leave a gap below 1
        return limits

    def _draw_object(self, numbers: list[float], limits: list[float]) -> tuple[int, int, Look]:
        patches = self._patches[bisect_right(limits, numbers[0])]
        patch = patches[int(numbers[1] * len(patches))]
        if self.n_variants:
            variant = int(numbers[2] * self.n_variants)
            return patch, variant, self.look(patch, variant)
        return patch, FRESH, draw_look(self._bank.patches[patch], numbers[2:], self._settings)


def plan_composite(bank: PatchBank, settings: CompositionSettings, *, seed: int, index: int) -> CompositePlan:
    """Plan one image; a `Planner` is faster for many."""
    return Planner(bank, settings, seed=seed).plan(index)


class _Placing:
    """Finds places for objects one after the other. Plain floats: NumPy costs more than it saves for 20 boxes."""

    def __init__(self, settings: CompositionSettings) -> None:
        self._settings = settings
        self._side = settings.canvas_px
        self._objects: list[tuple[int, int, int, int, Look]] = []
        # left, top, right, bottom within the canvas, and how much of it others may still cover, in px^2
        self._boxes: list[tuple[int, int, int, int]] = []
        self._free: list[float] = []
        self._covered: list[float] = []

    def try_to_place(
        self, patch: int, variant: int, look: Look, places: list[float], anchor: list[float] | None = None
    ) -> None:
        """Put the object at the first of the given places that covers no earlier object too much, or nowhere.

        Args:
            places: Two uniform numbers for each try.
            anchor: Two more: whether the object joins a cluster, and the earlier object that it touches.
        """
        width, height, _, _, _, _, _, _ = look
        side, overhang = self._side, self._settings.overhang
        low_x, low_y = -overhang * width, -overhang * height
        span_x, span_y = side - width - 2 * low_x, side - height - 2 * low_y
        if span_x < 0.0:  # larger than the canvas: anywhere as long as it fills it
            low_x, span_x = side - width, width - side
        if span_y < 0.0:
            low_y, span_y = side - height, height - side
        touched = self._choose_touched(anchor)
        for step in range(0, len(places), 2):
            if touched is None:
                left, top = math.floor(low_x + places[step] * span_x), math.floor(low_y + places[step + 1] * span_y)
            else:
                left, top = self._place_beside(touched, look, places[step], places[step + 1])
                if not (low_x <= left <= low_x + span_x and low_y <= top <= low_y + span_y):
                    continue
            right, bottom = left + width, top + height
            # Conditions instead of min and max: this is half of the time of a plan.
            box = (
                left if left > 0 else 0,
                top if top > 0 else 0,
                right if right < side else side,
                bottom if bottom < side else side,
            )
            covers = self._find_covers(box)
            if covers is not None:
                self._accept((patch, variant, left, top, look), box, covers)
                return

    def _choose_touched(self, anchor: list[float] | None) -> int | None:
        """Number of the earlier object that the next one touches, or None where it may lie anywhere."""
        if anchor is None or not self._objects or anchor[0] >= self._settings.clustering:
            return None
        return int(anchor[1] * len(self._objects))

    def _place_beside(self, touched: int, look: Look, turn: float, depth: float) -> tuple[int, int]:
        """Corner of a window whose inscribed ellipse touches that of an earlier one in a drawn direction.

        The windows, not the ellipses, must be disjoint where nothing may overlap: overlap is counted by windows.
        """
        _, _, x0, y0, other = self._objects[touched]
        cosine, sine = math.cos(2.0 * math.pi * turn), math.sin(2.0 * math.pi * turn)
        reach_x, reach_y = (other.width + look.width) / 2, (other.height + look.height) / 2
        if self._settings.max_overlap > 0.0:
            press = 1.0 - MAX_PRESS * depth
            way = press / math.hypot(cosine / reach_x, sine / reach_y)
        else:
            way = min(reach_x / max(abs(cosine), 1e-9), reach_y / max(abs(sine), 1e-9)) + 1.0
        x, y = x0 + other.width / 2 + way * cosine, y0 + other.height / 2 + way * sine
        return math.floor(x - look.width / 2), math.floor(y - look.height / 2)

    def _find_covers(self, box: tuple[int, int, int, int]) -> list[tuple[int, float]] | None:
        """Areas of earlier objects that `box` covers, or None where one of them would be covered too much."""
        left, top, right, bottom = box
        covers: list[tuple[int, float]] = []
        for number, (x0, y0, x1, y1) in enumerate(self._boxes):
            if x0 < right and left < x1 and y0 < bottom and top < y1:
                area = float((min(x1, right) - max(x0, left)) * (min(y1, bottom) - max(y0, top)))
                if area > self._free[number]:
                    return None
                covers.append((number, area))
        return covers

    def _accept(
        self, item: tuple[int, int, int, int, Look], box: tuple[int, int, int, int], covers: list[tuple[int, float]]
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
        placed, least = [], self._settings.min_visible
        for number, (patch, variant, left, top, look) in enumerate(self._objects):
            x0, y0, x1, y1 = self._boxes[number]
            # Of the canvas where the window is larger, as on crops of real images.
            full = min(look.width * look.height, self._side**2)
            seen = ((x1 - x0) * (y1 - y0) - self._covered[number]) / full
            # The sum counts twice what two others cover both; only where that could matter it is counted exactly.
            if (seen < least or seen <= 0.0) and self._covered[number] > 0.0:
                seen = self._visible_px(number) / full
            placed.append(PlannedObject(patch, variant, left, top, look, seen if seen > 0.0 else 0.0))
        return tuple(placed)

    def _visible_px(self, number: int) -> int:
        x0, y0, x1, y1 = self._boxes[number]
        seen = np.ones((y1 - y0, x1 - x0), np.bool_)
        for left, top, right, bottom in self._boxes[number + 1 :]:
            seen[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
        return int(np.count_nonzero(seen))


def _patches_by_class(bank: PatchBank, settings: CompositionSettings) -> list[list[int]]:
    names = {item.name for item in bank.classes}
    unknown = [name for name in settings.classes if name not in names]
    if unknown:
        raise UserError(f'There is no class "{unknown[0]}" to paste.', f"The classes are: {', '.join(sorted(names))}.")
    groups: dict[ClassId, list[int]] = {
        item.id: [] for item in bank.classes if not settings.classes or item.name in settings.classes
    }
    for number, patch in enumerate(bank.patches):
        if patch.class_id in groups:
            groups[patch.class_id].append(number)
    filled = [patches for patches in groups.values() if patches]
    if not filled:
        raise UserError(
            "None of the chosen classes has a patch.", "Choose another class, or click some of its objects."
        )
    return filled


def _class_weights(sizes: NDArray[np.float64], settings: CompositionSettings) -> list[float]:
    """Relative frequency of each class, from its number of patches."""
    if settings.class_draw == "uniform":
        return [1.0] * len(sizes)
    weights: list[float] = (sizes if settings.class_draw == "empirical" else sizes.max() / sizes).tolist()
    return weights


def _count_variants(bank: PatchBank, groups: list[list[int]], settings: CompositionSettings) -> int:
    """As many variants as fit the memory, but at least four: below that the set repeats itself."""
    n_px = sum(bank.patches[index].width * bank.patches[index].height for group in groups for index in group)
    n_bytes = (6.0 if bank.has_foreground else 3.0) * n_px  # an outline of its own is kept with each variant
    return max(min(4, settings.variants), min(settings.variants, int(settings.cache_mb * 1e6 / max(n_bytes, 1.0))))
