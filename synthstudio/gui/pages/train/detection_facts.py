"""What a detector found on one field, beside what people annotated there. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.detected import FovDetections, read_fov_detections
from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.evaluation.detection_errors import (
    DetectionError,
    ErrorKind,
    JudgedDetections,
    judge_detections,
)
from synthstudio.core.geometry import BoxArray, boxes_to_array
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.project import Project


@dataclass(frozen=True, slots=True)
class SearchedField:
    """One field that a detector has searched.

    Attributes:
        record: What was stored.
        found: The same in arrays; a label is the place of the class in the record.
        boxes, labels: `(M, 4)` and `(M,)` of the annotations of the classes that the detector knows.
        annotation_ids: Of these annotations.
        is_exhaustive: Whether every object is annotated.
        colors: `#RRGGBB` of each class.
    """

    record: FovDetections
    found: Detections = field(repr=False)
    boxes: BoxArray = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    annotation_ids: tuple[AnnotationId, ...] = field(repr=False)
    is_exhaustive: bool
    colors: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.record.classes)

    @property
    def is_annotated(self) -> bool:
        """Whether right and wrong can be told apart at all."""
        return self.is_exhaustive or bool(self.annotation_ids)

    def counting_boxes(self, thresholds: NDArray[np.float64]) -> BoxArray:
        """Boxes `(K, 4)` of what counts at these thresholds `(C,)`."""
        if not len(self.found.scores):
            return self.found.boxes
        return self.found.boxes[self.found.scores >= thresholds[self.found.labels]]

    def judge(self, thresholds: NDArray[np.float64]) -> JudgedDetections | None:
        """What is right and wrong at these thresholds `(C,)`; None where nothing is annotated."""
        if not self.is_annotated:
            return None
        return judge_detections(self.found, (self.boxes, self.labels), thresholds, is_exhaustive=self.is_exhaustive)


FALLBACK_COLOR = "#FFFFFF"


def load_field(project: Project, fov_id: FovId, path: Path) -> SearchedField:
    """Read the detections of a field and its annotations. Raises UserError where the file is gone or damaged."""
    record = read_fov_detections(path)
    fov = project.fovs.get(fov_id)
    classes = {item.name: item for item in project.classes.list()}
    known = [classes.get(each.name) for each in record.classes]  # one may have been renamed since
    label_of = {item.id: label for label, item in enumerate(known) if item is not None}
    marks = [mark for mark in project.annotations.list(fov_id) if mark.class_id in label_of]
    labels = np.array([label_of[mark.class_id] for mark in marks], np.int64)
    sizes = [
        (item.size_in(fov.um_per_px) if item is not None else None) or each.size_px
        for item, each in zip(known, record.classes, strict=True)
    ]
    boxes = [mark.extent(sizes[label]) for mark, label in zip(marks, labels, strict=True)]
    return SearchedField(
        record=record,
        found=record.detections(),
        boxes=boxes_to_array(boxes),
        labels=labels,
        annotation_ids=tuple(mark.id for mark in marks),
        is_exhaustive=fov.state.is_complete,
        colors=tuple(item.color if item is not None else FALLBACK_COLOR for item in known),
    )


def class_words(searched: SearchedField, judged: JudgedDetections | None, label: int, threshold: float) -> str:
    """What was found of a class, in words."""
    n_found = int(((searched.found.labels == label) & (searched.found.scores >= threshold)).sum())
    words = [f"{n_found:,} found"]
    if judged is not None:
        n_true, n_missed = int((searched.labels == label).sum()), int(judged.missed[searched.labels == label].sum())
        words.append(f"{n_missed:,} of {n_true:,} missed")
        if searched.is_exhaustive:
            n_hits = int(judged.hits[searched.found.labels == label].sum())
            words.append(f"{n_found - n_hits:,} wrong")
    return " · ".join(words)


def field_words(searched: SearchedField, judged: JudgedDetections | None) -> str:
    """What the field shows as a whole, in words."""
    if not searched.is_annotated:
        return f"{searched.record.fov_name}: nothing is annotated here, so right and wrong cannot be told."
    if judged is None:
        return searched.record.fov_name
    if not judged.errors:
        ending = "nothing is wrong at these thresholds."
    else:
        counts = {kind: sum(each.kind is kind for each in judged.errors) for kind in ErrorKind}
        ending = " · ".join(f"{count:,} {_plural(kind, count)}" for kind, count in counts.items() if count) + "."
    if not searched.is_exhaustive:
        ending += " Not every object is annotated here, so false alarms are not told."
    return f"{searched.record.fov_name}: {ending}"


def error_words(searched: SearchedField, error: DetectionError) -> str:
    """One mistake in words."""
    names = searched.names
    score = f" ({error.score:.2f})" if error.score is not None else ""
    match error.kind:
        case ErrorKind.MISSED:
            return f"Missed: {names[error.true or 0]}"
        case ErrorKind.FALSE_ALARM:
            return f"False alarm: {names[error.found or 0]}{score}"
        case ErrorKind.WRONG_CLASS:
            return f"Wrong class: {names[error.found or 0]}{score}, but it is {names[error.true or 0]}"


def _plural(kind: ErrorKind, count: int) -> str:
    words = {ErrorKind.FALSE_ALARM: "false alarms", ErrorKind.WRONG_CLASS: "of another class"}
    if kind is ErrorKind.WRONG_CLASS:
        return words[kind]
    return words.get(kind, kind.value) if count != 1 else kind.value
