"""Where patches are cut: known from the annotations alone, before any image is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import PatchSettings

TURNING_MARGIN = 1.12  # the diagonal of a window that is 10 % larger, and a little: what a turned patch may show
N_CHANNELS = 4  # of the crops in the bank: RGB and opacity
MIN_WINDOW_PX = 3.0  # smaller windows hold nothing to learn, and degenerate boxes end up here


@dataclass(frozen=True, slots=True)
class PlannedPatch:
    """A patch to be cut: its window, and the square crop with the margin for turning, in px of the working scale.

    `inside` is the share of the window that lies inside the FOV.
    """

    annotation_id: AnnotationId
    fov_id: FovId
    class_id: ClassId
    window: Box
    left: int
    top: int
    side: int
    inside: float

    @property
    def n_bytes(self) -> int:
        return self.side * self.side * N_CHANNELS


def mean_class_sizes(
    annotations: Sequence[Annotation], magnifications: Mapping[FovId, float] | None = None
) -> dict[ClassId, float]:
    """Mean side of each class's boxes in px, for classes that have boxes.

    Args:
        annotations: Those of any FOVs.
        magnifications: Of each FOV with annotations, see `WorkingScale.magnification`; 1 by default.
    """
    sides: dict[ClassId, list[float]] = {}
    for item in annotations:
        if item.box is not None and min(item.box.width, item.box.height) >= MIN_WINDOW_PX:
            side = (item.box.width + item.box.height) / 2
            sides.setdefault(item.class_id, []).append(side * magnifications[item.fov_id] if magnifications else side)
    return {class_id: float(np.mean(values)) for class_id, values in sides.items()}


def sizes_on_fov(
    classes: Iterable[ObjectClass], um_per_px: float | None, measured: Mapping[ClassId, float]
) -> dict[ClassId, float]:
    """Mean side in px of each class on an FOV: as stated, else as measured, else 0.

    Args:
        classes: Those to tell the size of.
        um_per_px: Calibration of the FOV.
        measured: See `mean_class_sizes`.
    """
    return {each.id: each.size_in(um_per_px) or measured.get(each.id, 0.0) for each in classes}


def class_sizes(
    classes: Sequence[ObjectClass],
    annotations: Sequence[Annotation],
    fovs: Sequence[FieldOfView],
    *,
    scale: WorkingScale,
) -> list[float]:
    """Mean side of each class in px of the working scale: as stated, else measured from its boxes.

    Args:
        classes: Whose sizes are wanted.
        annotations: Those on the FOVs.
        fovs: The FOVs, at least one.
        scale: The working scale.

    Raises:
        UserError: A class has neither, or an FOV cannot be brought to the working scale.
    """
    magnifications = {fov.id: scale.magnification(fov) for fov in fovs}
    measured = mean_class_sizes(annotations, magnifications)
    calibrations = [fov.um_per_px for fov in fovs if fov.um_per_px]
    typical = median(magnifications.values()), median(calibrations) if calibrations else None
    sizes = []
    for item in classes:
        stated = item.size_in(typical[1])
        size = stated * typical[0] if stated else measured.get(item.id)
        if size is None:
            raise UserError(
                f'The class "{item.name}" has no size, so nothing is known about the extent of its clicks.',
                "Give the class a mean size in micrometres or pixels, or draw a box around one of its objects.",
            )
        sizes.append(size * scale.factor)
    return sizes


def plan_windows(
    fovs: Sequence[FieldOfView],
    annotations: Sequence[Annotation],
    classes: Sequence[ObjectClass],
    *,
    settings: PatchSettings,
) -> tuple[list[PlannedPatch], int]:
    """Plan one patch for each annotation of the FOVs.

    Returns:
        The patches, sorted by class, FOV and annotation, and the number of annotations too far outside their image.

    Raises:
        UserError: A class with annotations has neither a size nor a box to measure it from.
    """
    by_id = {fov.id: fov for fov in fovs}
    order = {item.id: rank for rank, item in enumerate(classes)}
    chosen = [item for item in annotations if item.fov_id in by_id and item.class_id in order]
    chosen.sort(key=lambda item: (order[item.class_id], item.fov_id, item.id))
    scale = settings.working_scale
    magnifications = {fov_id: scale.magnification(by_id[fov_id]) for fov_id in {item.fov_id for item in chosen}}
    measured = mean_class_sizes(chosen, magnifications)
    planned: list[PlannedPatch] = []
    for item in chosen:
        fov, object_class = by_id[item.fov_id], classes[order[item.class_id]]
        factor = scale.of(fov)
        stated = item.size_px or object_class.size_in(fov.um_per_px)
        side = stated * factor if stated else measured.get(item.class_id, 0.0) * scale.factor
        window = _window(item, side, object_class, factor=factor, own_box=settings.window == "own_box")
        frame = Box(0.0, 0.0, fov.width * factor, fov.height * factor)
        inside = _inside(window, frame)
        if inside >= settings.min_inside:
            planned.append(_with_margin(item, window, frame, inside=inside))
    return planned, len(chosen) - len(planned)


def thin_out(planned: Sequence[PlannedPatch], *, budget_bytes: int) -> list[PlannedPatch]:
    """Drop patches evenly from the largest classes until the rest fits; the order is kept."""
    by_class: dict[ClassId, list[PlannedPatch]] = {}
    for item in planned:
        by_class.setdefault(item.class_id, []).append(item)
    low, high = 1, max((len(items) for items in by_class.values()), default=1)
    while low < high:
        middle = (low + high + 1) // 2
        n_bytes = sum(item.n_bytes for items in by_class.values() for item in _spread(items, middle))
        low, high = (middle, high) if n_bytes <= budget_bytes else (low, middle - 1)
    return [item for items in by_class.values() for item in _spread(items, low)]


def _spread(items: Sequence[PlannedPatch], count: int) -> Sequence[PlannedPatch]:
    if len(items) <= count:
        return items
    return [items[math.floor(step * len(items) / count)] for step in range(count)]


def _window(item: Annotation, side: float, object_class: ObjectClass, *, factor: float, own_box: bool) -> Box:
    """Window of an annotation at the working scale; `side` is that of the square, 0 where it is unknown."""
    if own_box and item.box is not None and min(item.box.width, item.box.height) >= MIN_WINDOW_PX:
        box = item.box
        return Box(*(value * factor for value in (box.x0, box.y0, box.x1, box.y1)))
    if not side:
        raise UserError(
            f'The class "{object_class.name}" has no size, so the window around its clicks is unknown.',
            "Give the class a mean size in micrometres or pixels, or draw a box around one of its objects.",
        )
    half = max(MIN_WINDOW_PX, side) / 2
    x, y = item.x * factor, item.y * factor
    return Box(x - half, y - half, x + half, y + half)


def _inside(window: Box, frame: Box) -> float:
    width = min(window.x1, frame.x1) - max(window.x0, frame.x0)
    height = min(window.y1, frame.y1) - max(window.y0, frame.y0)
    return max(0.0, width) * max(0.0, height) / max(1e-9, window.width * window.height)


def _with_margin(item: Annotation, window: Box, frame: Box, *, inside: float) -> PlannedPatch:
    x, y = window.center
    # A centre may lie just outside the image; the crop is taken where there are pixels to mirror.
    x, y = min(max(x, frame.x0), frame.x1 - 1), min(max(y, frame.y0), frame.y1 - 1)
    reach = math.ceil(math.hypot(window.width, window.height) / 2 * TURNING_MARGIN) + 2
    return PlannedPatch(
        annotation_id=item.id,
        fov_id=item.fov_id,
        class_id=item.class_id,
        window=window,
        left=math.floor(x) - reach,
        top=math.floor(y) - reach,
        side=2 * reach + 1,
        inside=min(1.0, inside),
    )
