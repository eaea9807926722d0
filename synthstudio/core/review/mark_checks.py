"""Checks of annotations: impossible boxes, objects marked twice, sizes that do not fit the class."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.geometry import box_ious, boxes_to_array, is_inside
from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.core.review.outliers import robust_deviations
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass
from synthstudio.settings.quality import BoxLimits, CheckName

SAME_CLICK_PX = 2.0
SAME_CLICK_SHARE = 0.15
"""Two clicks nearer than this share of the class's size are one object."""
LEAST_SIZE_SPREAD = 0.1
"""Of the logarithm of the side: sizes that differ by a tenth are the same."""
LEAST_SIZES = 20
"""Objects of a class that say what is usual."""
_ROWS = 512  # compared with all others at a time


@dataclass(frozen=True, slots=True)
class MarkChecks:
    """Checks the marks of images.

    Attributes:
        classes: By their ids.
        limits: What counts as wrong.
        set_name: Of the synthetic set that the images are of; empty for fields of view.
    """

    classes: Mapping[ClassId, ObjectClass]
    limits: BoxLimits
    set_name: str = ""

    def check_image(self, fov: FieldOfView, marks: Sequence[Annotation]) -> Iterator[Finding]:
        """Find marks of one image that cannot be right."""
        sound: list[Annotation] = []
        for mark in marks:
            findings = list(self._check_mark(fov, mark))
            yield from findings
            if not any(each.check == "degenerate-box" for each in findings):
                sound.append(mark)
        yield from self._find_doubles(fov, sound)

    def _check_mark(self, fov: FieldOfView, mark: Annotation) -> Iterator[Finding]:
        box = mark.box
        if box is None:
            if not is_inside(mark.x, mark.y, fov.width, fov.height):
                where = f"at ({mark.x:.0f}, {mark.y:.0f}), outside the {fov.width} x {fov.height} px"
                yield self._found("outside-image", fov, [mark], f"A click on {self._name(mark)} lies {where}.")
            return
        sides = (box.width, box.height)
        if not all(map(math.isfinite, (box.x0, box.y0, box.x1, box.y1))) or min(sides) <= 0:
            reason = f"A box of {self._name(mark)} is {sides[0]:g} x {sides[1]:g} px."
            yield self._found("degenerate-box", fov, [mark], reason)
            return
        beyond = max(-box.x0, -box.y0, box.x1 - fov.width, box.y1 - fov.height)
        if beyond > self.limits.outside_px:
            reason = f"A box of {self._name(mark)} reaches {beyond:.0f} px beyond the edge."
            yield self._found("outside-image", fov, [mark], reason)
        if min(sides) < self.limits.tiny_px:
            reason = f"A box of {self._name(mark)} is only {sides[0]:.1f} x {sides[1]:.1f} px."
            yield self._found("tiny-box", fov, [mark], reason)
        share = box.width * box.height / (fov.width * fov.height)
        if share >= self.limits.huge_share:
            yield self._found("huge-box", fov, [mark], f"A box of {self._name(mark)} covers {share:.0%} of the image.")

    def _find_doubles(self, fov: FieldOfView, marks: Sequence[Annotation]) -> Iterator[Finding]:
        boxed = [mark for mark in marks if mark.box is not None]
        for a, b, iou in _overlapping(boxed, least=self.limits.duplicate_iou):
            first, second = boxed[a], boxed[b]
            if first.class_id == second.class_id:
                reason = f"Two boxes of {self._name(first)} overlap by {iou:.2f}."
            else:
                reason = f"A box of {self._name(first)} and one of {self._name(second)} overlap by {iou:.2f}."
            yield self._found("duplicate-annotation", fov, [first, second], reason)
        by_class: defaultdict[ClassId, list[Annotation]] = defaultdict(list)
        for mark in marks:
            if mark.box is None:
                by_class[mark.class_id].append(mark)
        for class_id, clicks in by_class.items():
            size = self.classes[class_id].size_in(fov.um_per_px) if class_id in self.classes else None
            for a, b, apart in _near(clicks, within=max(SAME_CLICK_PX, SAME_CLICK_SHARE * (size or 0.0))):
                reason = f"Two clicks on {self._name(clicks[a])} are {apart:.1f} px apart."
                yield self._found("duplicate-annotation", fov, [clicks[a], clicks[b]], reason)

    def find_implausible_sizes(
        self, fovs: Sequence[FieldOfView], annotations: Mapping[FovId, Sequence[Annotation]]
    ) -> Iterator[Finding]:
        """Find boxes whose size does not fit their class, in um where images are calibrated.

        A box at the edge of its image shows a part of its object, and may be small.
        """
        sized: defaultdict[tuple[ClassId, bool], list[tuple[FieldOfView, Annotation, float]]] = defaultdict(list)
        for fov in fovs:
            for mark in annotations.get(fov.id, ()):
                if mark.box is not None and min(mark.box.width, mark.box.height) > 0:
                    side = math.sqrt(mark.box.width * mark.box.height) * (fov.um_per_px or 1.0)
                    sized[mark.class_id, bool(fov.um_per_px)].append((fov, mark, side))
        for (_, is_um), items in sized.items():
            if len(items) < LEAST_SIZES:
                continue
            logs = np.log(np.array([side for _, _, side in items], np.float64))
            deviations = robust_deviations(logs, floor=LEAST_SIZE_SPREAD)
            usual = float(np.exp(np.median(logs)))
            for (fov, mark, side), deviation in zip(items, deviations, strict=True):
                assert mark.box is not None  # only boxes were gathered
                if abs(deviation) <= self.limits.size_deviations or (deviation < 0 and _is_cut(mark.box, fov)):
                    continue
                unit = "um" if is_um else "px"
                reason = (
                    f"A box of {self._name(mark)} measures {side:.0f} {unit}, most of them about {usual:.0f} {unit}."
                )
                yield self._found("implausible-size", fov, [mark], reason)

    def _name(self, mark: Annotation) -> str:
        return self.classes[mark.class_id].name if mark.class_id in self.classes else "an unknown class"

    def _found(self, check: CheckName, fov: FieldOfView, marks: Sequence[Annotation], reason: str) -> Finding:
        return found(
            check,
            reason,
            images=[FoundImage.of(fov, set_name=self.set_name)],
            marks=marks,
            class_name=self._name(marks[0]),
            set_name=self.set_name,
        )


