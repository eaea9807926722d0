"""Crops around regions of interest, as a semantic-map GAN learns from them: planned from records, then cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import boxes_to_array, clip_box
from synthstudio.core.imaging import ImageArray, ImageSource
from synthstudio.core.synthesis.region_windows import Frame, draw_window, visible_regions
from synthstudio.core.synthesis.square_crops import cut_square
from synthstudio.core.synthesis.streams import REGION_WINDOWS, open_stream
from synthstudio.domain.ids import FovId, SampleId
from synthstudio.domain.maps import UNKNOWN_TONE, MapRegion, MapRequest
from synthstudio.domain.records import Box, CropSquare, FieldOfView
from synthstudio.settings.region_crops import WindowSettings

MIN_IMAGE_PX = 16
"""Images with a shorter side show nothing that a network could learn."""

MIN_REGION_PX = 2.0
"""A region whose longer side is smaller than this on the crop is not on its map."""


@dataclass(frozen=True, slots=True)
class PlannedCrop:
    """A crop that can be cut, known from the records alone.

    Attributes:
        index: Number of the window on its FOV, from 0.
        window: Within the FOV, in full-resolution px.
        request: What the crop shows: its tone, and the regions in px of the crop, larger ones first.
    """

    fov_id: FovId
    fov_name: str
    sample_id: SampleId
    index: int
    window: CropSquare
    request: MapRequest

    @property
    def scale(self) -> float:
        """Px of the crop per full-resolution px; above 1 the crop is enlarged."""
        return self.request.side / self.window.side


@dataclass(frozen=True, slots=True, eq=False)
class RegionCrop:
    """A crop with its pixels.

    Attributes:
        plan: Where it lies, and what it shows.
        image: `(S, S, 3)` uint8 RGB.
    """

    plan: PlannedCrop
    image: ImageArray

    @property
    def request(self) -> MapRequest:
        return self.plan.request


def plan_region_crops(
    fov: FieldOfView, regions: Sequence[MapRegion], *, settings: WindowSettings, seed: int
) -> list[PlannedCrop]:
    """Plan the windows around the regions of an FOV.

    Every condition on the FOV has its turn before any has its second, every region before any comes again. A window
    depends on seed, FOV and its number, not on how many there are. The same window is not taken twice, so an image
    that is one whole region gives fewer crops than were asked for.

    Args:
        fov: Of which size and tone are used.
        regions: Conditions with their boxes in full-resolution px; what lies outside the image is cut off.
        settings: Number, size and grouping.
        seed: Another seed gives other windows.
    """
    frame = Frame(fov.width, fov.height)
    inside = [MapRegion(each.class_name, box) for each in regions if (box := clip_box(each.box, *_size(fov)))]
    if not inside or frame.short < MIN_IMAGE_PX:
        return []
    boxes = boxes_to_array([each.box for each in inside])
    order = _order_anchors([each.class_name for each in inside], rng=_stream(seed, fov.id, 0))
    planned: list[PlannedCrop] = []
    for index in range(settings.crops_per_fov):
        rng = _stream(seed, fov.id, index + 1)
        window = draw_window(boxes, order[index % len(order)], frame, settings=settings, rng=rng)
        shown = [each for each, is_shown in zip(inside, visible_regions(boxes, window), strict=True) if is_shown]
        request = _carry_over(shown, window, side=settings.side_px, tone=fov.tone or UNKNOWN_TONE)
        if request.regions and all(window != each.window for each in planned):
            planned.append(PlannedCrop(fov.id, fov.name, fov.sample_id, index, window, request))
    return planned


def cut_region_crop(image: ImageArray | ImageSource, planned: PlannedCrop) -> RegionCrop:
    """Cut a crop, and resize it: averaged over px areas when it becomes smaller, bicubic when larger.

    Args:
        image: The FOV, `(H, W, 3)` uint8 RGB, or a source to read a part of it.
        planned: The crop.

    Raises:
        UserError: The image has another size than when it was imported, or cannot be read.
    """
    return RegionCrop(planned, cut_square(image, planned.window, side=planned.request.side, name=planned.fov_name))


@dataclass(frozen=True, slots=True, eq=False)
class RegionStatistics:
    """What crops show: what the data has, and what it lacks.

    Attributes:
        class_names: The conditions.
        n_tones: Levels of the tone scale.
        n_regions: `(K, n_tones + 1)` int64, regions of each condition in each tone; column 0 is the unknown tone.
        n_crops: The same of the crops on which a condition is seen.
        sizes: Of each condition: the square root of each region's area as a share of the crop's side, float64.
        aspects: Of each condition: width over height of each region.
        n_per_crop: Regions on each crop, `(crops,)` int64.
    """

    class_names: tuple[str, ...]
    n_tones: int
    n_regions: NDArray[np.int64]
    n_crops: NDArray[np.int64]
    sizes: tuple[NDArray[np.float64], ...]
    aspects: tuple[NDArray[np.float64], ...]
    n_per_crop: NDArray[np.int64]

    @classmethod
    def of(cls, requests: Sequence[MapRequest], class_names: Sequence[str], *, n_tones: int) -> RegionStatistics:
        """Count what these requests show. A region of a condition that is not named counts for no condition."""
        rows = {name: row for row, name in enumerate(class_names)}
        n_regions = np.zeros((len(rows), n_tones + 1), np.int64)
        n_crops = np.zeros_like(n_regions)
        sizes: list[list[float]] = [[] for _ in rows]
        aspects: list[list[float]] = [[] for _ in rows]
        for request in requests:
            known = [(rows[each.class_name], each.box) for each in request.regions if each.class_name in rows]
            for row, box in known:
                n_regions[row, request.tone] += 1
                sizes[row].append((box.width * box.height) ** 0.5 / request.side)
                aspects[row].append(box.width / box.height)
            n_crops[sorted({row for row, _ in known}), request.tone] += 1
        return cls(
            class_names=tuple(class_names),
            n_tones=n_tones,
            n_regions=n_regions,
            n_crops=n_crops,
            sizes=tuple(np.array(values, np.float64) for values in sizes),
            aspects=tuple(np.array(values, np.float64) for values in aspects),
            n_per_crop=np.array([len(request.regions) for request in requests], np.int64),
        )


def _size(fov: FieldOfView) -> tuple[int, int]:
    return fov.width, fov.height


def _stream(seed: int, fov_id: FovId, number: int) -> np.random.Generator:
    return open_stream(seed, REGION_WINDOWS, (fov_id << 32) | number)


def _order_anchors(names: Sequence[str], *, rng: np.random.Generator) -> list[int]:
    """Numbers of the regions in random order, one of each condition after the other."""
    turns: dict[str, int] = {}
    keyed: list[tuple[int, int, int]] = []
    for place, number in enumerate(rng.permutation(len(names)).tolist()):
        turn = turns[names[number]] = turns.get(names[number], -1) + 1
        keyed.append((turn, place, number))
    return [number for _, _, number in sorted(keyed)]


def _carry_over(regions: Sequence[MapRegion], window: CropSquare, *, side: int, tone: int) -> MapRequest:
    """The regions in px of the crop, clipped; larger ones first, so that smaller ones are seen on the map."""
    scale = side / window.side
    carried: list[MapRegion] = []
    for each in regions:
        moved = each.box.moved(-window.x, -window.y)
        box = clip_box(Box(moved.x0 * scale, moved.y0 * scale, moved.x1 * scale, moved.y1 * scale), side, side)
        if box is not None and max(box.width, box.height) >= MIN_REGION_PX:
            carried.append(MapRegion(each.class_name, box))
    carried.sort(key=lambda each: -each.box.width * each.box.height)
    return MapRequest(side, tone, tuple(carried))
