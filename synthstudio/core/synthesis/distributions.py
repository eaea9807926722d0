"""What real images hold and what composites will hold: class, number, size and place of the objects, side by side.

Composites are described by their plans, which cost a fraction of a millisecond; nothing is drawn.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.windows import mean_class_sizes
from synthstudio.core.synthesis.plan import Planner
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Annotation, FieldOfView, ObjectClass
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import CompositionSettings

N_BINS = 24
MIN_PLANS = 20
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The objects of some images. Lengths in px of the working scale.

    Attributes:
        counts: `(images, classes)` int64, objects of each class on each image.
        ranks: `(N,)` int64, class of each object.
        sizes: `(N,)` float64, mean side of its extent.
        places: `(N, 2)` float64, x and y of its centre as shares of the image's width and height.
    """

    counts: NDArray[np.int64]
    ranks: NDArray[np.int64]
    sizes: Values
    places: Values


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two histograms over the same bins.

    Attributes:
        title, unit: What is counted, and in what.
        edges: `(n + 1,)` float64, ends of the bins.
        real, made: `(n,)` float64, share of each bin; nan where there is nothing to count.
        names: Of the bins, where they are classes.
    """

    title: str
    unit: str
    edges: Values
    real: Values
    made: Values
    names: tuple[str, ...] = ()


def describe_annotations(
    fovs: Sequence[FieldOfView],
    annotations: Mapping[FovId, Sequence[Annotation]],
    classes: Sequence[ObjectClass],
    *,
    scale: WorkingScale,
    settings: CompositionSettings,
) -> Distribution:
    """Describe real images as crops of the canvas's size, so that numbers of objects can be compared.

    Args:
        fovs: The training images.
        annotations: Those of each FOV.
        classes: In the order of the ranks.
        scale: The working scale.
        settings: Size of the canvas, and the least visible part for an object at the edge of a crop to count.
    """
    rank = {item.id: number for number, item in enumerate(classes)}
    magnifications = {fov.id: scale.magnification(fov) for fov in fovs}
    marks = [mark for fov in fovs for mark in annotations.get(fov.id, ())]
    measured = mean_class_sizes(marks, magnifications)
    counts: list[NDArray[np.int64]] = []
    rows: list[tuple[int, float, float, float]] = []
    for fov in fovs:
        factor, typical = scale.of(fov), 1.0 / magnifications[fov.id]
        sizes = {item.id: item.size_in(fov.um_per_px) or measured.get(item.id, 0.0) * typical for item in classes}
        known = [mark for mark in annotations.get(fov.id, ()) if mark.class_id in rank]
        extents = [mark.extent(sizes[mark.class_id]) for mark in known]
        boxes = np.array([(box.x0, box.y0, box.x1, box.y1) for box in extents], np.float64).reshape(-1, 4) * factor
        ranks = np.array([rank[mark.class_id] for mark in known], np.int64)
        counts.append(_count_in_crops(fov, boxes, ranks, n_classes=len(classes), scale=factor, settings=settings))
        for mark, box in zip(known, boxes.tolist(), strict=True):
            side = (box[2] - box[0] + box[3] - box[1]) / 2
            rows.append((rank[mark.class_id], side, mark.x / fov.width, mark.y / fov.height))
    return _distribution(counts, rows, n_classes=len(classes))


def _count_in_crops(
    fov: FieldOfView,
    boxes: Values,
    ranks: NDArray[np.int64],
    *,
    n_classes: int,
    scale: float,
    settings: CompositionSettings,
) -> NDArray[np.int64]:
    """Objects of each class in crops of the canvas's size that lie evenly over an FOV, `(crops, classes)`."""
    width, height = fov.width * scale, fov.height * scale
    areas = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    found = []
    for y0, y1 in _crop_ends(height, settings.size[1]):
        for x0, x1 in _crop_ends(width, settings.size[0]):
            across = np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
            down = np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
            seen = np.clip(across, 0, None) * np.clip(down, 0, None) / areas
            is_there = (seen >= settings.min_visible) & (seen > 0)
            found.append(np.bincount(ranks[is_there], minlength=n_classes))
    return np.array(found, np.int64)


