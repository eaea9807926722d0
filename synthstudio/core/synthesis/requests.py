"""Which images a GAN is asked for: condition, tone, sizes and places, from (settings, seed, index, data) alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from synthstudio.core.synthesis.streams import REQUEST_ORDER, REQUESTS, open_stream
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.settings.generate import RequestSettings

Cell = tuple[str, int]
"""A condition and the level of its tone."""
Shape = tuple[float, float]
"""Width and height of a region as shares of the image's side."""

LEAST_REGION_PX = 3
PLACES_TRIED = 24
_SQUARE: Shape = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class RequestMaterial:
    """What the data shows, as far as requests depend on it.

    Attributes:
        class_names: Conditions that the GAN knows, in the order of its card.
        tone_levels: Names of the levels of its tone scale, from level 1; empty without one.
        has_unknown: It can be asked for images of no particular tone.
        counts: Training images that show a condition in a tone, by both.
        shapes: Of the regions of each condition on the training crops.
        region_counts: Number of regions of each training crop.
    """

    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown: bool = True
    counts: Mapping[Cell, int] = field(default_factory=dict)
    shapes: Mapping[str, tuple[Shape, ...]] = field(default_factory=dict)
    region_counts: tuple[int, ...] = ()

    def tone_name(self, tone: int) -> str:
        """The name of a level; empty for an unknown tone."""
        return self.tone_levels[tone - 1] if 1 <= tone <= len(self.tone_levels) else ""


def choose_cells(settings: RequestSettings, material: RequestMaterial) -> tuple[Cell, ...]:
    """Return every condition with every tone that is asked for, in the order of class and level.

    Raises:
        UserError: The GAN knows no such condition or tone.
    """
    classes = _chosen(settings.classes, material.class_names, what="condition")
    seen = sorted({tone for (_, tone), count in material.counts.items() if count and tone != UNKNOWN_TONE})
    if settings.tones:
        names = _chosen(settings.tones, material.tone_levels, what="tone")
        tones = [material.tone_levels.index(name) + 1 for name in names]
    else:
        every = [UNKNOWN_TONE] if material.has_unknown else list(range(1, len(material.tone_levels) + 1))
        tones = [tone for tone in seen if tone <= len(material.tone_levels)] or every
    return tuple((name, tone) for name in classes for tone in tones)


def _chosen(wanted: Sequence[str], known: Sequence[str], *, what: str) -> list[str]:
    strange = [name for name in wanted if name not in known]
    if strange:
        raise UserError(
            f"The GAN knows no {what} {strange[0]}.", f"It has learned: {', '.join(known) or f'no {what} at all'}."
        )
    return [name for name in known if not wanted or name in wanted]


def level_up(counts: Sequence[int], order: Sequence[int]) -> Iterator[int]:
    """Yield, without end, which count is the least now and is raised by one; among equal ones by their `order`."""
    heap = [(count, rank, place) for place, (count, rank) in enumerate(zip(counts, order, strict=True))]
    heapq.heapify(heap)
    while True:
        count, rank, place = heap[0]
        heapq.heapreplace(heap, (count + 1, rank, place))
        yield place


