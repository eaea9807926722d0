"""What an image will hold, decided before anything is drawn: a plan depends on (settings, seed, index, bank) alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.augmentation import N_FIRST_NUMBERS, N_FURTHER_NUMBERS
from synthstudio.core.synthesis.looks import N_LOOK_NUMBERS, Look, draw_look
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.placing import DrawnObject, Placing, PlannedObject
from synthstudio.core.synthesis.streams import IMAGES, VARIANTS, StreamSeries, open_stream
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.settings.compose import CompositionSettings

N_IMAGE_NUMBERS = 16  # drawn first for each image, before the classes that take part
LIMITS_MEMORY_BYTES = 1_000_000
FRESH = -1  # variant number of an object that is drawn anew


@dataclass(frozen=True, slots=True)
class CompositePlan:
    """Everything that decides an image.

    Attributes:
        index: Number of the image in its set.
        canvas: Uniform number that chooses the background.
        grain: Two uniform numbers that place the noise of the background.
        augmentation: Uniform numbers for the whole image, see `augmentation`.
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
        self._streams = StreamSeries(seed, IMAGES)
        self._placing = Placing(settings)
        self._patches = patches_by_class(bank, settings)
        self._weights = _class_weights(bank, self._patches, settings)
        self._limits: ByteCache[tuple[bool, ...], list[float]] = ByteCache(LIMITS_MEMORY_BYTES)
        self.n_variants = _count_variants(bank, self._patches, settings) if settings.render == "cached" else 0
        self._n_used = 3 if self.n_variants else 2 + N_LOOK_NUMBERS  # class, patch, and the variant or a look
        self._looks: list[Look | None] = [None] * (len(bank.patches) * self.n_variants)  # those of a patch in a row
        self._variant_numbers: NDArray[np.float64] = (
            open_stream(seed, VARIANTS, 0).random((len(bank.patches), self.n_variants, N_LOOK_NUMBERS))
            if self.n_variants
            else np.empty((0, 0, N_LOOK_NUMBERS))
        )

    def plan(self, index: int) -> CompositePlan:
        """Plan image `index`."""
        settings = self._settings
        stream = self._streams.open(index)
        head: list[float] = stream.random(N_IMAGE_NUMBERS + len(self._patches)).tolist()
        span = settings.n_objects_max - settings.n_objects_min + 1
        n_wanted = settings.n_objects_min + int(head[0] * span)
        limits = self._class_limits(head[N_IMAGE_NUMBERS:], head[1])
        # The places are drawn in a second block so that the number of tries does not move the other numbers.
        block: list[list[float]] = stream.random((n_wanted, 2 + N_LOOK_NUMBERS))[:, : self._n_used].tolist()
        tries = stream.random((n_wanted, 2 * settings.tries))
        anchors: list[list[float]] = stream.random((n_wanted, 2)).tolist() if settings.clustering else []
        further: list[float] = stream.random(N_FURTHER_NUMBERS).tolist()
        drawn = self._draw_objects(block, limits)
        if settings.stacking == "small_on_top":
            # What is placed later lies on top. The sort is stable, so equal sizes keep their drawn order.
            drawn.sort(key=lambda item: -item[2].width * item[2].height)
        return CompositePlan(
            index=index,
            canvas=head[2],
            grain=(head[3], head[4]),
            augmentation=(*head[5 : 5 + N_FIRST_NUMBERS], *further),
            objects=self._placing.place(drawn, tries, anchors),
            n_wanted=n_wanted,
        )

    def look(self, patch: int, variant: int) -> Look:
        """The look of a prepared variant."""
        place = patch * self.n_variants + variant
        found = self._looks[place]
        if found is None:
            numbers: list[float] = self._variant_numbers[patch, variant].tolist()
            found = self._looks[place] = draw_look(self._bank.patches[patch], numbers, self._settings)
        return found

    def _class_limits(self, numbers: Sequence[float], choice: float) -> list[float]:
        """Upper ends of the classes' shares of [0, 1); a class that takes no part has an empty share."""
        presence = self._settings.class_presence
        takes_part = [number < presence for number in numbers]
        if True not in takes_part:
            takes_part[int(choice * len(takes_part))] = True
        key = tuple(takes_part)
        found = self._limits.find(key)
        if found is None:
            found = self._find_limits(key)
            self._limits.add(key, found, 8 * len(found))
        return found

    def _find_limits(self, takes_part: Sequence[bool]) -> list[float]:
        weights = [weight if part else 0.0 for weight, part in zip(self._weights, takes_part, strict=True)]
        total, upper, limits = sum(weights), 0.0, []
        for weight in weights:
            upper += weight / total
            limits.append(upper)
        last = max(rank for rank, part in enumerate(takes_part) if part)
        limits[last:] = [1.0] * (len(limits) - last)  # rounding must not leave a gap below 1
        return limits

    def _draw_objects(self, block: list[list[float]], limits: list[float]) -> list[DrawnObject]:
        groups, n_variants, looks, drawn = self._patches, self.n_variants, self._looks, []
        for numbers in block:
            patches = groups[bisect_right(limits, numbers[0])]
            patch = patches[int(numbers[1] * len(patches))]
            if n_variants:
                variant = int(numbers[2] * n_variants)
                look = looks[patch * n_variants + variant] or self.look(patch, variant)
                drawn.append((patch, variant, look))
            else:
                drawn.append((patch, FRESH, draw_look(self._bank.patches[patch], numbers[2:], self._settings)))
        return drawn


def plan_composite(bank: PatchBank, settings: CompositionSettings, *, seed: int, index: int) -> CompositePlan:
    """Plan one image; a `Planner` is faster for many."""
    return Planner(bank, settings, seed=seed).plan(index)


def patches_by_class(bank: PatchBank, settings: CompositionSettings) -> list[list[int]]:
    """Numbers of the patches of each class that takes part, in the order of the classes; none is empty.

    Raises:
        UserError: No chosen class has a patch, or a class name is unknown.
    """
    names = {item.name for item in bank.classes}
    weights = settings.weight_by_class if settings.class_draw == "weights" else {}
    unknown = [name for name in (*settings.classes, *weights) if name not in names]
    if unknown:
        raise UserError(f'There is no class "{unknown[0]}" to paste.', f"The classes are: {', '.join(sorted(names))}.")
    groups: dict[ClassId, list[int]] = {
        item.id: []
        for item in bank.classes
        if (not settings.classes or item.name in settings.classes) and weights.get(item.name, 1.0) > 0.0
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


def _class_weights(bank: PatchBank, groups: list[list[int]], settings: CompositionSettings) -> list[float]:
    """Relative frequency of each class that takes part."""
    sizes = [float(len(patches)) for patches in groups]
    match settings.class_draw:
        case "uniform":
            return [1.0] * len(sizes)
        case "empirical":
            return sizes
        case "top_up":
            return [max(sizes) / size for size in sizes]
        case "weights":
            names = {item.id: item.name for item in bank.classes}
            weights = settings.weight_by_class
            return [weights.get(names[bank.patches[patches[0]].class_id], 1.0) for patches in groups]


def _count_variants(bank: PatchBank, groups: list[list[int]], settings: CompositionSettings) -> int:
    """As many variants as fit the memory, but at least four: below that the set repeats itself."""
    n_px = sum(bank.patches[index].width * bank.patches[index].height for group in groups for index in group)
    n_bytes = (6.0 if bank.has_foreground else 3.0) * n_px  # an outline of its own is kept with each variant
    return max(min(4, settings.variants), min(settings.variants, int(settings.cache_mb * 1e6 / max(n_bytes, 1.0))))
