"""How large the objects of a class are: measured from boxes, or estimated from the image around centre clicks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from synthstudio.core.imaging import ImageArray, read_image, read_image_header
from synthstudio.domain.errors import UserError
from synthstudio.domain.plans import PlannedAnnotation, PlannedFov
from synthstudio.domain.progress import Tick, no_tick

MAX_IMAGES = 30
"""Images looked at; more would only make the median of a few hundred objects slower."""

MIN_OBJECTS = 5
"""Objects of a class that its own median needs; below it the median of all classes serves."""

# A single convex cell fills its hull; two that touch leave a waist (.85-.92 for two discs).
MIN_SOLIDITY = 0.93
MIN_SIDE_PX = 4
# Cells in a monolayer lie a little further apart than they are wide.
SIZE_PER_NEIGHBOR_DISTANCE = 0.8


def measure_box_sizes(fovs: Iterable[PlannedFov]) -> dict[str, float]:
    """Return the mean of sqrt(width * height) of the boxes of each class, in px."""
    sides: dict[str, list[float]] = defaultdict(list)
    for fov in fovs:
        for mark in fov.annotations:
            if mark.box is not None:
                sides[mark.class_name].append((mark.box.width * mark.box.height) ** 0.5)
            elif mark.size_px is not None:
                sides[mark.class_name].append(mark.size_px)
    return {name: fmean(values) for name, values in sides.items()}


def find_sizes(
    fovs: Sequence[PlannedFov], *, stated: Mapping[str, float] | None = None
) -> tuple[dict[str, float], frozenset[str]]:
    """Return the mean side in px of each class, and the names of those that are only estimated.

    What the data set states counts first, then what its boxes measure, then what the images show around its clicks.
    """
    sizes = {**measure_box_sizes(fovs), **(stated or {})}
    estimated: dict[str, float] = {}
    if any(mark.class_name not in sizes for fov in fovs for mark in fov.annotations):
        estimated = {name: size for name, size in estimate_center_sizes(fovs).items() if name not in sizes}
    return {**estimated, **sizes}, frozenset(estimated)


def estimate_center_sizes(fovs: Sequence[PlannedFov], *, tick: Tick = no_tick) -> dict[str, float]:
    """Return an estimated mean side in px for each class that is marked by centres.

    Up to `MAX_IMAGES` images, evenly spread, are split into foreground and background; an object counts when it holds
    exactly one click, is convex and lies inside the image. Where that finds too few objects of a class, the median of
    all classes serves, and at last the distance between neighbouring clicks. A class with neither is left out.
    """
    marked = [fov for fov in fovs if any(mark.box is None for mark in fov.annotations)]
    chosen = [marked[i] for i in sorted(set(np.linspace(0, len(marked) - 1, MAX_IMAGES).astype(int)))] if marked else []
    sides: dict[str, list[float]] = defaultdict(list)
    for number, fov in enumerate(chosen):
        tick(number, len(chosen))
        for name, side in _measure_objects(fov):
            sides[name].append(side)
    names = dict.fromkeys(mark.class_name for fov in marked for mark in fov.annotations if mark.box is None)
    return _choose_sizes(names, sides, _estimate_from_distances(marked))


def _choose_sizes(
    names: Iterable[str], sides: Mapping[str, Sequence[float]], fallback: float | None
) -> dict[str, float]:
    pooled = [side for values in sides.values() for side in values]
    common = median(pooled) if len(pooled) >= MIN_OBJECTS else fallback
    sizes: dict[str, float] = {}
    for name in names:
        own = sides.get(name, ())
        size = median(own) if len(own) >= MIN_OBJECTS else common
        if size is not None:
            sizes[name] = round(size, 1)
    return sizes


def _measure_objects(fov: PlannedFov) -> list[tuple[str, float]]:
    """Return class and side in px of each object that stands alone in the image."""
    try:
        if read_image_header(Path(fov.path), page=fov.page).is_large:
            return []  # an estimate is not worth a gigabyte; other images or boxes tell the size
        image = read_image(Path(fov.path), page=fov.page)
    except UserError:  # gone since it was opened for the plan: an estimate does without it
        return []
    _, components, stats, _ = cv2.connectedComponentsWithStats(find_foreground(image).astype(np.uint8), connectivity=4)
    labels = np.asarray(components, dtype=np.int32)
    clicks: dict[int, list[PlannedAnnotation]] = defaultdict(list)
    for mark in fov.annotations:
        clicks[int(labels[min(int(mark.y), fov.height - 1), min(int(mark.x), fov.width - 1)])].append(mark)
    found: list[tuple[str, float]] = []
    for label, marks in clicks.items():
        if label and len(marks) == 1 and (side := _side_of_component(labels, label, stats[label])) is not None:
            found.append((marks[0].class_name, side))
    return found


def _side_of_component(labels: NDArray[np.int32], label: int, stats: NDArray[np.generic]) -> float | None:
    """Return sqrt(width * height) of a component, or None where it is cut off, a clump or a speck."""
    x, y, width, height = (int(value) for value in stats[: cv2.CC_STAT_AREA])
    touches_edge = x == 0 or y == 0 or x + width == labels.shape[1] or y + height == labels.shape[0]
    if touches_edge or min(width, height) < MIN_SIDE_PX:
        return None
    mask = (labels[y : y + height, x : x + width] == label).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    hull_area = cv2.contourArea(cv2.convexHull(outline))
    if hull_area <= 0 or cv2.contourArea(outline) / hull_area < MIN_SOLIDITY:
        return None
    return float((width * height) ** 0.5)


def find_foreground(image: ImageArray) -> NDArray[np.bool_]:
    """Return the mask `(H, W)` of what differs in colour from the background, with holes filled.

    The background is the most frequent colour (bright field: bright; fluorescence: dark), the threshold on the
    distance to it is Otsu's (1979).
    """
    smooth = cv2.GaussianBlur(image, (5, 5), 0)
    background = np.array([np.bincount(smooth[:, :, c].ravel(), minlength=256).argmax() for c in range(3)])
    red, green, blue = cv2.split(cv2.absdiff(smooth, np.broadcast_to(background.astype(np.uint8), smooth.shape).copy()))
    distance = cv2.max(cv2.max(red, green), blue)
    _, mask = cv2.threshold(distance, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, outlines, -1, 255, cv2.FILLED)
    return np.asarray(filled > 0, dtype=np.bool_)


def _estimate_from_distances(fovs: Iterable[PlannedFov]) -> float | None:
    """Return a side in px from the distance of each click to its nearest neighbour."""
    distances: list[float] = []
    for fov in fovs:
        points = np.array([[mark.x, mark.y] for mark in fov.annotations])
        if len(points) > 1:
            nearest, _ = cKDTree(points).query(points, k=2)
            distances.extend(float(value) for value in nearest[:, 1] if value >= MIN_SIDE_PX)
    return SIZE_PER_NEIGHBOR_DISTANCE * median(distances) if distances else None