class RequestPlanner:
    """Plans the request of any image of a set alone, in any order.

    Raises:
        UserError: As `choose_cells`; or the data shows none of the cells whose frequency is to be taken from it.
    """

    def __init__(self, settings: RequestSettings, material: RequestMaterial, *, side: int, seed: int) -> None:
        self._settings = settings
        self._material = material
        self._side = side
        self._seed = seed
        self.cells = choose_cells(settings, material)
        counts = [material.counts.get(cell, 0) for cell in self.cells]
        if settings.distribution == "as-in-data" and not sum(counts):
            raise UserError(
                "No training image shows any of these conditions in these tones.",
                'Choose others, or make each equally often ("balanced").',
            )
        self._shares = np.cumsum(counts, dtype=np.float64) / max(1, sum(counts))
        order = open_stream(seed, REQUEST_ORDER, 0).permutation(len(self.cells)).tolist()
        self._levelling = level_up(counts, order)
        self._levelled: list[int] = []

    def plan(self, index: int) -> MapRequest:
        """Return the request of image `index`; boxes are whole px, in the frame, and do not overlap."""
        name, tone = self.cells[self._cell(index)]
        rng = open_stream(self._seed, REQUESTS, index)
        rng.random()  # of the cell, where it is drawn
        return MapRequest(self._side, tone, tuple(MapRegion(name, box) for box in self._draw_boxes(name, rng)))

    def count_cells(self, indices: range) -> dict[Cell, int]:
        """How many of these images show each condition in each tone."""
        counts = dict.fromkeys(self.cells, 0)
        rest: Iterable[int] = indices
        n_cells = len(self.cells)
        first, last = -(-indices.start // n_cells), indices.stop // n_cells
        if self._settings.distribution == "balanced" and last > first:  # whole turns need not be drawn to be counted
            counts = dict.fromkeys(self.cells, last - first)
            rest = chain(range(indices.start, first * n_cells), range(last * n_cells, indices.stop))
        for index in rest:
            counts[self.cells[self._cell(index)]] += 1
        return counts

    def _cell(self, index: int) -> int:
        match self._settings.distribution:
            case "balanced":  # every cell once in each run of as many images as there are cells
                turn, place = divmod(index, len(self.cells))
                return int(open_stream(self._seed, REQUEST_ORDER, turn + 1).permutation(len(self.cells))[place])
            case "as-in-data":
                drawn = open_stream(self._seed, REQUESTS, index).random()
                return int(np.searchsorted(self._shares, drawn, side="right"))
            case "top-up":
                while len(self._levelled) <= index:
                    self._levelled.append(next(self._levelling))
                return self._levelled[index]

    def _draw_boxes(self, name: str, rng: np.random.Generator) -> list[Box]:
        wanted = 1
        if self._settings.regions == "as-in-data" and self._material.region_counts:
            wanted = max(1, self._material.region_counts[int(rng.integers(len(self._material.region_counts)))])
        boxes: list[Box] = []
        for _ in range(wanted):
            box = self._find_place(self._draw_shape(name, rng), boxes, rng)
            if box is not None:
                boxes.append(box)
        return boxes

    def _draw_shape(self, name: str, rng: np.random.Generator) -> Shape:
        shapes = self._material.shapes.get(name) or (_SQUARE,)
        width, height = shapes[int(rng.integers(len(shapes)))]
        if self._settings.sizes == "uniform":
            longer = rng.uniform(self._settings.least_share, self._settings.most_share)
            width, height = longer * width / max(width, height), longer * height / max(width, height)
        return width, height

    def _find_place(self, shape: Shape, taken: Sequence[Box], rng: np.random.Generator) -> Box | None:
        """A free place for a region, with a pixel between it and its neighbours; None where none is found."""
        width, height = (min(self._side, max(LEAST_REGION_PX, round(part * self._side))) for part in shape)
        for _ in range(PLACES_TRIED):
            left, top = int(rng.integers(self._side - width + 1)), int(rng.integers(self._side - height + 1))
            box = Box(float(left), float(top), float(left + width), float(top + height))
            if all(not _touch(box, other) for other in taken):
                return box
        return None


def _touch(box: Box, other: Box) -> bool:
    apart = box.x1 < other.x0 or other.x1 < box.x0 or box.y1 < other.y0 or other.y1 < box.y0
    return not apart


def request_to_json(request: MapRequest) -> dict[str, object]:
    """A request as a JSON object, as in the manifest of a set."""
    regions = [
        {"class": each.class_name, "box": [each.box.x0, each.box.y0, each.box.x1, each.box.y1]}
        for each in request.regions
    ]
    return {"side": request.side, "tone": request.tone, "regions": regions}


def request_from_json(found: object) -> MapRequest:
    """Read a request. Raises ValueError, TypeError or KeyError where it is none."""
    if not isinstance(found, dict):
        raise ValueError("a request is an object")
    regions = tuple(
        MapRegion(str(each["class"]), Box(*(float(corner) for corner in each["box"]))) for each in found["regions"]
    )
    return MapRequest(int(found["side"]), int(found["tone"]), regions)