def _crop_ends(length: float, side: int) -> list[tuple[float, float]]:
    count = max(1, int(length // side))
    free = max(0.0, length - count * side)
    starts = [number * side + free * (number + 0.5) / count for number in range(count)]
    return [(start, min(start + side, length)) for start in starts]


def describe_plans(
    bank: PatchBank,
    settings: CompositionSettings,
    *,
    seed: int,
    n_images: int,
    budget_s: float = math.inf,
    tick: Tick = no_tick,
) -> Distribution:
    """Describe the first composites of these settings by their plans; windows stand for extents.

    Args:
        bank: Patches that are used.
        settings: How they are composed.
        seed: Seed of the images.
        n_images: How many are planned.
        budget_s: Fewer, but `MIN_PLANS`, where it takes longer than this.
        tick: Called once per image.
    """
    started = time.perf_counter()
    planner = Planner(bank, settings, seed=seed)
    rank = {item.id: number for number, item in enumerate(bank.classes)}
    ranks_of = [rank[patch.class_id] for patch in bank.patches]
    width, height = settings.size
    counts: list[NDArray[np.int64]] = []
    rows: list[tuple[int, float, float, float]] = []
    for index in range(n_images):
        tick(index, n_images)
        # Mirroring of whole images is left out: it happens half of the time each way and moves no mean.
        seen = [item for item in planner.plan(index).objects if item.visible >= settings.min_visible]
        ranks = [ranks_of[item.patch] for item in seen]
        counts.append(np.bincount(np.array(ranks, np.int64), minlength=len(rank))[None])
        for item, number in zip(seen, ranks, strict=True):
            look = item.look
            x, y = (item.left + look.width / 2) / width, (item.top + look.height / 2) / height
            rows.append((number, (look.width + look.height) / 2, x, y))
        if index + 1 >= MIN_PLANS and time.perf_counter() - started > budget_s:
            break
    return _distribution(counts, rows, n_classes=len(rank))


def _distribution(
    counts: Sequence[NDArray[np.int64]], rows: Sequence[tuple[int, float, float, float]], *, n_classes: int
) -> Distribution:
    table = np.array(rows, np.float64).reshape(-1, 4)
    empty = np.zeros((0, n_classes), np.int64)
    return Distribution(
        counts=np.concatenate(counts) if counts else empty,
        ranks=table[:, 0].astype(np.int64),
        sizes=table[:, 1],
        places=table[:, 2:],
    )


def compare(
    real: Distribution, made: Distribution, names: Sequence[str], *, rank: int | None = None
) -> list[Comparison]:
    """Compare real and composed images: classes, their presence, numbers, sizes and places.

    Args:
        real: The training images.
        made: Composites.
        names: Of the classes.
        rank: The class whose numbers, sizes and places are compared; all together where it is None.
    """
    pair = (real, made)
    chosen = [each.ranks == rank if rank is not None else np.ones(len(each.ranks), np.bool_) for each in pair]
    sizes = [each.sizes[rows] for each, rows in zip(pair, chosen, strict=True)]
    places = [each.places[rows] for each, rows in zip(pair, chosen, strict=True)]
    numbers = [(each.counts if rank is None else each.counts[:, [rank]]).sum(axis=1) for each in pair]
    across, down = ([each[:, axis] for each in places] for axis in (0, 1))
    return [
        _compare_classes(real, made, names),
        _compare_presence(real, made, names),
        compare_values("Objects on an image", "objects", numbers, count_edges(numbers)),
        compare_values("Size", "px", sizes, even_edges(sizes)),
        compare_values("Place across", "share of the width", across, np.linspace(0.0, 1.0, N_BINS // 2 + 1)),
        compare_values("Place down", "share of the height", down, np.linspace(0.0, 1.0, N_BINS // 2 + 1)),
    ]


def _compare_classes(real: Distribution, made: Distribution, names: Sequence[str]) -> Comparison:
    edges = np.arange(len(names) + 1, dtype=np.float64)
    # Of the objects, not of the crops: an object that two crops share counts once.
    totals = [_shares(np.bincount(each.ranks, minlength=len(names)).astype(np.float64)) for each in (real, made)]
    return Comparison("Classes", "share of the objects", edges, totals[0], totals[1], tuple(names))


def _compare_presence(real: Distribution, made: Distribution, names: Sequence[str]) -> Comparison:
    edges = np.arange(len(names) + 1, dtype=np.float64)
    shares = [
        (each.counts > 0).mean(axis=0) if len(each.counts) else np.full(len(names), math.nan) for each in (real, made)
    ]
    return Comparison("Images that show the class", "share of the images", edges, shares[0], shares[1], tuple(names))


def compare_values(title: str, unit: str, values: Sequence[NDArray[np.generic]], edges: Values) -> Comparison:
    """Compare how real and made values spread over the bins; no values at all are nan in each bin."""
    # What lies beyond the ends, such as the centre of an object that the edge cuts, belongs to the outermost bin.
    inside = [np.clip(each.astype(np.float64), edges[0], np.nextafter(edges[-1], edges[0])) for each in values]
    real, made = (_shares(np.histogram(each, edges)[0].astype(np.float64)) for each in inside)
    return Comparison(title, unit, edges, real, made)


def _shares(counts: Values) -> Values:
    total = counts.sum()
    return counts / total if total else np.full(len(counts), math.nan)


def count_edges(numbers: Sequence[NDArray[np.int64]]) -> Values:
    """One bin for each number, or several numbers a bin where there are many; the middles are whole numbers."""
    most = max((int(each.max()) for each in numbers if each.size), default=1)
    step = -(-(most + 1) // N_BINS)
    return np.arange(0, most + step + 1, step, dtype=np.float64) - (0.5 if step == 1 else 0.0)


def even_edges(values: Sequence[Values]) -> Values:
    """Bins of one width over all values, with some room at both ends."""
    together = np.concatenate([*values, np.empty(0)])
    if not together.size:
        return np.array([0.0, 1.0])
    low, high = float(together.min()), float(together.max())
    spare = max(1.0, 0.05 * (high - low))
    return np.linspace(max(0.0, low - spare), high + spare, N_BINS + 1)