def _is_cut(box: Box, fov: FieldOfView) -> bool:
    return box.x0 < 1.5 or box.y0 < 1.5 or box.x1 > fov.width - 1.5 or box.y1 > fov.height - 1.5


def _overlapping(marks: Sequence[Annotation], *, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs `(a, b, IoU)`, a < b, of boxes that overlap by at least so much."""
    boxes = boxes_to_array([mark.box for mark in marks if mark.box is not None])
    for start in range(0, len(boxes), _ROWS):
        ious = box_ious(boxes[start : start + _ROWS], boxes)
        yield from _pairs(ious, ious >= least, start)


def _near(marks: Sequence[Annotation], *, within: float) -> Iterator[tuple[int, int, float]]:
    """Pairs `(a, b, distance in px)`, a < b, of clicks that are at most so far apart."""
    points = np.array([(mark.x, mark.y) for mark in marks], np.float64).reshape(-1, 2)
    for start in range(0, len(points), _ROWS):
        apart = np.hypot(*(points[start : start + _ROWS, None] - points[None]).transpose(2, 0, 1))
        yield from _pairs(apart, apart <= within, start)


def _pairs(values: NDArray[np.float64], is_pair: NDArray[np.bool_], start: int) -> Iterator[tuple[int, int, float]]:
    for row, column in np.argwhere(is_pair):
        if start + row < column:
            yield start + int(row), int(column), float(values[row, column])
